import type { Tensor1D } from '@tensorflow/tfjs-core';
import { dropoutMask, type TensorFlow } from '../../tensorflow/index.ts';
import type { DropoutMask } from './network.ts';

/** What the seed's second word moves by from mask to mask. */
const stride = 0x9e3779b1 | 0;

/**
 * Draw one dropout mask after another: the same seed gives the same masks.
 *
 * @param seed [2] int32
 */
export function dropoutMasks(tf: TensorFlow, seed: Tensor1D): DropoutMask {
  let drawn = 0;
  return (shape, rate) => {
    const own = tf.add(seed, tf.tensor1d([0, Math.imul(drawn++, stride)], 'int32')) as Tensor1D;
    return dropoutMask(tf, own, shape, rate);
  };
}
