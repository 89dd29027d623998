import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { type CompiledFunction, compileFunction, type TensorFlow } from '../../tensorflow/index.ts';
import type { Spectrogram } from '../spectrograms.ts';
import { type InputMaker, pooledShape } from './input.ts';
import type { Network } from './network.ts';

/** Judges spectrograms with a network, dropout off. */
export class NetworkPrediction {
  readonly #tf: TensorFlow;
  readonly #input: InputMaker;
  readonly #function: CompiledFunction;

  constructor(tf: TensorFlow, network: Network, input: InputMaker) {
    this.#tf = tf;
    this.#input = input;
    this.#function = compileFunction(tf, ([x, frames, ...weights]) => [
      network.forward(tf, weights, x as Tensor4D, frames as Tensor1D, null),
    ]);
  }

  /**
   * Judge a batch.
   * @param weights in the network's order.
   * @returns for each spectrogram the logit of being popular.
   */
  async run(weights: readonly Tensor[], spectrograms: readonly Spectrogram[]): Promise<number[]> {
    const tf = this.#tf;
    const input = this.#input;
    const [bands, frames] = pooledShape(input.shape);
    const size = this.#function.compiles ? nextPowerOfTwo(spectrograms.length) : spectrograms.length;
    const values = new Float32Array(size * input.cells);
    const trueFrames = new Array<number>(size).fill(1);
    for (const [row, spectrogram] of spectrograms.entries()) {
      trueFrames[row] = input.write(spectrogram, 0, values, row * input.cells);
    }
    const x = tf.tensor4d(values, [size, bands, frames, 1]);
    const framesTensor = tf.tensor1d(trueFrames, 'float32');
    const [logits] = this.#function.run([x, framesTensor, ...weights]);
    const data = await logits!.data();
    tf.dispose([x, framesTensor, logits!]);
    return Array.from(data.subarray(0, spectrograms.length));
  }

  dispose(): void {
    this.#function.dispose();
  }
}

/** Few sizes of batches, as each is traced once. */
function nextPowerOfTwo(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}
