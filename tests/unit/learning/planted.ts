import { fitNormalisation } from '../../../shared/learning/normalisation.ts';
import {
  below,
  normal,
  type Random,
  randomStream,
  shuffle,
  uniform,
} from '../../../shared/learning/random.ts';
import { audioOnly, type Recording, type RecordingSource } from '../../../shared/learning/recording.ts';
import { memorySource } from '../../../shared/learning/spectrograms.ts';
import type { TrainTask } from '../../../shared/learning/task.ts';
import { thresholdOf } from '../../../shared/learning/threshold.ts';

export const bands = 128;
export const frames = 200;

/** Noise with a rule: popular clips have a beat (every 16th frame loud) in the low bands. */
function clip(beat: boolean, random: Random): Recording {
  const length = uniform(random) < 0.2 ? frames - 60 : frames;
  const phase = below(random, 16);
  const levels = new Uint8Array(bands * length);
  for (let band = 0; band < bands; band++) {
    for (let frame = 0; frame < length; frame++) {
      const loud = beat && band < 40 && (frame + phase) % 16 < 4;
      levels[band * length + frame] = Math.max(0, Math.min(255, 110 + (loud ? 90 : 0) + 25 * normal(random)));
    }
  }
  return { levels, frames: length, embedding: null, facts: null };
}

/** A data set with a planted rule, split by group, two tracks a group. */
export async function plantedSet(
  count: number,
  seed = 1,
): Promise<{
  source: RecordingSource;
  spectrograms: Recording[];
  records: TrainTask['records'];
  threshold: number;
  normalisation: TrainTask['normalisation'];
}> {
  const random = randomStream('planted', seed);
  const beats = shuffle(
    Array.from({ length: count }, (_, i) => i % 2 === 0),
    random,
  );
  const spectrograms = beats.map((beat) => clip(beat, random));
  const records = beats.map((beat, i) => ({
    popularity: Math.round((beat ? 60 : 40) + 8 * normal(random)),
    group: i >> 1,
    ...{ source: null, artist: null, year: null },
    split: (['holdout', 'test', 'train', 'train'] as const)[(i >> 1) % 4]!,
  }));
  const source = audioOnly(memorySource(spectrograms, { bands, frames }));
  const train = [...records.keys()].filter((i) => records[i]!.split === 'train');
  const threshold = thresholdOf(
    train.map((i) => records[i]!.popularity),
    'median',
  );
  return { source, spectrograms, records, threshold, normalisation: await fitNormalisation(source, train) };
}

/** A task on such a data set. */
export function taskOn(
  set: Pick<Awaited<ReturnType<typeof plantedSet>>, 'records' | 'threshold' | 'normalisation'>,
  changes: Partial<TrainTask>,
): TrainTask {
  const { records, threshold, normalisation } = set;
  return {
    ...{ model: 'logistic', preset: null, seed: 1, shuffleLabels: false, crossValidationFolds: null },
    ...{
      shardsFolder: '',
      embeddingsFile: null,
      facts: null,
      records,
      threshold,
      thresholdRule: 'median',
      normalisation,
      checkpoint: null,
    },
    ...changes,
  };
}
