import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../../tensorflow/index.ts';
import { normal, type Random, uniform } from '../random.ts';
import { sizeOf } from '../weights.ts';

/** One array of a network's weights: its shape and how it starts. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: 'glorot' | 'orthogonal' | 'zeros';
}

/** Draw masks for dropout: 0 with probability `rate`, else 1 / (1 - rate); a new one each call. */
export type DropoutMask = (shape: readonly number[], rate: number) => Tensor;

/** A network as data and one function; trained by `trainNetwork`. */
export interface Network {
  readonly weights: readonly WeightSpec[];
  /**
   * Compute logits.
   *
   * @param weights in the order of `this.weights`.
   * @param x [batch, bands, frames, 1], normalised, 0 in padding.
   * @param frames [batch] float32: of each clip those that are true, 1 to x's frames.
   * @param dropout null when predicting.
   * @returns [batch] logits of being popular.
   */
  forward(
    tf: TensorFlow,
    weights: readonly Tensor[],
    x: Tensor4D,
    frames: Tensor1D,
    dropout: DropoutMask | null,
  ): Tensor1D;
}

/** Draw a weight's start as Keras does: Glorot's uniform, orthogonal rows, or zeros. */
export function initialValues({ shape, initial }: WeightSpec, random: Random): Float32Array {
  const size = sizeOf(shape);
  if (initial === 'zeros') return new Float32Array(size);
  const outputs = shape.at(-1)!;
  if (initial === 'orthogonal') return orthogonalRows(shape[0]!, outputs, random);
  const inputs = shape.at(-2)!;
  const receptiveField = size / (inputs * outputs);
  const limit = Math.sqrt(6 / (receptiveField * (inputs + outputs)));
  return Float32Array.from({ length: size }, () => (2 * uniform(random) - 1) * limit);
}

/** Rows of unit length at right angles to each other (modified Gram-Schmidt); needs rows <= columns. */
function orthogonalRows(rows: number, columns: number, random: Random): Float32Array {
  const basis: Float64Array[] = [];
  for (let row = 0; row < rows; row++) {
    const vector = Float64Array.from({ length: columns }, () => normal(random));
    for (const earlier of basis) {
      const overlap = vector.reduce((sum, value, i) => sum + value * earlier[i]!, 0);
      for (let i = 0; i < columns; i++) vector[i]! -= overlap * earlier[i]!;
    }
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    basis.push(vector.map((value) => value / length));
  }
  return Float32Array.from(basis.flatMap((vector) => [...vector]));
}
