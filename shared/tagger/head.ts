/** The tagger's layers after the pool. */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../tensorflow/index.ts';
import { pooledValues } from './embedding.ts';
import type { TaggerWeights } from './weights.ts';

export class Head {
  readonly #tf: TensorFlow;
  /** [mean 0, mean 1, ..., maximum 0, maximum 1, ...][penultimate], the pool's normalisation multiplied in. */
  readonly #kernel: Tensor2D;
  readonly #bias: Tensor1D;
  readonly #scale: Tensor1D;
  readonly #shift: Tensor1D;
  readonly #tagKernel: Tensor2D;
  readonly #tagBias: Tensor1D;

  constructor(tf: TensorFlow, { pool, penultimate, tags }: TaggerWeights) {
    const { inputs, outputs, kernel } = penultimate;
    const scaled = new Float32Array(inputs * outputs);
    const bias = Float64Array.from(penultimate.bias);
    for (let row = 0; row < inputs; row++) {
      // The network flattens its pool as [maximum 0, mean 0, maximum 1, ...].
      const from = row < pooledValues ? 2 * row + 1 : 2 * (row - pooledValues);
      for (let output = 0; output < outputs; output++) {
        const weight = kernel[from * outputs + output]!;
        scaled[row * outputs + output] = weight * pool.scale[from]!;
        bias[output]! += weight * pool.shift[from]!;
      }
    }
    this.#tf = tf;
    this.#kernel = tf.tensor2d(scaled, [inputs, outputs]);
    this.#bias = tf.tensor1d(Float32Array.from(bias));
    this.#scale = tf.tensor1d(Float32Array.from(penultimate.norm.scale));
    this.#shift = tf.tensor1d(Float32Array.from(penultimate.norm.shift));
    this.#tagKernel = tf.tensor2d(tags.kernel, [tags.inputs, tags.outputs]);
    this.#tagBias = tf.tensor1d(tags.bias);
  }

  /**
   * @param mean, maximum shape [patches][pooled values]
   * @returns shape [patches][penultimate values], and [patches][tags], 0 to 1
   */
  run(mean: Tensor2D, maximum: Tensor2D): { penultimate: Tensor2D; tags: Tensor2D } {
    const tf = this.#tf;
    const hidden = tf.relu(
      tf.add<Tensor2D>(tf.matMul(tf.concat([mean, maximum], 1), this.#kernel), this.#bias),
    );
    const penultimate = tf.add<Tensor2D>(tf.mul(hidden, this.#scale), this.#shift);
    const tags = tf.sigmoid(tf.add<Tensor2D>(tf.matMul(penultimate, this.#tagKernel), this.#tagBias));
    return { penultimate, tags };
  }
}
