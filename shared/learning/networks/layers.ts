import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../tensorflow/index.ts';
import { gru, gruSpecs } from './gru.ts';
import type { Network, WeightSpec } from './network.ts';

export interface CrnnShape {
  /** Of each 3 x 3 convolution. */
  readonly filters: readonly number[];
  /** After each convolution: [bands, frames] pooled into one. */
  readonly pools: readonly (readonly [number, number])[];
  readonly recurrentUnits: number;
  /** After each pool. */
  readonly convolutionDropout: number;
  /** After the second recurrent layer. */
  readonly recurrentDropout: number;
}

/**
 * The network of K. Choi et al., "Convolutional recurrent neural networks for music classification"
 * (2017, arXiv:1609.04243), as the project's forerunner had it: convolutions 3 x 3 'same' with ELU, max
 * pools, dropout; two GRUs over time; one logit. With 64/128/128/128 filters and 128 bands it has
 * 391,585 parameters.
 *
 * ELU comes after the pool, where it is cheaper: it rises everywhere, so the result is the same.
 *
 * @param bands of the input; after the pools at least 1 must be left.
 * @param frames of the input; after the pools at least 1 must be left.
 */
export function crnnNetwork(shape: CrnnShape, bands: number, frames: number): Network {
  const { filters, pools, recurrentUnits: units } = shape;
  const left = pools.reduce(
    ([high, wide], [b, f]) => [Math.floor(high / b), Math.floor(wide / f)],
    [bands, frames],
  );
  const [bandsLeft, stepsLeft] = left as [number, number];
  if (bandsLeft < 1 || stepsLeft < 1) {
    throw new Error(`spectrograms of ${bands} bands x ${frames} frames are too small for this network`);
  }
  const framesPerStep = pools.reduce((product, [, pooled]) => product * pooled, 1);
  const weights: WeightSpec[] = [
    ...filters.flatMap((count, layer): WeightSpec[] => [
      { name: `conv${layer + 1}/kernel`, shape: [3, 3, filters[layer - 1] ?? 1, count], initial: 'glorot' },
      { name: `conv${layer + 1}/bias`, shape: [count], initial: 'zeros' },
    ]),
    ...gruSpecs('gru1', filters.at(-1)! * bandsLeft, units),
    ...gruSpecs('gru2', units, units),
    { name: 'dense/kernel', shape: [units, 1], initial: 'glorot' },
    { name: 'dense/bias', shape: [1], initial: 'zeros' },
  ];

  const forward: Network['forward'] = (tf, tensors, x, trueFrames, dropout) => {
    const rest = [...tensors];
    const take = <T extends Tensor>(): T => rest.shift() as T;
    let hidden: Tensor4D = x;
    for (const pool of pools) {
      const convolved = tf.conv2d(hidden, take<Tensor4D>(), 1, 'same');
      const pooled = tf.maxPool(tf.add(convolved, take()) as Tensor4D, [...pool], [...pool], 'valid');
      hidden = tf.elu(pooled);
      if (dropout) hidden = tf.mul(hidden, dropout(hidden.shape, shape.convolutionDropout));
    }
    const [batch, high, steps, channels] = hidden.shape;
    const sequence = tf.reshape(tf.transpose(hidden, [2, 0, 1, 3]), [steps, batch, high * channels]);
    const masks = stepMasks(tf, trueFrames, steps, framesPerStep);
    const layer = () => ({
      kernel: take<Tensor2D>(),
      recurrentKernel: take<Tensor2D>(),
      bias: take<Tensor2D>(),
    });
    const first = tf.stack(gru(tf, sequence as Tensor3D, layer(), masks)) as Tensor3D;
    let last = gru(tf, first, layer(), masks).at(-1)!;
    if (dropout) last = tf.mul(last, dropout(last.shape, shape.recurrentDropout));
    const logits = tf.add(tf.matMul(last, take<Tensor2D>()), take());
    return tf.reshape(logits, [batch]) as Tensor1D;
  };
  return { weights, forward };
}

/** For each step [batch, 1]: 1 unless it lies wholly in padding. Null when no clip is that short. */
function stepMasks(
  tf: TensorFlow,
  trueFrames: readonly number[],
  steps: number,
  framesPerStep: number,
): Tensor2D[] | null {
  if (trueFrames.every((frames) => frames > (steps - 1) * framesPerStep)) return null;
  return Array.from({ length: steps }, (_, step) =>
    tf.tensor2d(
      trueFrames.map((frames) => (step === 0 || frames > step * framesPerStep ? 1 : 0)),
      [trueFrames.length, 1],
    ),
  );
}
