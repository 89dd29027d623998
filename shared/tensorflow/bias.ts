import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { NATIVE_BACKEND, type NativeBackend, type TensorFlow } from './native.ts';

/**
 * Add a bias to the last axis. On native TensorFlow by the operation that is made for it: its graph optimiser
 * joins that to the convolution before it, and its gradient is twice as fast as a sum.
 *
 * @param x [..., channels]
 * @param bias [channels]
 */
export function addBias<T extends Tensor>(tf: TensorFlow, x: T, bias: Tensor1D): T {
  if (tf.getBackend() !== NATIVE_BACKEND) return tf.add(x, bias);
  const backend = tf.backend() as unknown as NativeBackend;
  const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  const attributes = [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }];
  const add = tf.customGrad((...inputs: unknown[]) => {
    const [values, offsets] = inputs as [Tensor, Tensor];
    return {
      value: backend.executeSingleOutput('BiasAdd', attributes, [values, offsets]),
      gradFunc: (dy: Tensor) => [dy, backend.executeSingleOutput('BiasAddGrad', attributes, [dy])],
    };
  });
  return add(x, bias) as T;
}
