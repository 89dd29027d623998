/**
 * MusiCNN for inference, without the parts of it that are constant (pruning.ts). The network is of Pons and
 * Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", 2019.
 */
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../tensorflow/index.ts';
import { Completion, joinChannels } from './channels.ts';
import { Front } from './front.ts';
import { Head } from './head.ts';
import { MiddleLayer } from './middle.ts';
import { patchSize, patchValues } from './patches.ts';
import { pruneFront } from './pruning.ts';
import type { ConvolutionLayer, TaggerWeights } from './weights.ts';

/** Patches computed at once: more is no faster on WebAssembly, fewer is slower on the native back end. */
const mostPatches = 5;

export class TaggerNetwork {
  readonly #tf: TensorFlow;
  readonly #front: Front;
  readonly #frontCompletion: Completion;
  readonly #middle: readonly [MiddleLayer, MiddleLayer, MiddleLayer];
  readonly #head: Head;

  /** Its tensors, 4 MB, live as long as the process. */
  constructor(tf: TensorFlow, weights: TaggerWeights) {
    const front = pruneFront(weights);
    const channels = joinChannels(front);
    const [first, second, third] = weights.middle as [ConvolutionLayer, ConvolutionLayer, ConvolutionLayer];
    this.#tf = tf;
    this.#front = new Front(tf, weights.input, front);
    this.#frontCompletion = new Completion(tf, channels);
    this.#middle = [
      new MiddleLayer(tf, first, channels),
      new MiddleLayer(tf, second),
      new MiddleLayer(tf, third),
    ];
    this.#head = new Head(tf, weights);
  }

  /**
   * Run the network.
   * @param patches log-mel, shape [patches][frames][bands], 0 to `mostInput`
   * @returns shape [patches][patchValues]: mean pool, maximum pool, penultimate layer, tags
   * @throws RangeError when that is no whole number of patches
   */
  run(patches: Float32Array): Float32Array {
    const count = patches.length / patchSize;
    if (!Number.isInteger(count)) throw new RangeError(`${patches.length} values are no whole patches`);
    const results = new Float32Array(count * patchValues);
    for (let start = 0; start < count; start += mostPatches) {
      const some = patches.subarray(start * patchSize, (start + mostPatches) * patchSize);
      const rows = this.#tf.tidy(() => this.#rows(some).dataSync<'float32'>());
      results.set(rows, start * patchValues);
    }
    return results;
  }

  #rows(patches: Float32Array): Tensor2D {
    const tf = this.#tf;
    const [first, second, third] = this.#middle;
    const front = this.#front.run(patches);
    const one = first.run(front);
    const two = tf.add<Tensor3D>(second.run(one), one);
    const three = tf.add<Tensor3D>(third.run(two), two);
    const pooled = (pool: (values: Tensor3D) => Tensor2D): Tensor2D =>
      tf.concat([this.#frontCompletion.run(pool(front)), ...[one, two, three].map(pool)], 1);
    const mean = pooled((values) => tf.mean(values, 1));
    const maximum = pooled((values) => tf.max(values, 1));
    const { penultimate, tags } = this.#head.run(mean, maximum);
    return tf.concat([mean, maximum, penultimate, tags], 1);
  }
}
