import { groupedBootstrap, middle95 } from './bootstrap.ts';
import { countClasses, type Interval, type Judged, normal95 } from './judged.ts';
import { ascending, once, rankingOf, weightedAuc } from './ranking.ts';

/**
 * Estimate the 95 % interval of the ROC-AUC by grouped bootstrap (percentiles).
 *
 * @returns null when a class is missing or there are fewer than two groups.
 */
export function rocAucInterval(judged: readonly Judged[], seed: number): Interval | null {
  const ranking = rankingOf(judged);
  const area = weightedAuc(ranking, once(ranking));
  if (area === null) return null;
  const draws = groupedBootstrap(ranking, seed, (counts) => weightedAuc(ranking, counts));
  if (!draws) return null;
  // Where the classes do not overlap at all no resample ever does, and the bootstrap claims certainty.
  const groupsWith = (label: number) =>
    new Set(judged.filter((item) => item.label === label).map(({ group }) => group)).size;
  return separated(area, groupsWith(1), groupsWith(0)) ?? middle95(draws);
}

/**
 * Estimate the 95 % interval of the ROC-AUC by DeLong's variance, on the logit scale so that it stays
 * within 0 and 1. It takes all tracks to be independent: beside the grouped bootstrap it shows what that
 * is worth. (DeLong, DeLong and Clarke-Pearson 1988; by midranks as in Sun and Xu 2014.)
 *
 * @returns null when a class has fewer than two tracks.
 */
export function delongInterval(judged: readonly Judged[]): Interval | null {
  const { popular, unpopular } = countClasses(judged);
  if (popular < 2 || unpopular < 2) return null;
  const { area, variance } = delong(judged, popular, unpopular);
  const certain = separated(area, popular, unpopular);
  if (certain) return certain;
  const logit = Math.log(area / (1 - area));
  const half = (normal95 * Math.sqrt(variance)) / (area * (1 - area));
  return [1 / (1 + Math.exp(half - logit)), 1 / (1 + Math.exp(-half - logit))];
}

/** The area and its variance from each item's placement among the other class. */
function delong(judged: readonly Judged[], popular: number, unpopular: number) {
  const all = midranks(judged.map(({ probability }) => probability));
  const placements = (label: 0 | 1, others: number) => {
    const items = [...judged.keys()].filter((index) => judged[index]!.label === label);
    const within = midranks(items.map((index) => judged[index]!.probability));
    return items.map((item, place) => (all[item]! - within[place]!) / others);
  };
  const ofPopular = placements(1, unpopular);
  const area = ofPopular.reduce((sum, value) => sum + value, 0) / popular;
  return {
    area,
    variance: variance(ofPopular) / popular + variance(placements(0, popular)) / unpopular,
  };
}

/** Ranks from 1, equal scores sharing their mean rank. */
function midranks(scores: readonly number[]): Float64Array {
  const order = ascending(scores);
  const ranks = new Float64Array(scores.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    for (let place = from; place < to; place++) ranks[order[place]!] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

/** The interval of an area of 0 or 1, which no resampling can give; null for another. */
function separated(area: number, positives: number, negatives: number): Interval | null {
  if (area > 0 && area < 1) return null;
  const bound = separationBound(positives, negatives);
  return area === 1 ? [bound, 1] : [0, 1 - bound];
}

/**
 * The lower 95 % bound of a ROC-AUC that came out as 1: the least area from which 1 is still within 1.96
 * standard errors (Newcombe 2006, Statistics in Medicine 25, method 5, with the standard error of Hanley
 * and McNeil 1982).
 *
 * @param positives independent popular items: groups, at least 1
 * @param negatives the same of unpopular ones
 */
function separationBound(positives: number, negatives: number): number {
  const half = (positives + negatives) / 2;
  const varianceOf = (area: number) =>
    (area * (1 - area) * (1 + (half - 1) * ((1 - area) / (2 - area) + area / (1 + area)))) /
    (positives * negatives);
  let low = 0.5;
  let high = 1;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if ((1 - middle) ** 2 > normal95 ** 2 * varianceOf(middle)) low = middle;
    else high = middle;
  }
  return high;
}
