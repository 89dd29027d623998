import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { addBias, type TensorFlow } from '../../tensorflow/index.ts';
import { gru, gruSpecs } from './gru.ts';
import type { Network, WeightSpec } from './network.ts';

/** One convolution 'same' with bias, then a max pool. */
export interface ConvolutionShape {
  readonly filters: number;
  /** [bands, frames] */
  readonly kernel: readonly [number, number];
  /** [bands, frames] pooled into one; what does not fill a window is dropped. */
  readonly pool: readonly [number, number];
}

/** A network's layers: convolutions, then recurrent layers over time, then dense ones, then one logit. */
export interface NetworkShape {
  readonly convolutions: readonly ConvolutionShape[];
  /** After each convolution. */
  readonly activation: 'elu' | 'relu';
  /** After each pool. */
  readonly convolutionDropout: number;
  /** Units of each gated recurrent layer; the last one's last state goes on. */
  readonly recurrentUnits: readonly number[];
  /** On the input of each recurrent layer, the same for all steps. */
  readonly recurrentDropout: number;
  /** Units of each dense layer with ReLU; where nothing is recurrent they see all cells side by side. */
  readonly denseUnits: readonly number[];
  /** After each dense layer. */
  readonly denseDropout: number;
}

/**
 * Build a network of these layers.
 *
 * @param bands of the input; after the pools at least 1 must be left.
 * @param frames of the input; after the pools at least 1 must be left.
 */
export function buildNetwork(shape: NetworkShape, bands: number, frames: number): Network {
  const pooled = (axis: 0 | 1, size: number): number =>
    shape.convolutions.reduce((left, { pool }) => Math.floor(left / pool[axis]), size);
  const bandsLeft = pooled(0, bands);
  const stepsLeft = pooled(1, frames);
  if (bandsLeft < 1 || stepsLeft < 1) {
    throw new Error(`spectrograms of ${bands} bands x ${frames} frames are too small for this network`);
  }
  const perStep = bandsLeft * (shape.convolutions.at(-1)?.filters ?? 1);
  const recurrent = shape.recurrentUnits.at(-1);
  const weights = [
    ...convolutionSpecs(shape.convolutions),
    ...shape.recurrentUnits.flatMap((units, i) =>
      gruSpecs(`gru${i + 1}`, shape.recurrentUnits[i - 1] ?? perStep, units),
    ),
    ...denseSpecs(shape.denseUnits, recurrent ?? perStep * stepsLeft),
  ];
  const framesPerStep = shape.convolutions.reduce((product, { pool }) => product * pool[1], 1);

  const forward: Network['forward'] = (tf, tensors, x, trueFrames, dropout) => {
    const take = taker(tensors);
    const drop = <T extends Tensor>(hidden: T, rate: number, maskShape: number[] = hidden.shape): T =>
      dropout && rate > 0 ? tf.mul(hidden, dropout(maskShape, rate)) : hidden;
    let cells: Tensor4D = x;
    for (const { pool } of shape.convolutions) {
      const convolved = addBias(tf, tf.conv2d(cells, take<Tensor4D>(), 1, 'same'), take<Tensor1D>());
      // The activation rises everywhere, so it may as well come after the pool, where it is cheaper.
      const activated = tf[shape.activation](tf.maxPool(convolved, [...pool], [...pool], 'valid'));
      cells = drop(activated, shape.convolutionDropout);
    }
    const [batch, high, steps, channels] = cells.shape;
    let flat = tf.reshape(cells, [batch, high * steps * channels]) as Tensor2D;
    if (recurrent !== undefined) {
      let sequence = tf.reshape(tf.transpose(cells, [2, 0, 1, 3]), [steps, batch, high * channels]);
      const masks = stepMasks(tf, trueFrames, steps, framesPerStep);
      for (const _ of shape.recurrentUnits) {
        const dropped = drop(sequence as Tensor3D, shape.recurrentDropout, [1, batch, sequence.shape[2]!]);
        const layer = {
          kernel: take<Tensor2D>(),
          recurrentKernel: take<Tensor2D>(),
          bias: take<Tensor2D>(),
        };
        const states = gru(tf, dropped, layer, masks);
        flat = states.at(-1)!;
        sequence = tf.stack(states);
      }
    }
    for (const _ of shape.denseUnits) {
      flat = drop(tf.relu(dense(tf, flat, take)), shape.denseDropout);
    }
    return tf.reshape(dense(tf, flat, take), [batch]) as Tensor1D;
  };
  return { weights, forward };
}

type Take = <T extends Tensor>() => T;

/** Gives the tensors one after the other. */
function taker(tensors: readonly Tensor[]): Take {
  let next = 0;
  return <T extends Tensor>() => tensors[next++] as T;
}

function dense(tf: TensorFlow, x: Tensor2D, take: Take): Tensor2D {
  return addBias(tf, tf.matMul(x, take<Tensor2D>()) as Tensor2D, take<Tensor1D>());
}

function convolutionSpecs(convolutions: readonly ConvolutionShape[]): WeightSpec[] {
  return convolutions.flatMap(({ filters, kernel }, i): WeightSpec[] => {
    const channels = convolutions[i - 1]?.filters ?? 1;
    return [
      { name: `conv${i + 1}/kernel`, shape: [...kernel, channels, filters], initial: 'glorot' },
      { name: `conv${i + 1}/bias`, shape: [filters], initial: 'zeros' },
    ];
  });
}

/** The dense layers and the output, which is one more of a single unit. */
function denseSpecs(denseUnits: readonly number[], features: number): WeightSpec[] {
  return [...denseUnits, 1].flatMap((units, i): WeightSpec[] => {
    const name = i < denseUnits.length ? `dense${i + 1}` : 'output';
    return [
      { name: `${name}/kernel`, shape: [denseUnits[i - 1] ?? features, units], initial: 'glorot' },
      { name: `${name}/bias`, shape: [units], initial: 'zeros' },
    ];
  });
}

/** For each step [batch, 1]: 1 unless it lies wholly in padding; the first is always 1. */
function stepMasks(tf: TensorFlow, trueFrames: Tensor1D, steps: number, framesPerStep: number): Tensor2D[] {
  const begins = Array.from({ length: steps }, (_, step) => (step === 0 ? -1 : step * framesPerStep));
  const isTrue = tf.greater(tf.reshape(trueFrames, [1, -1, 1]), tf.tensor3d(begins, [steps, 1, 1]));
  return tf.unstack(tf.cast(isTrue, 'float32')) as Tensor2D[];
}
