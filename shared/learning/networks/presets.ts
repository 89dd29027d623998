import type { CrnnShape } from './crnn.ts';
import type { TrainingSettings } from './network-training.ts';

/** One named choice of a network's size and training. */
export interface CrnnPreset extends CrnnShape, TrainingSettings {
  /** Neighbouring bands, and frames, averaged into one before the network. */
  readonly poolBands: number;
  readonly poolFrames: number;
  /** Networks trained from different starts, whose probabilities are averaged. */
  readonly members: number;
}

/** The original's network and size: 391,585 parameters at 128 bands. For a GPU and thousands of tracks. */
const original: CrnnPreset = {
  poolBands: 1,
  poolFrames: 1,
  filters: [64, 128, 128, 128],
  pools: [
    [2, 2],
    [4, 2],
    [4, 2],
    [4, 2],
  ],
  recurrentUnits: 32,
  convolutionDropout: 0.1,
  recurrentDropout: 0.3,
  batchSize: 16,
  epochs: 60,
  patience: 12,
  learningRate: 1e-3,
  warmUpEpochs: 3,
  weightDecay: 0,
  clipNorm: 1,
  cropFrames: null,
  maskBands: 16,
  maskFrames: 100,
  members: 1,
};

/** A quarter of the filters on an eighth of the cells, for a laptop's CPU and a few hundred tracks. */
const small: CrnnPreset = {
  ...original,
  poolBands: 2,
  poolFrames: 4,
  filters: [16, 32, 32, 32],
  pools: [
    [2, 2],
    [4, 2],
    [4, 2],
    [2, 2],
  ],
  epochs: 12,
  patience: 5,
  warmUpEpochs: 2,
  maskBands: 8,
  maskFrames: 20,
};

export const crnnPresets = { original, small } as const;

/** From this many training tracks on, a GPU trains the original size rather than the small one. */
const tracksForOriginal = 2000;

/** Choose a preset: `auto` takes the original on a GPU with enough to learn from, else the small one. */
export function chooseCrnnPreset(
  name: string,
  backend: string,
  trainingTracks: number,
): keyof typeof crnnPresets {
  if (name === 'original' || name === 'small') return name;
  return backend === 'tensorflow-gpu' && trainingTracks >= tracksForOriginal ? 'original' : 'small';
}
