/** Songs with a rule in them, models that learned it, and what an explanation should name. */
import { type SpectrogramParameters, spectrogramParameters } from '../../../../shared/audio/parameters.ts';
import { bandCentres } from '../../../../shared/learning/explain/grid.ts';
import { type TypicalSound, typicalSound } from '../../../../shared/learning/explain/typical.ts';
import { modelFamily } from '../../../../shared/learning/families.ts';
import type { Predictor } from '../../../../shared/learning/family.ts';
import { featureTable } from '../../../../shared/learning/features/sets.ts';
import { fitNormalisation } from '../../../../shared/learning/normalisation.ts';
import { normal, type Random, randomStream, uniform } from '../../../../shared/learning/random.ts';
import { audioOnly, type Recording } from '../../../../shared/learning/recording.ts';
import { memorySource } from '../../../../shared/learning/spectrograms.ts';

export const parameters: SpectrogramParameters = spectrogramParameters({ seconds: 12 });
export const frames = 1 + Math.floor((parameters.seconds * parameters.sampleRate) / parameters.hop);
const { bands } = parameters;
const framesPerSecond = parameters.sampleRate / parameters.hop;
const centres = bandCentres(parameters);

/** Popular songs are louder between two frequencies, or have an event of a second somewhere. */
export type Rule =
  | { readonly kind: 'band'; readonly fromHz: number; readonly toHz: number }
  | { readonly kind: 'moment'; readonly seconds: number };

export interface PlantedSong extends Recording {
  readonly popular: boolean;
  /** Of a popular song with a moment: where it begins, in seconds. */
  readonly momentAt: number;
}

/** Noise around a curve that differs from song to song, swelling and fading. */
export function plantedSong(rule: Rule, popular: boolean, random: Random): PlantedSong {
  const levels = new Uint8Array(bands * frames);
  const tilt = 30 + 10 * normal(random);
  const swell = 4 + 8 * uniform(random);
  const loudness = 150 + 12 * normal(random);
  const momentAt = uniform(random) * (parameters.seconds - 2);
  const momentFrames = [momentAt, momentAt + (rule.kind === 'moment' ? rule.seconds : 0)].map((time) =>
    Math.round(time * framesPerSecond),
  ) as [number, number];
  for (let band = 0; band < bands; band++) {
    const colour = 8 * normal(random);
    const inBand = rule.kind === 'band' && centres[band]! >= rule.fromHz && centres[band]! < rule.toHz;
    for (let frame = 0; frame < frames; frame++) {
      const inMoment = rule.kind === 'moment' && frame >= momentFrames[0] && frame < momentFrames[1];
      const wave = swell * Math.sin(frame / 40 + band / 20);
      const planted = popular && (inBand || inMoment) ? (inBand ? 40 : 60) : 0;
      const level = loudness - (tilt * band) / bands + colour + wave + planted + 12 * normal(random);
      levels[band * frames + frame] = Math.max(0, Math.min(255, level));
    }
  }
  return { levels, frames, embedding: null, facts: null, popular, momentAt };
}

export interface PlantedModel {
  readonly predictor: Predictor;
  readonly typical: TypicalSound;
}

/** Train a family on planted songs, half of them popular. */
export async function plantedModel(
  name: string,
  rule: Rule,
  songs: number,
  seed: number,
): Promise<PlantedModel> {
  const random = randomStream('planted songs', seed);
  const recordings = Array.from({ length: songs }, (_, index) => plantedSong(rule, index % 2 === 0, random));
  const source = audioOnly(memorySource(recordings, { bands, frames }));
  const examples = recordings.map(({ popular }, index) => ({
    ...{ index, group: index },
    label: popular ? (1 as const) : (0 as const),
  }));
  const normalisation = await fitNormalisation(source, recordings.keys());
  const family = modelFamily(name);
  const noTensorFlow = () => Promise.reject(new Error('no TensorFlow here'));
  const fitted = await family.train({
    ...{ source, seed, train: examples, validation: [], checkpoint: null, preset: 'default' },
    features: featureTable(source),
    normalisation: async () => normalisation,
    tensorflow: noTensorFlow,
    turn: async () => {},
    onEpoch: () => {},
    onCheckpoint: () => {},
  });
  return { predictor: await family.load(fitted, noTensorFlow), typical: typicalSound(recordings) };
}
