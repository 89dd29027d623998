import { groupedBootstrap, middle95 } from './bootstrap.ts';
import { wilsonInterval } from './calibration.ts';
import type { Interval, Judged } from './judged.ts';
import { type GroupCounts, once, type Ranking, rankingOf } from './ranking.ts';

/** How good the pile is that somebody listens to: the tracks of the highest probability. */
export interface TopPrecision {
  /** Of all tracks, e.g. 0.1. */
  readonly fraction: number;
  /** Tracks in the pile: the fraction rounded, at least 1. */
  readonly n: number;
  /** Fraction of the pile that is popular. */
  readonly precision: number;
  /** By grouped bootstrap; null where there are fewer than two groups. */
  readonly ci95: Interval | null;
  /** Fraction of all tracks that are popular: what a pile drawn by lot has. */
  readonly baseRate: number;
  /** Precision by the base rate; null when nothing is popular. */
  readonly lift: number | null;
}

/**
 * Compute the precision in the top fraction. Of tracks with one probability that only in part belong to
 * the pile, each counts in part.
 *
 * @param fraction above 0, at most 1.
 * @returns null when there are no tracks.
 */
export function topPrecision(judged: readonly Judged[], fraction: number, seed: number): TopPrecision | null {
  if (judged.length === 0) return null;
  const ranking = rankingOf(judged);
  const n = pileOf(judged.length, fraction);
  const precision = precisionIn(ranking, once(ranking), fraction);
  const baseRate = judged.reduce((sum, { label }) => sum + label, 0) / judged.length;
  const draws = groupedBootstrap(ranking, seed, (counts) => precisionIn(ranking, counts, fraction));
  return {
    ...{ fraction, n, precision, baseRate },
    ci95: draws && intervalOf(judged, ranking, precision, n, middle95(draws)),
    lift: baseRate > 0 ? precision / baseRate : null,
  };
}

const pileOf = (tracks: number, fraction: number) => Math.max(1, Math.round(tracks * fraction));

function precisionIn({ labelAt, groupAt, tiedAt }: Ranking, counts: GroupCounts, fraction: number): number {
  let tracks = 0;
  for (const group of groupAt) tracks += counts[group]!;
  const pile = pileOf(tracks, fraction);
  let taken = 0;
  let popular = 0;
  let tied = 0;
  let tiedPopular = 0;
  for (let place = labelAt.length - 1; taken < pile && place >= 0; place--) {
    const weight = counts[groupAt[place]!]!;
    tied += weight;
    tiedPopular += weight * labelAt[place]!;
    if (tiedAt[place]) continue;
    const share = tied > pile - taken ? (pile - taken) / tied : 1;
    taken += share * tied;
    popular += share * tiedPopular;
    tied = 0;
    tiedPopular = 0;
  }
  return popular / pile;
}

/** Where all or none of the pile is popular resamples hardly vary: there the groups in it say how sure that is. */
function intervalOf(
  judged: readonly Judged[],
  ranking: Ranking,
  precision: number,
  n: number,
  interval: Interval,
): Interval {
  if (precision > 0 && precision < 1) return interval;
  const groups = new Set(ranking.groupAt.slice(judged.length - n)).size;
  const [low, high] = wilsonInterval(precision * groups, groups);
  return [Math.min(low, interval[0]), Math.max(high, interval[1])];
}
