/** The tagger's five layers in front, each of whose channels looks at the input and keeps its maximum over the bands. */
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../tensorflow/index.ts';
import { type BlockKernel, blockKernel, blockProducts } from './blocks.ts';
import type { PrunedLayer } from './pruning.ts';
import { type Affine, bands, patchFrames } from './weights.ts';

/** Outputs of a block: about as many as the layers have (59 and 30 bands, 187 frames) divided evenly. */
const bandsOfBlock = 15;
const framesOfBlock = 17;
/** Frames that the layers of timbre look at. */
const timbreFrames = 7;

/** What is done to the maximum over the bands: sign, bias, ReLU, batch normalisation, for each live channel. */
interface Finish {
  readonly sign: Tensor1D;
  readonly bias: Tensor1D;
  readonly scale: Tensor1D;
  readonly shift: Tensor1D;
}

interface FrontLayer {
  readonly kernel: BlockKernel;
  readonly finish: Finish;
  readonly taps: number;
}

/** Patches as the layers read them. */
interface FrontInput {
  readonly patches: number;
  /** [patches x frames][bands x 7]: for each frame and band the 7 frames around. */
  readonly around: Float32Array;
  /** [patches x bands][frames and half the longest rhythm on both sides] */
  readonly along: Float32Array;
}

/** The front of the network, without the channels that are constant. */
export class Front {
  readonly #tf: TensorFlow;
  readonly #input: { scale: number; shift: number };
  readonly #timbre: readonly FrontLayer[];
  readonly #rhythm: readonly FrontLayer[];
  readonly #longest: number;

  /** @param input normalisation of the log-mel input */
  constructor(tf: TensorFlow, input: Affine, layers: readonly PrunedLayer[]) {
    this.#tf = tf;
    this.#input = { scale: input.scale[0]!, shift: input.shift[0]! };
    this.#timbre = layers.filter(({ layer }) => layer.columns > 1).map((layer) => timbreLayer(tf, layer));
    this.#rhythm = layers.filter(({ layer }) => layer.columns === 1).map((layer) => rhythmLayer(tf, layer));
    this.#longest = Math.max(...this.#rhythm.map(({ taps }) => taps));
  }

  /**
   * @param patches log-mel, shape [patches][frames][bands]
   * @returns the live channels of all five layers, shape [patches][frames][channels]
   */
  run(patches: Float32Array): Tensor3D {
    const tf = this.#tf;
    const { patches: count, around, along } = this.#arrange(patches);
    const columns = tf.tensor2d(around, [count * patchFrames, bands * timbreFrames]);
    const rows = tf.tensor2d(along, [count * bands, along.length / (count * bands)]);
    const timbre = this.#timbre.map((layer) => this.#timbreOf(layer, columns, count));
    const rhythm = this.#rhythm.map((layer) => this.#rhythmOf(layer, rows, count));
    return tf.concat([...timbre, ...rhythm], 2);
  }

  #timbreOf({ kernel, finish }: FrontLayer, columns: Tensor2D, patches: number): Tensor3D {
    const tf = this.#tf;
    const { outputs, channels } = kernel;
    const highest = blockProducts(tf, columns, kernel)
      .map((block) => tf.max(tf.reshape(block, [patches * patchFrames, outputs, channels]), 1))
      .reduce((a, b) => tf.maximum(a, b));
    return this.#finish(tf.reshape(highest, [patches, patchFrames, channels]), finish);
  }

  #rhythmOf({ kernel, finish, taps }: FrontLayer, rows: Tensor2D, patches: number): Tensor3D {
    const tf = this.#tf;
    const { outputs, channels } = kernel;
    // 'Same' padding puts (taps - 1) / 2 zeros before the first frame, rounded down.
    const offset = before(this.#longest) - before(taps);
    const blocks = blockProducts(tf, rows, kernel, offset).map((block) =>
      tf.max(tf.reshape(block, [patches, bands, outputs * channels]), 1),
    );
    return this.#finish(tf.reshape(tf.concat(blocks, 1), [patches, patchFrames, channels]), finish);
  }

  #finish(highest: Tensor3D, { sign, bias, scale, shift }: Finish): Tensor3D {
    const tf = this.#tf;
    return tf.add(tf.mul(tf.relu(tf.add(tf.mul(highest, sign), bias)), scale), shift);
  }

  #arrange(patches: Float32Array): FrontInput {
    const { scale, shift } = this.#input;
    const count = patches.length / (patchFrames * bands);
    const width = patchFrames + this.#longest - 1;
    const first = before(this.#longest);
    const around = new Float32Array(count * patchFrames * bands * timbreFrames);
    const along = new Float32Array(count * bands * width);
    const half = (timbreFrames - 1) / 2;
    for (let patch = 0, at = 0; patch < count; patch++) {
      for (let frame = 0; frame < patchFrames; frame++) {
        for (let band = 0; band < bands; band++, at++) {
          const value = Math.fround(patches[at]! * scale) + shift;
          along[(patch * bands + band) * width + first + frame] = value;
          for (let tap = 0; tap < timbreFrames; tap++) {
            const reader = frame + half - tap;
            if (reader < 0 || reader >= patchFrames) continue;
            around[((patch * patchFrames + reader) * bands + band) * timbreFrames + tap] = value;
          }
        }
      }
    }
    return { patches: count, around, along };
  }
}

function before(taps: number): number {
  return (taps - 1) >> 1;
}

/** Along the bands: an output reads 7 frames of as many bands as the kernel is high. */
function timbreLayer(tf: TensorFlow, pruned: PrunedLayer): FrontLayer {
  const { layer, live } = pruned;
  const { columns: taps, outputs, kernel, norm } = layer;
  const shape = {
    ...{ taps, step: timbreFrames, channels: live.length },
    ...{ outputs: bands - taps + 1, block: bandsOfBlock },
  };
  const matrix = blockKernel(tf, shape, (value, channel) => {
    const [band, frame] = [Math.floor(value / timbreFrames), value % timbreFrames];
    const output = live[channel]!;
    return signOf(norm, output) * kernel[(frame * taps + band) * outputs + output]!;
  });
  return { kernel: matrix, finish: finishOf(tf, pruned), taps };
}

/** Along time: an output reads as many frames of one band as the kernel is long. */
function rhythmLayer(tf: TensorFlow, pruned: PrunedLayer): FrontLayer {
  const { layer, live } = pruned;
  const { times: taps, outputs, kernel, norm } = layer;
  const shape = { taps, step: 1, channels: live.length, outputs: patchFrames, block: framesOfBlock };
  const matrix = blockKernel(tf, shape, (value, channel) => {
    const output = live[channel]!;
    return signOf(norm, output) * kernel[value * outputs + output]!;
  });
  return { kernel: matrix, finish: finishOf(tf, pruned), taps };
}

/**
 * The network normalises first and takes the maximum then. Normalisation rises or falls throughout, so the
 * maximum can be taken first: where it falls, that of the negative.
 */
function signOf({ scale }: Affine, output: number): number {
  return scale[output]! < 0 ? -1 : 1;
}

function finishOf(tf: TensorFlow, { layer, live }: PrunedLayer): Finish {
  const { bias, norm } = layer;
  const of = (value: (output: number) => number) => tf.tensor1d(live.map(value));
  return {
    sign: of((output) => signOf(norm, output)),
    bias: of((output) => bias[output]!),
    scale: of((output) => norm.scale[output]!),
    shift: of((output) => norm.shift[output]!),
  };
}
