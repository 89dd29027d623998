import { PermanentError } from '../errors.ts';
import type { ModelFamily } from './family.ts';
import { decodeWeights, encodeWeights } from './weights.ts';

/** The floor that every model must beat: it gives each song the share of popular tracks in training. */
export const dummy: ModelFamily = {
  name: 'dummy',
  description: 'Gives every song the same probability, the share of popular tracks in training: the floor.',
  needsTensorFlow: false,
  features: [],
  usesValidation: false,
  presets: { default: 'there is nothing to choose' },

  async train({ train }) {
    if (train.length === 0) throw new PermanentError('there are no tracks to train on');
    const share = train.filter(({ label }) => label === 1).length / train.length;
    const weights = encodeWeights([{ name: 'share', shape: [1], values: Float32Array.of(share) }]);
    return { parameters: 1, topology: { family: 'dummy' }, weights, epochs: [], samplesSeen: train.length };
  },

  async load({ weights }) {
    const share = decodeWeights(weights)[0]!.values[0]!;
    return { predict: async (spectrograms) => spectrograms.map(() => share), dispose: () => {} };
  },
};
