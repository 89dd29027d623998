import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../../tensorflow/index.ts';

/** Weights with the optimiser's running means of the gradient and of its square. */
export type AdamState = { weights: Tensor[]; first: Tensor[]; second: Tensor[] };

const decayOfFirst = 0.9;
const decayOfSecond = 0.999;
const epsilon = 1e-7;

/** What of a step depends on its number and learning rate. */
export interface AdamRates {
  /** The learning rate, corrected for means that start at 0. */
  readonly rate: number;
  /** What kernels (arrays of two dimensions and more) are multiplied by: decoupled weight decay. */
  readonly kept: number;
}

/**
 * @param step 1 for the first.
 * @param weightDecay per unit of learning rate.
 */
export function adamRates(step: number, learningRate: number, weightDecay: number): AdamRates {
  const correction = Math.sqrt(1 - decayOfSecond ** step) / (1 - decayOfFirst ** step);
  return { rate: learningRate * correction, kept: 1 - learningRate * weightDecay };
}

/**
 * Take one step of Adam with decoupled weight decay (Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and
 * Hutter 2019, arXiv:1711.05101; epsilon as in Keras).
 *
 * @param scale what the gradients are multiplied by first: clipping.
 * @returns new tensors; the old ones are the caller's to dispose.
 */
export function adamStep(
  tf: TensorFlow,
  { weights, first, second }: AdamState,
  gradients: readonly Tensor[],
  scale: Scalar,
  { rate, kept }: { rate: Scalar; kept: Scalar },
): AdamState {
  const scaled = gradients.map((gradient) => tf.mul(gradient, scale));
  const newFirst = first.map((mean, i) =>
    tf.add(tf.mul(mean, decayOfFirst), tf.mul(scaled[i]!, 1 - decayOfFirst)),
  );
  const newSecond = second.map((mean, i) =>
    tf.add(tf.mul(mean, decayOfSecond), tf.mul(tf.square(scaled[i]!), 1 - decayOfSecond)),
  );
  const newWeights = weights.map((weight, i) => {
    const move = tf.div(newFirst[i]!, tf.add(tf.sqrt(newSecond[i]!), epsilon));
    return tf.sub(weight.rank > 1 ? tf.mul(weight, kept) : weight, tf.mul(move, rate));
  });
  return { weights: newWeights, first: newFirst, second: newSecond };
}

/**
 * Find the factor that brings the gradients' joint length down to `limit` where it is above it
 * (Pascanu et al. 2013): recurrent networks need it against sudden jumps.
 */
export function clipScale(
  tf: TensorFlow,
  gradients: readonly Tensor[],
  limit: number,
): { norm: Scalar; scale: Scalar } {
  const norm = tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient))))) as Scalar;
  const scale = tf.minimum(1, tf.div(limit, tf.add(norm, epsilon))) as Scalar;
  return { norm, scale };
}
