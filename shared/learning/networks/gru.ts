import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../../tensorflow/index.ts';
import type { WeightSpec } from './network.ts';

/** The weights of one layer; gates lie side by side in the order z (update), r (reset), h (candidate). */
export interface GruWeights {
  /** [features, 3 x units] */
  readonly kernel: Tensor2D;
  /** [units, 3 x units] */
  readonly recurrentKernel: Tensor2D;
  /** [2, 3 x units]: of the input, and of the state */
  readonly bias: Tensor2D;
}

/** List a layer's weights with Keras's shapes and starts, in the order of `GruWeights`. */
export function gruSpecs(name: string, features: number, units: number): WeightSpec[] {
  return [
    { name: `${name}/kernel`, shape: [features, 3 * units], initial: 'glorot' },
    { name: `${name}/recurrent_kernel`, shape: [units, 3 * units], initial: 'orthogonal' },
    { name: `${name}/bias`, shape: [2, 3 * units], initial: 'zeros' },
  ];
}

/**
 * Run a gated recurrent unit in Keras's form (`reset_after=True`, sigmoid gates, two biases):
 * ```
 * z = σ(x Wz + bz + h Uz + cz)      r = σ(x Wr + br + h Ur + cr)
 * g = tanh(x Wh + bh + r (h Uh + ch))      h' = z h + (1 - z) g
 * ```
 * tfjs-layers' own GRU is another cell (hard sigmoid, reset before).
 * Source: keras.io/api/layers/recurrent_layers/gru; Cho et al. 2014, arXiv:1406.1078v3.
 *
 * The input's projection does not depend on the state, so it is one product for all steps.
 *
 * @param x [steps, batch, features]
 * @param masks for each step [batch, 1], 1 where the step is true; where it is 0 the state is held.
 * @returns the state after each step, each [batch, units]; it starts at 0.
 */
export function gru(
  tf: TensorFlow,
  x: Tensor3D,
  { kernel, recurrentKernel, bias }: GruWeights,
  masks: readonly Tensor2D[],
): Tensor2D[] {
  const [steps, batch, features] = x.shape;
  const units = recurrentKernel.shape[0];
  const [inputBias, stateBias] = tf.unstack(bias) as [Tensor2D, Tensor2D];
  const flat = tf.add(tf.matMul(tf.reshape(x, [steps * batch, features]), kernel), inputBias);
  const projected = tf.reshape(flat, [steps, batch, 3 * units]);
  const [gatesOf, candidatesOf] = tf.split(projected, [2 * units, units], 2);
  const inputGates = tf.unstack(gatesOf!) as Tensor2D[];
  const inputCandidates = tf.unstack(candidatesOf!) as Tensor2D[];

  let state = tf.zeros([batch, units]) as Tensor2D;
  const states: Tensor2D[] = [];
  for (let step = 0; step < steps; step++) {
    const recurrent = tf.add(tf.matMul(state, recurrentKernel), stateBias);
    const [stateGates, stateCandidate] = tf.split(recurrent, [2 * units, units], 1);
    const gates = tf.sigmoid(tf.add(inputGates[step]!, stateGates!));
    const [update, reset] = tf.split(gates, 2, 1);
    const candidate = tf.tanh(tf.add(inputCandidates[step]!, tf.mul(reset!, stateCandidate!)));
    const next = tf.add(candidate, tf.mul(update!, tf.sub(state, candidate))) as Tensor2D;
    state = tf.add(state, tf.mul(masks[step]!, tf.sub(next, state)));
    states.push(state);
  }
  return states;
}
