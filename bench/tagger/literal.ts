/** MusiCNN layer by layer as it was published, nothing left out: what the pruned network is held against. */
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Affine, ConvolutionLayer, DenseLayer, TaggerWeights } from '../../shared/tagger/weights.ts';
import { bands, patchFrames } from '../../shared/tagger/weights.ts';
import type { TensorFlow } from '../../shared/tensorflow/index.ts';

/** Patches at once: the output of the widest layer takes 9 MB a patch. */
const mostPatches = 2;

/**
 * Run the whole network, a hundred times the multiplications of the pruned one.
 * @param patches shape [patches][frames][bands]
 * @returns as TaggerNetwork.run
 */
export function runLiterally(tf: TensorFlow, weights: TaggerWeights, patches: Float32Array): Float32Array {
  const size = patchFrames * bands;
  const rows: Float32Array[] = [];
  for (let start = 0; start < patches.length; start += mostPatches * size) {
    const some = patches.subarray(start, start + mostPatches * size);
    rows.push(
      tf.tidy(() => {
        const input = tf.tensor4d(some, [some.length / size, patchFrames, bands, 1]);
        return rowsOf(tf, weights, input).dataSync<'float32'>().slice();
      }),
    );
  }
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

function rowsOf(tf: TensorFlow, weights: TaggerWeights, input: Tensor4D): Tensor2D {
  const x = normalise(tf, input, weights.input);
  const front = weights.front.map((layer) => frontOf(tf, layer, x));
  const f = tf.concat(front, 2) as Tensor3D;
  const [first, second, third] = weights.middle as [ConvolutionLayer, ConvolutionLayer, ConvolutionLayer];
  const one = middleOf(tf, first, f);
  const two = tf.add<Tensor3D>(middleOf(tf, second, one), one);
  const three = tf.add<Tensor3D>(middleOf(tf, third, two), two);
  const all = tf.concat([f, one, two, three], 2);
  const [maximum, mean] = [tf.max<Tensor2D>(all, 1), tf.mean<Tensor2D>(all, 1)];
  const pool = tf.reshape(tf.stack([maximum, mean], 2), [input.shape[0], -1]) as Tensor2D;
  const hidden = tf.relu(dense(tf, normalise(tf, pool, weights.pool), weights.penultimate));
  const penultimate = normalise(tf, hidden, weights.penultimate.norm);
  return tf.concat([mean, maximum, penultimate, tf.sigmoid(dense(tf, penultimate, weights.tags))], 1);
}

function frontOf(tf: TensorFlow, layer: ConvolutionLayer, x: Tensor4D): Tensor3D {
  const { times, columns, outputs } = layer;
  const before = (times - 1) >> 1;
  const padded = tf.pad(x, [
    [0, 0],
    [before, times - 1 - before],
    [0, 0],
    [0, 0],
  ]);
  const kernel = tf.tensor4d(layer.kernel, [times, columns, 1, outputs]);
  const sums = tf.add<Tensor4D>(tf.conv2d(padded, kernel, 1, 'valid'), layer.bias);
  return tf.max(normalise(tf, tf.relu(sums), layer.norm), 2);
}

function middleOf(tf: TensorFlow, layer: ConvolutionLayer, x: Tensor3D): Tensor3D {
  const kernel = tf.tensor3d(layer.kernel, [layer.times, layer.columns, layer.outputs]);
  const sums = tf.add<Tensor3D>(tf.conv1d(x, kernel, 1, 'same'), layer.bias);
  return normalise(tf, tf.relu(sums), layer.norm);
}

function dense(tf: TensorFlow, x: Tensor2D, { kernel, inputs, outputs, bias }: DenseLayer): Tensor2D {
  return tf.add(tf.matMul(x, tf.tensor2d(kernel, [inputs, outputs])), bias);
}

function normalise<T extends Tensor>(tf: TensorFlow, x: T, { scale, shift }: Affine): T {
  return tf.add(tf.mul(x, Float32Array.from(scale)), Float32Array.from(shift));
}
