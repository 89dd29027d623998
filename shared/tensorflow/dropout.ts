import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { NATIVE_BACKEND, type NativeBackend, type TensorFlow } from './native.ts';

/**
 * Draw an inverted dropout mask: 0 with probability `rate`, else 1 / (1 - rate). The same seed gives the
 * same mask on the same back end. Nothing is kept between calls, so it can be part of a compiled function.
 *
 * @param seed [2] int32
 */
export function dropoutMask(tf: TensorFlow, seed: Tensor1D, shape: readonly number[], rate: number): Tensor {
  if (tf.getBackend() !== NATIVE_BACKEND) {
    const size = shape.reduce((product, one) => product * one, 1);
    const [low, high] = seed.dataSync<'int32'>();
    return tf.tensor(drawMask(size, rate, low!, high!), [...shape]);
  }
  const backend = tf.backend() as unknown as NativeBackend;
  const { TF_ATTR_TYPE: type, TF_FLOAT, TF_INT32 } = backend.binding;
  const attributes = [
    { name: 'dtype', type, value: TF_FLOAT },
    { name: 'T', type, value: TF_INT32 },
    { name: 'Tseed', type, value: TF_INT32 },
  ];
  const size = tf.tensor1d([...shape], 'int32');
  const uniform = backend.executeSingleOutput('StatelessRandomUniform', attributes, [size, seed]);
  return tf.mul(tf.cast(tf.greaterEqual(uniform, rate), 'float32'), 1 / (1 - rate));
}

/** Each draw of 32 bits serves two cells, which rounds the rate to 1/65536. */
function drawMask(size: number, rate: number, low: number, high: number): Float32Array {
  const random = xoroshiro128plusFromState([low, high, ~low, ~high]);
  const limit = Math.round(rate * 65536);
  const kept = 65536 / (65536 - limit);
  const mask = new Float32Array(size);
  for (let cell = 0; cell < size; cell += 2) {
    const bits = random.next();
    mask[cell] = (bits & 0xffff) < limit ? 0 : kept;
    if (cell + 1 < size) mask[cell + 1] = bits >>> 16 < limit ? 0 : kept;
  }
  return mask;
}
