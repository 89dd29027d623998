import type { Example, TrainingContext } from '../family.ts';
import { sigmoid } from '../sigmoid.ts';
import type { Spectrogram } from '../spectrograms.ts';
import { readAll } from './batch.ts';

/** Probabilities closer together than this tell nobody apart. */
const leastSpread = 0.01;
/** Examples that are looked at. */
const sample = 64;
/** With fewer of each class, chance alone puts all on one side. */
const leastOfClass = 5;

/**
 * Look whether a network collapsed: gives all songs nearly the same probability, or puts all on one side
 * of the share that was popular in training. On the examples for early stopping, else on those trained on.
 *
 * @param predictor is disposed.
 * @param priorLogOdds of being popular in training.
 * @returns for people; empty when all is well.
 */
export async function collapseWarnings(
  predictor: { predict(spectrograms: readonly Spectrogram[]): Promise<number[]>; dispose(): void },
  priorLogOdds: number,
  { source, train, validation, turn }: Pick<TrainingContext, 'source' | 'train' | 'validation' | 'turn'>,
): Promise<string[]> {
  const examples = (validation.length > 0 ? validation : train).slice(0, sample);
  try {
    await turn();
    const probabilities = await predictor.predict(await readAll(source, examples));
    return judge(probabilities, examples, sigmoid(priorLogOdds));
  } finally {
    predictor.dispose();
  }
}

function judge(probabilities: readonly number[], examples: readonly Example[], share: number): string[] {
  const spread = Math.max(...probabilities) - Math.min(...probabilities);
  if (spread < leastSpread) {
    return ['the network gives all songs nearly the same probability: it has not learned to tell them apart'];
  }
  const count = (label: 0 | 1) => examples.filter((example) => example.label === label).length;
  if (Math.min(count(0), count(1)) < leastOfClass) return [];
  const popular = probabilities.filter((probability) => probability >= share).length;
  if (popular > 0 && popular < probabilities.length) return [];
  const what = popular === 0 ? 'unpopular' : 'popular';
  return [`the network holds all ${probabilities.length} songs that it was checked on to be ${what}`];
}
