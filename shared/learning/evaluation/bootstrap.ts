import { below, randomStream } from '../random.ts';
import type { Interval } from './judged.ts';
import type { GroupCounts, Ranking } from './ranking.ts';

const resamplesAtMost = 2000;
const resamplesAtLeast = 200;
/** Of very many tracks fewer resamples do: their intervals are narrow, and time has an end. */
const itemsDrawn = 4e7;

/**
 * Draw a statistic up to 2,000 times from resamples of whole groups, for tracks of one artist are not
 * independent (cluster bootstrap; Efron and Tibshirani 1993, chapter 8).
 *
 * @param statistic of a resample, given how often each group is in it; null where it does not exist.
 * @returns the draws ascending; null when there are fewer than two groups, or most resamples lack the statistic.
 */
export function groupedBootstrap(
  { groups, labelAt }: Pick<Ranking, 'groups'> & { readonly labelAt: { readonly length: number } },
  seed: number,
  statistic: (counts: GroupCounts) => number | null,
): number[] | null {
  if (groups < 2) return null;
  const random = randomStream(seed, 'bootstrap');
  const wanted = Math.floor(itemsDrawn / labelAt.length);
  const resamples = Math.min(resamplesAtMost, Math.max(resamplesAtLeast, wanted));
  const counts = new Int32Array(groups);
  const draws: number[] = [];
  // A resample in which the statistic does not exist is drawn again, but not for ever.
  for (let draw = 0; draws.length < resamples && draw < 1.5 * resamples; draw++) {
    counts.fill(0);
    for (let pick = 0; pick < groups; pick++) counts[below(random, groups)]!++;
    const value = statistic(counts);
    if (value !== null) draws.push(value);
  }
  return draws.length < resamples / 2 ? null : draws.sort((a, b) => a - b);
}

/** The middle 95 % of ascending draws. */
export function middle95(draws: readonly number[]): Interval {
  return [quantile(draws, 0.025), quantile(draws, 0.975)];
}

/** Linear interpolation between the sorted values, as numpy's default. */
function quantile(sorted: readonly number[], fraction: number): number {
  const place = fraction * (sorted.length - 1);
  const low = sorted[Math.floor(place)]!;
  return low + (sorted[Math.ceil(place)]! - low) * (place - Math.floor(place));
}
