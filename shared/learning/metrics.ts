import { below, randomStream } from './random.ts';

/** A probability beside the truth, and the group that it must not be told apart from in resampling. */
export interface Judged {
  readonly probability: number;
  readonly label: 0 | 1;
  readonly group: number;
}

/** How good a set of probabilities is. */
export interface Metrics {
  readonly n: number;
  /** Fraction of right decisions at `decisionThreshold`; null when n is 0. */
  readonly accuracy: number | null;
  /** Chance that a popular track has the higher score, ties half; null when a class is missing. */
  readonly rocAuc: number | null;
  /** 95 % interval of the ROC-AUC by grouped bootstrap; null where it cannot be estimated. */
  readonly rocAucCi95: [number, number] | null;
  /** Mean of -ln of the probability given to what was true, in nats. */
  readonly logLoss: number | null;
  /** Mean squared difference of probability and truth. */
  readonly brier: number | null;
  /** Popular is decided from this probability on. */
  readonly decisionThreshold: number;
  /** Why a figure is null, when one is. */
  readonly reason: string | null;
}

/** A probability of one half: the threshold of popularity is the median by default, so classes are even. */
export const decisionThreshold = 0.5;
const resamples = 2000;
/** A resample of one class is drawn again, at most this often. */
const redraws = 1000;
/** Probabilities are kept this far from 0 and 1 in the log loss, as scikit-learn does for float64. */
const probabilityMargin = 2 ** -52;

/** Items from the lowest score to the highest. */
interface Ranked {
  readonly order: Int32Array;
  /** For each place in `order`, whether the score equals the one before. */
  readonly tied: Uint8Array;
}

function rank(scores: ArrayLike<number>): Ranked {
  const order = Int32Array.from({ length: scores.length }, (_, index) => index).sort(
    (a, b) => scores[a]! - scores[b]! || a - b,
  );
  const tied = Uint8Array.from(order, (item, place) =>
    place > 0 && scores[item] === scores[order[place - 1]!] ? 1 : 0,
  );
  return { order, tied };
}

/** The area with each item counted `weight` times, in one pass over the ranking. */
function weightedAuc(
  { order, tied }: Ranked,
  labels: ArrayLike<number>,
  weight: ArrayLike<number>,
): number | null {
  let negatives = 0;
  let positives = 0;
  let wins = 0;
  let tiedNegatives = 0;
  let tiedPositives = 0;
  for (let place = 0; place <= order.length; place++) {
    if (place === order.length || !tied[place]) {
      wins += tiedPositives * (negatives + tiedNegatives / 2);
      negatives += tiedNegatives;
      positives += tiedPositives;
      tiedNegatives = 0;
      tiedPositives = 0;
    }
    if (place === order.length) break;
    const item = order[place]!;
    if (labels[item]) tiedPositives += weight[item]!;
    else tiedNegatives += weight[item]!;
  }
  return negatives > 0 && positives > 0 ? wins / (negatives * positives) : null;
}

/**
 * Compute the area under the ROC curve by ranks (Mann-Whitney), ties counting half.
 *
 * @returns 0 to 1, or null when a class is missing.
 */
export function rocAuc(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  return weightedAuc(rank(scores), labels, new Float64Array(scores.length).fill(1));
}

/**
 * Estimate the 95 % interval of the ROC-AUC: percentiles 2.5 and 97.5 over 2,000 resamples of whole
 * groups, for tracks of one artist are not independent (Efron and Tibshirani 1993).
 *
 * @returns null when a class is missing or there are fewer than two groups.
 */
export function rocAucInterval(judged: readonly Judged[], seed: number): [number, number] | null {
  const scores = judged.map((item) => item.probability);
  const labels = Uint8Array.from(judged, (item) => item.label);
  const members = new Map<number, number[]>();
  for (const [index, { group }] of judged.entries()) {
    const others = members.get(group);
    if (others) others.push(index);
    else members.set(group, [index]);
  }
  const groups = [...members.values()];
  const ranked = rank(scores);
  if (groups.length < 2 || rocAuc(scores, labels) === null) return null;
  const random = randomStream(seed, 'bootstrap');
  const areas: number[] = [];
  const weight = new Float64Array(judged.length);
  for (let draw = 0; areas.length < resamples && draw < resamples + redraws; draw++) {
    weight.fill(0);
    for (let pick = 0; pick < groups.length; pick++) {
      for (const index of groups[below(random, groups.length)]!) weight[index]!++;
    }
    const area = weightedAuc(ranked, labels, weight);
    if (area !== null) areas.push(area);
  }
  if (areas.length < resamples / 2) return null;
  areas.sort((a, b) => a - b);
  const interval: [number, number] = [quantile(areas, 0.025), quantile(areas, 0.975)];
  const area = rocAuc(scores, labels)!;
  if (area > 0 && area < 1) return interval;
  // Where the classes do not overlap at all no resample ever does, and the bootstrap claims certainty.
  const groupsWith = (label: number) =>
    groups.filter((indices) => indices.some((index) => labels[index] === label)).length;
  const bound = separationBound(groupsWith(1), groupsWith(0));
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
    if ((1 - middle) ** 2 > 1.96 ** 2 * varianceOf(middle)) low = middle;
    else high = middle;
  }
  return high;
}

/** Linear interpolation between the sorted values, as numpy's default. */
function quantile(sorted: readonly number[], fraction: number): number {
  const place = fraction * (sorted.length - 1);
  const low = sorted[Math.floor(place)]!;
  return low + (sorted[Math.ceil(place)]! - low) * (place - Math.floor(place));
}

/** Compute the mean of -ln of the probability given to the true label, in nats. */
export function logLoss(judged: readonly Pick<Judged, 'probability' | 'label'>[]): number {
  const sum = judged.reduce((total, { probability, label }) => {
    const given = label ? probability : 1 - probability;
    return total - Math.log(Math.min(1 - probabilityMargin, Math.max(probabilityMargin, given)));
  }, 0);
  return sum / judged.length;
}

/** Evaluate probabilities against the truth. */
export function evaluate(judged: readonly Judged[], seed: number): Metrics {
  const n = judged.length;
  if (n === 0) {
    const none = { accuracy: null, rocAuc: null, rocAucCi95: null, logLoss: null, brier: null };
    return { n, ...none, decisionThreshold, reason: 'there are no tracks on this side' };
  }
  const right = judged.filter(({ probability, label }) => Number(probability >= decisionThreshold) === label);
  const area = rocAuc(
    judged.map((item) => item.probability),
    judged.map((item) => item.label),
  );
  const interval = rocAucInterval(judged, seed);
  const oneClass = `all ${n} tracks are ${judged[0]!.label ? 'popular' : 'unpopular'}: there is nothing to rank apart`;
  const tooFew = 'too few groups for an interval';
  return {
    n,
    accuracy: right.length / n,
    rocAuc: area,
    rocAucCi95: interval,
    logLoss: logLoss(judged),
    brier: judged.reduce((sum, { probability, label }) => sum + (probability - label) ** 2, 0) / n,
    decisionThreshold,
    reason: area === null ? oneClass : interval === null ? tooFew : null,
  };
}

/**
 * Say where a score stands among others, ties counting half.
 *
 * @param sortedScores ascending.
 * @returns 0 to 100: the percentage of scores below; null when there are none to compare with.
 */
export function percentileOf(score: number, sortedScores: readonly number[]): number | null {
  if (sortedScores.length === 0) return null;
  const firstAtLeast = lowerBound(sortedScores, (value) => value >= score);
  const firstAbove = lowerBound(sortedScores, (value) => value > score);
  return (100 * (firstAtLeast + firstAbove)) / 2 / sortedScores.length;
}

/** The first place where a condition holds that holds from some place on. */
function lowerBound(sorted: readonly number[], holds: (value: number) => boolean): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(sorted[middle]!)) to = middle;
    else from = middle + 1;
  }
  return from;
}
