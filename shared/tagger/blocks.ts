/**
 * Convolution along one axis as multiplication by a banded matrix. A block of neighbouring outputs reads
 * one run of inputs, so a matrix that holds the kernel once for each output of the block, shifted by one
 * each time, does them all at once. Most of the matrix is kernel where the kernel is long, as the tagger's
 * are; and the back ends multiply matrices several times faster than they convolve one input channel.
 */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../tensorflow/index.ts';

export interface BlockKernel {
  /** Shape [values that a block reads][outputs of a block x channels]. */
  readonly matrix: Tensor2D;
  /** Where each block begins, as an output's number. */
  readonly starts: readonly number[];
  readonly outputs: number;
  readonly channels: number;
  /** Values from one output's first input to the next one's. */
  readonly step: number;
}

export interface BlockShape {
  /** Inputs that an output reads, each of `step` values. */
  taps: number;
  step: number;
  channels: number;
  /** Outputs in all, and in a block. */
  outputs: number;
  block: number;
}

/**
 * Lay out a kernel for {@link blockProducts}. The last block ends with the last output, so that it may
 * repeat some of the block before.
 * @param weight of a value of the run that an output reads (0 to taps x step), for a channel
 */
export function blockKernel(
  tf: TensorFlow,
  { taps, step, channels, outputs, block }: BlockShape,
  weight: (value: number, channel: number) => number,
): BlockKernel {
  const rows = (taps + block - 1) * step;
  const columns = block * channels;
  const matrix = new Float32Array(rows * columns);
  for (let value = 0; value < taps * step; value++) {
    for (let channel = 0; channel < channels; channel++) {
      const one = weight(value, channel);
      for (let output = 0; output < block; output++) {
        matrix[(value + output * step) * columns + output * channels + channel] = one;
      }
    }
  }
  const starts = Array.from({ length: Math.ceil(outputs / block) }, (_, i) =>
    Math.min(i * block, outputs - block),
  );
  return { matrix: tf.tensor2d(matrix, [rows, columns]), starts, outputs: block, channels, step };
}

/**
 * Convolve each row.
 * @param rows shape [rows][values]
 * @param offset the value that the first output begins to read at
 * @returns for each block shape [rows][outputs of a block x channels]
 */
export function blockProducts(
  tf: TensorFlow,
  rows: Tensor2D,
  { matrix, starts, step }: BlockKernel,
  offset = 0,
): Tensor2D[] {
  return starts.map((start) => {
    const run = tf.slice(rows, [0, offset + start * step], [rows.shape[0], matrix.shape[0]]);
    return tf.matMul(run, matrix);
  });
}
