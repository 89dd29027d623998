import { UserError } from '../errors.ts';
import { type CrnnShape, crnnNetwork } from './crnn.ts';
import type { JsonObject, ModelFamily, Predictor } from './family.ts';
import { InputMaker, type InputShape, pooledShape } from './network-input.ts';
import { predictBatch } from './network-prediction.ts';
import { type TrainingSettings, trainNetwork } from './network-training.ts';
import type { Normalisation } from './normalisation.ts';
import { decodeWeights, encodeWeights, parametersOf } from './weights.ts';

interface Preset {
  /** One line for people. */
  does: string;
  /** Neighbouring bands and frames of the spectrogram averaged into one. */
  poolBands: number;
  poolFrames: number;
  network: CrnnShape;
  training: TrainingSettings;
}

const training: TrainingSettings = {
  batchSize: 16,
  epochs: 30,
  patience: 10,
  learningRate: 1e-3,
  warmUpEpochs: 2,
  weightDecay: 0,
  clipNorm: 1,
  cropFrames: null,
  maskBands: 0,
  maskFrames: 0,
};

const presets: Record<'original' | 'small' | 'tiny', Preset> = {
  original: {
    does: '391,585 parameters on 128 x 1,292, as the forerunner had it: for a GPU and thousands of tracks',
    poolBands: 1,
    poolFrames: 1,
    network: {
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
    },
    training,
  },
  small: {
    does: 'a quarter of the filters on a spectrogram averaged to 64 x 323: for a laptop',
    poolBands: 2,
    poolFrames: 4,
    network: {
      filters: [16, 32, 32, 32],
      pools: [
        [2, 2],
        [4, 2],
        [4, 2],
        [2, 2],
      ],
      recurrentUnits: 32,
      convolutionDropout: 0.1,
      recurrentDropout: 0.3,
    },
    training,
  },
  tiny: {
    does: 'a few filters on a spectrogram averaged to 32 x 162: where TensorFlow runs as WebAssembly',
    poolBands: 4,
    poolFrames: 8,
    network: {
      filters: [8, 16, 16, 16],
      pools: [
        [2, 2],
        [2, 2],
        [4, 2],
        [2, 2],
      ],
      recurrentUnits: 16,
      convolutionDropout: 0.1,
      recurrentDropout: 0.3,
    },
    training: { ...training, epochs: 25, patience: 8 },
  },
};
type PresetName = keyof typeof presets;

/** Tracks from which the original's size is worth its time, where there is a GPU. */
const tracksForOriginal = 2_000;
/** Spectrograms judged at once. */
const predictionBatch = 16;

interface Topology {
  kind: 'crnn';
  preset: PresetName;
  input: InputShape;
  network: CrnnShape;
  normalisation: Normalisation;
}

/** The convolutional recurrent network: see {@link crnnNetwork}. */
export const crnn: ModelFamily = {
  name: 'crnn',
  description: 'convolutions over the mel spectrogram, then recurrent layers over time (Choi et al. 2017)',
  needsTensorFlow: true,
  usesValidation: true,
  presets: {
    auto: 'original on a GPU with enough tracks, small on a CPU, tiny on WebAssembly',
    ...Object.fromEntries(Object.entries(presets).map(([name, { does }]) => [name, does])),
  },

  async train(context) {
    const { tf, backend } = await context.tensorflow();
    const preset = choosePreset(context.preset, backend, context.train.length);
    const { poolBands, poolFrames, network: shape, training: settings } = presets[preset];
    const { bands, frames } = context.source;
    const input = { bands, frames, poolBands, poolFrames };
    const network = crnnNetwork(shape, ...pooledShape(input));
    const { weights, epochs } = await trainNetwork(tf, network, input, settings, context);
    const { normalisation } = context;
    const topology: Topology = { kind: 'crnn', preset, input, network: shape, normalisation };
    return {
      parameters: parametersOf(weights),
      topology: topology as unknown as JsonObject,
      weights: encodeWeights(weights),
      epochs,
      samplesSeen: context.train.length * epochs.length,
    };
  },

  async load({ topology, weights }, tensorflow) {
    const { tf } = await tensorflow();
    const { input, network: shape, normalisation } = topology as unknown as Topology;
    const network = crnnNetwork(shape, ...pooledShape(input));
    const maker = new InputMaker(input, normalisation);
    const arrays = new Map(decodeWeights(weights).map((array) => [array.name, array]));
    const tensors = network.weights.map(({ name, shape: expected }) => {
      const array = arrays.get(name);
      if (!array) throw new Error(`these are not the weights of this network: ${name} is missing`);
      return tf.tensor(array.values, [...expected]);
    });
    const predictor: Predictor = {
      async predict(spectrograms) {
        const probabilities: number[] = [];
        for (let from = 0; from < spectrograms.length; from += predictionBatch) {
          const part = spectrograms.slice(from, from + predictionBatch);
          probabilities.push(...(await predictBatch(tf, network, maker, tensors, part)));
        }
        return probabilities;
      },
      dispose: () => tf.dispose(tensors),
    };
    return predictor;
  },
};

function choosePreset(asked: string, backend: string, tracks: number): PresetName {
  if (Object.hasOwn(presets, asked)) return asked as PresetName;
  if (asked !== 'auto') {
    throw new UserError(`crnn has no preset ${asked}: choose ${Object.keys(crnn.presets).join(', ')}`);
  }
  if (backend === 'wasm') return 'tiny';
  return backend === 'tensorflow-gpu' && tracks >= tracksForOriginal ? 'original' : 'small';
}
