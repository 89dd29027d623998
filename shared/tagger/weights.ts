/** The variables of MusiCNN by what they are for, out of its checkpoint. */
import { type CheckpointTensor, readCheckpoint } from './checkpoint.ts';
import { penultimateValues, pooledValues, tags } from './embedding.ts';

/** Added to the variance in the network's batch normalisation. */
const epsilon = 1e-3;

/** Batch normalisation with its statistics fixed: value x scale + shift, for each channel. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** Convolution, then ReLU, then batch normalisation. */
export interface ConvolutionLayer {
  /** Taps in time and in frequency (or, of the middle layers, input channels), and output channels. */
  readonly times: number;
  readonly columns: number;
  readonly outputs: number;
  /** Shape [times][columns][outputs]. */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  readonly norm: Affine;
}

/** Shape of the kernel: [inputs][outputs]. */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

export interface TaggerWeights {
  /** Of the log-mel input, one channel. */
  readonly input: Affine;
  /** Two layers that look at timbre (7 frames x 38 or 67 bands), three at rhythm (128, 64, 32 frames x 1 band). */
  readonly front: readonly ConvolutionLayer[];
  /** Three layers of 7 frames over all channels; to the second and third their input is added. */
  readonly middle: readonly ConvolutionLayer[];
  /** Of the pooled values, [max 0, mean 0, max 1, mean 1, ...]. */
  readonly pool: Affine;
  readonly penultimate: DenseLayer & { readonly norm: Affine };
  readonly tags: DenseLayer;
}

/** Bands of the input. */
export const bands = 96;
/** Frames of a patch: 3 seconds. */
export const patchFrames = 187;
/** Output channels of the five layers in front, and of each in the middle. */
export const frontOutputs = [204, 204, 51, 51, 51] as const;
export const middleOutputs = 64;

const frontTaps = [
  ...[[7, 38] as const, [7, 67] as const],
  ...[[128, 1] as const, [64, 1] as const, [32, 1] as const],
];
const middleTimes = 7;
const frontChannels = frontOutputs.reduce((sum, channels) => sum + channels, 0);

/**
 * Read the network's variables; what only its training needed is left.
 * @throws Error when the checkpoint is missing, damaged or another network's
 */
export async function readTaggerWeights(prefix: string): Promise<TaggerWeights> {
  const variables = await readCheckpoint(prefix, (name) => !/Adam|beta._power/.test(name));
  const norm = (index: number, channels: number): Affine => {
    const of = (name: string) =>
      take(variables, `${numbered('batch_normalization', index)}/${name}`, [channels]);
    return affine(of('gamma'), of('beta'), of('moving_mean'), of('moving_variance'));
  };
  const convolution = (index: number, shape: readonly number[]): ConvolutionLayer => {
    const [times = 0, outputs = 0] = [shape[0], shape[3]];
    return {
      ...{ times, outputs, columns: (shape[1] ?? 0) * (shape[2] ?? 0) },
      kernel: take(variables, `${numbered('conv2d', index)}/kernel`, shape),
      bias: take(variables, `${numbered('conv2d', index)}/bias`, [outputs]),
      norm: norm(index + 1, outputs),
    };
  };
  const dense = (index: number, inputs: number, outputs: number): DenseLayer => ({
    ...{ inputs, outputs },
    kernel: take(variables, `${numbered('dense', index)}/kernel`, [inputs, outputs]),
    bias: take(variables, `${numbered('dense', index)}/bias`, [outputs]),
  });
  const front = frontTaps.map(([times, columns], i) => convolution(i, [times, columns, 1, frontOutputs[i]!]));
  const middle = [frontChannels, middleOutputs, middleOutputs].map((inputs, i) =>
    convolution(front.length + i, [middleTimes, inputs, 1, middleOutputs]),
  );
  const layers = front.length + middle.length;
  return {
    input: norm(0, 1),
    ...{ front, middle },
    pool: norm(layers + 1, 2 * pooledValues),
    penultimate: {
      ...dense(0, 2 * pooledValues, penultimateValues),
      norm: norm(layers + 2, penultimateValues),
    },
    tags: dense(1, penultimateValues, tags.length),
  };
}

/** As TensorFlow numbers layers of a kind: the first has no number. */
function numbered(kind: string, index: number): string {
  return index === 0 ? kind : `${kind}_${index}`;
}

function take(
  variables: ReadonlyMap<string, CheckpointTensor>,
  name: string,
  shape: readonly number[],
): Float32Array {
  const found = variables.get(name);
  if (found?.shape.join() !== shape.join()) {
    const has = found ? `has the shape [${found.shape}]` : 'is missing';
    throw new Error(`this is not the checkpoint of MusiCNN: ${name} [${shape}] ${has}`);
  }
  return found.values;
}

function affine(gamma: Float32Array, beta: Float32Array, mean: Float32Array, variance: Float32Array): Affine {
  const scale = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i]! + epsilon));
  return { scale, shift: scale.map((factor, i) => beta[i]! - mean[i]! * factor) };
}
