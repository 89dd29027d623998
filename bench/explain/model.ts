import type { TaggerEar } from '../../shared/learning/explain/masked-judge.ts';
import { withoutLearning } from '../../shared/learning/explain/random-model.ts';
import { type TypicalSound, typicalSound } from '../../shared/learning/explain/typical.ts';
import { modelFamily, presetOf } from '../../shared/learning/families.ts';
import type { ModelFamily, Predictor, TrainingContext } from '../../shared/learning/family.ts';
import { featureTable } from '../../shared/learning/features/sets.ts';
import { fitNormalisation } from '../../shared/learning/normalisation.ts';
import { audioOnly, type Recording } from '../../shared/learning/recording.ts';
import { memorySource } from '../../shared/learning/spectrograms.ts';

/** A song with a rule in it. */
export interface PlantedSong {
  readonly recording: Recording;
  readonly popular: boolean;
  /** Where the event of a popular song begins, in seconds, where the rule is one. */
  readonly momentAt: number;
  /** The tagger's input; null where no tagger listens. */
  readonly tagger: Pick<TaggerEar, 'logMel' | 'start'> | null;
}

export interface PlantedModel {
  readonly family: ModelFamily;
  readonly predictor: Predictor;
  /** The same with its weights shuffled by a seed. */
  readonly randomised: (seed: number) => Promise<Predictor>;
  readonly typical: TypicalSound;
}

/** Train a family of the product on planted songs, each a group of its own. */
export async function trainOn(
  name: string,
  songs: readonly PlantedSong[],
  shape: { bands: number; frames: number },
  seed: number,
  tensorflow: TrainingContext['tensorflow'],
): Promise<PlantedModel> {
  const recordings = songs.map(({ recording }) => recording);
  const source = {
    ...audioOnly(memorySource(recordings, shape)),
    embedding: async (index: number) => recordings[index]!.embedding,
  };
  const examples = songs.map(({ popular }, index) => ({
    ...{ index, group: index },
    label: popular ? (1 as const) : (0 as const),
  }));
  const normalisation = await fitNormalisation(source, recordings.keys());
  const family = modelFamily(name);
  const kept = family.usesValidation ? Math.floor(0.8 * examples.length) : examples.length;
  const fitted = await family.train({
    ...{ source, seed, checkpoint: null, tensorflow, preset: presetOf(family, null) },
    ...{ train: examples.slice(0, kept), validation: examples.slice(kept) },
    features: featureTable(source),
    normalisation: async () => normalisation,
    turn: async () => {},
    onEpoch: () => {},
    onCheckpoint: () => {},
  });
  return {
    ...{ family, predictor: await family.load(fitted, tensorflow), typical: typicalSound(recordings) },
    randomised: (seedOfShuffle) =>
      family.load({ ...fitted, weights: withoutLearning(fitted.weights, seedOfShuffle) }, tensorflow),
  };
}
