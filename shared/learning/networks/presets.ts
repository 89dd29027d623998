import type { NetworkShape } from './layers.ts';
import type { TrainingSettings } from './training.ts';

/** One named choice of a network's size and training. */
export interface NetworkPreset extends NetworkShape, TrainingSettings {
  /** Neighbouring bands, and frames, averaged into one before the network. */
  readonly poolBands: number;
  readonly poolFrames: number;
  /** Networks trained from different starts, whose probabilities are averaged. */
  readonly members: number;
}

/** A network of the original's with its size and a small one. */
export interface NetworkPresets {
  readonly original: NetworkPreset;
  /** On averaged cells and with fewer units: for a laptop's CPU and a few hundred tracks. */
  readonly small: NetworkPreset;
}

const training: TrainingSettings & { readonly members: number } = {
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

/** Cells averaged 2 bands x 4 frames, and masks to fit. */
const averaged = {
  ...{ poolBands: 2, poolFrames: 4, maskBands: 8, maskFrames: 20 },
  ...{ epochs: 12, patience: 5, warmUpEpochs: 2 },
} as const;

const perceptron: NetworkPreset = {
  ...training,
  ...{ poolBands: 1, poolFrames: 1, convolutions: [], activation: 'relu', convolutionDropout: 0 },
  ...{ recurrentUnits: [], recurrentDropout: 0, denseUnits: [128, 64], denseDropout: 0 },
};

export const mlpPresets: NetworkPresets = {
  original: perceptron,
  small: { ...perceptron, ...averaged, poolBands: 4, poolFrames: 16, maskFrames: 5, denseUnits: [32, 16] },
};

const cnn1: NetworkPreset = {
  ...perceptron,
  convolutions: [
    { filters: 16, kernel: [3, 3], pool: [2, 4] },
    { filters: 32, kernel: [3, 3], pool: [2, 4] },
    { filters: 64, kernel: [3, 3], pool: [2, 2] },
    { filters: 128, kernel: [3, 3], pool: [2, 2] },
  ],
  denseDropout: 0.3,
};

const smallConvolutions: NetworkPreset['convolutions'] = [
  { filters: 8, kernel: [3, 3], pool: [2, 2] },
  { filters: 16, kernel: [3, 3], pool: [2, 2] },
  { filters: 32, kernel: [3, 3], pool: [2, 2] },
  { filters: 32, kernel: [3, 3], pool: [2, 2] },
];

export const cnn1Presets: NetworkPresets = {
  original: cnn1,
  small: { ...cnn1, ...averaged, convolutions: smallConvolutions, denseUnits: [32, 16] },
};

const cnn2: NetworkPreset = {
  ...perceptron,
  convolutions: [
    { filters: 32, kernel: [2, 3], pool: [2, 4] },
    { filters: 64, kernel: [2, 3], pool: [2, 4] },
    { filters: 128, kernel: [2, 3], pool: [2, 2] },
    { filters: 128, kernel: [3, 3], pool: [2, 2] },
  ],
  denseUnits: [128],
};

export const cnn2Presets: NetworkPresets = {
  original: cnn2,
  small: { ...cnn2, ...averaged, convolutions: smallConvolutions, denseUnits: [32] },
};

const crnn: NetworkPreset = {
  ...perceptron,
  convolutions: [
    { filters: 64, kernel: [3, 3], pool: [2, 2] },
    { filters: 128, kernel: [3, 3], pool: [4, 2] },
    { filters: 128, kernel: [3, 3], pool: [4, 2] },
    { filters: 128, kernel: [3, 3], pool: [4, 2] },
  ],
  activation: 'elu',
  convolutionDropout: 0.1,
  recurrentUnits: [32, 32],
  recurrentDropout: 0.3,
  denseUnits: [],
};

export const crnnPresets: NetworkPresets = {
  original: crnn,
  small: {
    ...crnn,
    ...averaged,
    convolutions: [
      { filters: 16, kernel: [3, 3], pool: [2, 2] },
      { filters: 32, kernel: [3, 3], pool: [4, 2] },
      { filters: 32, kernel: [3, 3], pool: [4, 2] },
      { filters: 32, kernel: [3, 3], pool: [2, 2] },
    ],
  },
};

/** From this many training tracks on, a GPU trains the original size rather than the small one. */
const tracksForOriginal = 2000;

/** Choose a preset: `auto` takes the original on a GPU with enough to learn from, else the small one. */
export function choosePreset(name: string, backend: string, trainingTracks: number): keyof NetworkPresets {
  if (name === 'original' || name === 'small') return name;
  return backend === 'tensorflow-gpu' && trainingTracks >= tracksForOriginal ? 'original' : 'small';
}
