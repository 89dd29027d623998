/**
 * A linear stand-in for a model around one song (LIME: M. Ribeiro, S. Singh and C. Guestrin, "Why should I
 * trust you?", 2016): segments are taken away at random, what the model says is fitted by a weighted ridge
 * regression on which of them are there, and the coefficients say what each is worth.
 */
import { below, type Random, randomStream, uniform } from '../random.ts';
import type { Mask } from './filling.ts';
import { type Grid, segmentCount } from './grid.ts';

/** Stretches that are drawn together: those of a patch of the tagger, where the song is long enough. */
const stretchesABlock = 2;
/** Different patterns a block: so many patches are computed for each, however many masks there are. */
const patternsABlock = 16;
/** Share of a block's segments that a pattern takes away. */
const goneShare = 0.5;
/** Share of blocks that are touched, drawn anew for each mask between these. */
const touchedShare = [0.15, 0.85] as const;
/** Width of the proximity kernel over the cosine distance, and the ridge's penalty, as in the authors' code. */
const kernelWidth = 0.25;
const penalty = 1;
/** Every so manieth mask is kept from the fit, to measure it by. */
const checkEvery = 5;

export interface Surrogate {
  /** [segments]: log odds that each adds by being there. */
  readonly effects: Float64Array;
  /** Share of the variance that it explains, weighted, of masks that it was not fitted on; at most 1. */
  readonly rSquared: number;
}

/** Draw masks at random, some near the whole song, some far. */
export function drawMasks(grid: Grid, count: number, seed: number): Mask[] {
  const random = randomStream(seed, 'surrogate');
  const width = grid.stretches.length;
  const blocks = Math.ceil(width / stretchesABlock);
  const patterns = Array.from({ length: blocks }, () =>
    Array.from({ length: patternsABlock }, () => drawPattern(grid.groups.length, random)),
  );
  return Array.from({ length: count }, () => {
    const mask: Mask = new Uint8Array(segmentCount(grid));
    const share = touchedShare[0] + (touchedShare[1] - touchedShare[0]) * uniform(random);
    for (let block = 0; block < blocks; block++) {
      if (uniform(random) >= share) continue;
      const pattern = patterns[block]![below(random, patternsABlock)]!;
      for (const [cell, gone] of pattern.entries()) {
        const stretch = block * stretchesABlock + (cell % stretchesABlock);
        if (stretch < width) mask[Math.floor(cell / stretchesABlock) * width + stretch] = gone;
      }
    }
    return mask;
  });
}

function drawPattern(groups: number, random: Random): (0 | 1)[] {
  return Array.from({ length: groups * stretchesABlock }, () => (uniform(random) < goneShare ? 1 : 0));
}

/**
 * Fit the stand-in.
 * @param logOdds what the model says of each mask.
 */
export function fitSurrogate(masks: readonly Mask[], logOdds: readonly number[]): Surrogate {
  const weights = masks.map(proximity);
  const checked = (index: number) => index % checkEvery === checkEvery - 1;
  const { effects, intercept } = weightedRidge(
    masks,
    logOdds,
    weights.map((weight, index) => (checked(index) ? 0 : weight)),
  );
  let total = 0;
  let mean = 0;
  for (const [index, value] of logOdds.entries()) {
    if (!checked(index)) continue;
    total += weights[index]!;
    mean += weights[index]! * value;
  }
  mean /= total;
  let left = 0;
  let variance = 0;
  for (const [index, mask] of masks.entries()) {
    if (!checked(index)) continue;
    let fitted = intercept;
    for (let i = 0; i < mask.length; i++) if (mask[i] === 0) fitted += effects[i]!;
    left += weights[index]! * (logOdds[index]! - fitted) ** 2;
    variance += weights[index]! * (logOdds[index]! - mean) ** 2;
  }
  return { effects, rSquared: variance > 0 ? 1 - left / variance : 0 };
}

/** How near a mask is to the whole song: the kernel over the cosine distance of what is there. */
function proximity(mask: Mask): number {
  const kept = 1 - mask.reduce((sum, gone) => sum + gone, 0) / mask.length;
  const distance = 1 - Math.sqrt(kept);
  return Math.sqrt(Math.exp(-((distance / kernelWidth) ** 2)));
}

/** Ridge regression of values on which segments are there; the intercept goes free. */
function weightedRidge(
  masks: readonly Mask[],
  values: readonly number[],
  weights: readonly number[],
): { effects: Float64Array; intercept: number } {
  const size = masks[0]!.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const means = new Float64Array(size);
  let valueMean = 0;
  for (const [index, mask] of masks.entries()) {
    const weight = weights[index]! / total;
    valueMean += weight * values[index]!;
    for (let i = 0; i < size; i++) means[i]! += weight * (1 - mask[i]!);
  }
  const normal = Array.from({ length: size }, () => new Float64Array(size));
  const right = new Float64Array(size);
  for (const [index, mask] of masks.entries()) {
    const weight = weights[index]!;
    if (weight === 0) continue;
    const row = means.map((mean, i) => 1 - mask[i]! - mean);
    for (let i = 0; i < size; i++) {
      const scaled = weight * row[i]!;
      right[i]! += scaled * (values[index]! - valueMean);
      for (let j = 0; j <= i; j++) normal[i]![j]! += scaled * row[j]!;
    }
  }
  for (let i = 0; i < size; i++) normal[i]![i]! += penalty;
  const effects = solvePositive(normal, right);
  return { effects, intercept: valueMean - effects.reduce((sum, effect, i) => sum + effect * means[i]!, 0) };
}

/** Solve A x = b for a symmetric positive definite A, given by its lower triangle, which is overwritten. */
function solvePositive(lower: readonly Float64Array[], b: Float64Array): Float64Array {
  const x = Float64Array.from(b);
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = lower[i]![j]!;
      for (let k = 0; k < j; k++) sum -= lower[i]![k]! * lower[j]![k]!;
      lower[i]![j] = i === j ? Math.sqrt(sum) : sum / lower[j]![j]!;
    }
    for (let k = 0; k < i; k++) x[i]! -= lower[i]![k]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < x.length; k++) x[i]! -= lower[k]![i]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  return x;
}
