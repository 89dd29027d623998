import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../tensorflow/index.ts';

export interface AdamSettings {
  readonly learningRate: number;
  /** Decoupled decay of kernels (arrays of two dimensions and more), per unit of learning rate. */
  readonly weightDecay: number;
}

/** Weights with the optimiser's running means of the gradient and of its square. */
export type AdamState = { weights: Tensor[]; first: Tensor[]; second: Tensor[] };

const decayOfFirst = 0.9;
const decayOfSecond = 0.999;
const epsilon = 1e-7;

/**
 * Take one step of Adam with decoupled weight decay (Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and
 * Hutter 2019, arXiv:1711.05101; epsilon as in Keras).
 *
 * @param step 1 for the first.
 * @param scale what the gradients are multiplied by first: clipping.
 * @returns new tensors; the old ones are the caller's to dispose.
 */
export function adamStep(
  tf: TensorFlow,
  { weights, first, second }: AdamState,
  gradients: readonly Tensor[],
  scale: Scalar,
  step: number,
  { learningRate, weightDecay }: AdamSettings,
): AdamState {
  const rate = (learningRate * Math.sqrt(1 - decayOfSecond ** step)) / (1 - decayOfFirst ** step);
  const scaled = gradients.map((gradient) => tf.mul(gradient, scale));
  const newFirst = first.map((mean, i) =>
    tf.add(tf.mul(mean, decayOfFirst), tf.mul(scaled[i]!, 1 - decayOfFirst)),
  );
  const newSecond = second.map((mean, i) =>
    tf.add(tf.mul(mean, decayOfSecond), tf.mul(tf.square(scaled[i]!), 1 - decayOfSecond)),
  );
  const newWeights = weights.map((weight, i) => {
    const move = tf.div(newFirst[i]!, tf.add(tf.sqrt(newSecond[i]!), epsilon));
    const kept = weightDecay > 0 && weight.rank > 1 ? tf.mul(weight, 1 - learningRate * weightDecay) : weight;
    return tf.sub(kept, tf.mul(move, rate));
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
