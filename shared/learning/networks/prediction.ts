import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../tensorflow/index.ts';
import type { Network } from './network.ts';
import { type InputMaker, pooledShape } from './network-input.ts';
import type { Spectrogram } from './spectrograms.ts';

/**
 * Judge a batch with a network, dropout off.
 *
 * @param weights in the network's order.
 * @returns for each spectrogram the probability of being popular.
 */
export async function predictBatch(
  tf: TensorFlow,
  network: Network,
  input: InputMaker,
  weights: readonly Tensor[],
  spectrograms: readonly Spectrogram[],
): Promise<number[]> {
  const [bands, frames] = pooledShape(input.shape);
  const values = new Float32Array(spectrograms.length * input.cells);
  const trueFrames = spectrograms.map((spectrogram, row) =>
    input.write(spectrogram, 0, values, row * input.cells),
  );
  const logits = tf.tidy(() => {
    const x: Tensor4D = tf.tensor4d(values, [spectrograms.length, bands, frames, 1]);
    return network.forward(tf, weights, x, trueFrames, null);
  });
  const data = await logits.data();
  logits.dispose();
  return Array.from(data, (logit) => 1 / (1 + Math.exp(-logit)));
}
