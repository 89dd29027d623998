/** The tagger's layers in the middle, over time and all channels at once. */
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../tensorflow/index.ts';
import type { KnownChannels } from './channels.ts';
import { type ConvolutionLayer, patchFrames } from './weights.ts';

/** One layer, from the input channels that vary to all output channels. */
export class MiddleLayer {
  readonly #tf: TensorFlow;
  readonly #kernel: Tensor3D;
  readonly #bias: Tensor2D;
  readonly #scale: Tensor1D;
  readonly #shift: Tensor1D;

  /** @param inputs which of its input channels are given, and what the others are; left out: all are given */
  constructor(tf: TensorFlow, layer: ConvolutionLayer, inputs?: KnownChannels) {
    const { times, columns, outputs, kernel, norm } = layer;
    const given = inputs?.live ?? Array.from({ length: columns }, (_, channel) => channel);
    const row = (time: number, channel: number) => {
      const start = (time * columns + channel) * outputs;
      return [...kernel.subarray(start, start + outputs)];
    };
    const rows = Array.from({ length: times }, (_, time) => given.map((channel) => row(time, channel)));
    this.#tf = tf;
    this.#kernel = tf.tensor3d(rows);
    this.#bias = tf.tensor2d(biasOf(layer, inputs?.constant ?? []), [patchFrames, outputs]);
    this.#scale = tf.tensor1d(Float32Array.from(norm.scale));
    this.#shift = tf.tensor1d(Float32Array.from(norm.shift));
  }

  /**
   * @param input shape [patches][frames][given channels]
   * @returns shape [patches][frames][output channels]
   */
  run(input: Tensor3D): Tensor3D {
    const tf = this.#tf;
    const sums = tf.add<Tensor3D>(tf.conv1d(input, this.#kernel, 1, 'same'), this.#bias);
    return tf.add(tf.mul(tf.relu(sums), this.#scale), this.#shift);
  }
}

/**
 * The bias with what the constant inputs add: less where a patch ends, beyond which all inputs are 0.
 * @returns shape [frames][output channels]
 */
function biasOf(
  { times, columns, outputs, kernel, bias }: ConvolutionLayer,
  constant: KnownChannels['constant'],
): Float32Array {
  const values = new Float32Array(patchFrames * outputs);
  for (let output = 0; output < outputs; output++) {
    const added = Array.from({ length: times }, (_, time) =>
      constant.reduce(
        (sum, { channel, value }) => sum + value * kernel[(time * columns + channel) * outputs + output]!,
        0,
      ),
    );
    for (let frame = 0; frame < patchFrames; frame++) {
      const isInside = (time: number) => {
        const read = frame + time - (times - 1) / 2;
        return read >= 0 && read < patchFrames;
      };
      values[frame * outputs + output] = added.reduce(
        (sum, value, time) => (isInside(time) ? sum + value : sum),
        bias[output]!,
      );
    }
  }
  return values;
}
