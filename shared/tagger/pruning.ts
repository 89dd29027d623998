/**
 * Finds out which channels of the tagger's front can vary at all. Most of its filters died in training or
 * answer every sound alike: over all inputs in range their output moves by no more than rounding does. What
 * is constant is not computed but folded into what follows, which leaves a tenth of the multiplications.
 *
 * How: interval arithmetic. An input between two bounds leads to an output between two bounds (Moore,
 * Interval Analysis, 1966).
 */
import type { ConvolutionLayer, TaggerWeights } from './weights.ts';

/** The most that the log-mel input can be; the least is 0. A full-scale sine reaches 6.6. */
export const mostInput = 8;

/** A ReLU whose output moves by no more than this is constant. All but one of those that live move by over 0.1. */
const tolerance = 1e-5;

/** Which output channels of a layer have to be computed. */
export interface PrunedLayer {
  readonly layer: ConvolutionLayer;
  /** Numbers of the channels that vary, rising. */
  readonly live: readonly number[];
  /** What the others are, everywhere in a patch, after batch normalisation. */
  readonly constant: readonly { readonly channel: number; readonly value: number }[];
}

/** Decide which channels of the front are computed, for any log-mel input from 0 to `mostInput`. */
export function pruneFront({ input, front }: TaggerWeights): PrunedLayer[] {
  const ends = [0, mostInput].map((end) => end * input.scale[0]! + input.shift[0]!);
  // Beyond a patch's ends the layers read zeros.
  return front.map((layer) => prune(layer, Math.min(...ends, 0), Math.max(...ends, 0)));
}

/** @param least, most that the layer reads */
function prune(layer: ConvolutionLayer, least: number, most: number): PrunedLayer {
  const { times, columns, outputs, kernel, bias, norm } = layer;
  const live: number[] = [];
  const constant: { channel: number; value: number }[] = [];
  for (let channel = 0; channel < outputs; channel++) {
    let [low, high] = [bias[channel]!, bias[channel]!];
    for (let tap = 0; tap < times * columns; tap++) {
      const weight = kernel[tap * outputs + channel]!;
      low += weight * (weight > 0 ? least : most);
      high += weight * (weight > 0 ? most : least);
    }
    const [dark, bright] = [Math.max(low, 0), Math.max(high, 0)];
    if (bright - dark > tolerance) live.push(channel);
    else {
      const value = ((dark + bright) / 2) * norm.scale[channel]! + norm.shift[channel]!;
      constant.push({ channel, value });
    }
  }
  return { layer, live, constant };
}
