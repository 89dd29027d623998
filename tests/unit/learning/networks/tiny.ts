import type { NetworkShape } from '../../../../shared/learning/networks/layers.ts';
import type { FitContext, TrainingSettings } from '../../../../shared/learning/networks/training.ts';
import { plantedSet } from '../planted.ts';

/** A network small enough to train in a test. */
export const tinyShape: NetworkShape = {
  convolutions: [
    { filters: 4, kernel: [3, 3], pool: [2, 2] },
    { filters: 4, kernel: [2, 3], pool: [2, 2] },
    { filters: 8, kernel: [3, 3], pool: [2, 2] },
    { filters: 8, kernel: [3, 3], pool: [4, 2] },
  ],
  ...{ activation: 'elu', convolutionDropout: 0.1 },
  ...{ recurrentUnits: [8, 8], recurrentDropout: 0.3, denseUnits: [], denseDropout: 0 },
};

export const tinySettings: TrainingSettings = {
  ...{ batchSize: 8, epochs: 5, patience: 5, learningRate: 5e-3, warmUpEpochs: 1 },
  ...{ weightDecay: 0.01, clipNorm: 1, cropFrames: 160, maskBands: 4, maskFrames: 4 },
};

/** 36 examples to train on, 12 to validate, and the normalisation of their cells. */
export async function tinyFit(changes: Partial<FitContext> = {}) {
  const set = await plantedSet(48);
  const examples = set.records.map(({ popularity, group }, index) => ({
    ...{ index, group, label: (popularity >= 50 ? 1 : 0) as 0 | 1 },
  }));
  const context: FitContext = {
    ...{ source: set.source, train: examples.slice(0, 36), validation: examples.slice(36), seed: 1 },
    ...{ turn: async () => {}, onEpoch: () => {}, checkpoint: null, onCheckpoint: () => {} },
    ...changes,
  };
  return { context, normalisation: set.normalisation, source: set.source };
}
