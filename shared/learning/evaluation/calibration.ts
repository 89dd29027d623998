import { type Interval, type Judged, normal95 } from './judged.ts';
import { ascending } from './ranking.ts';

type Probable = Pick<Judged, 'probability' | 'label'>;

/** Probabilities are kept this far from 0 and 1 in the log loss, as scikit-learn does for float64. */
const probabilityMargin = 2 ** -52;

/** Tracks of like probability. */
export interface ReliabilityBin {
  readonly n: number;
  /** What was said: the mean of their probabilities. */
  readonly meanProbability: number;
  /** What is true: the fraction of them that are popular. */
  readonly popular: number;
  /** Of that fraction, by Wilson. */
  readonly ci95: Interval;
}

/** Compute the mean of -ln of the probability given to the true label, in nats. */
export function logLoss(judged: readonly Probable[]): number {
  const sum = judged.reduce((total, { probability, label }) => {
    const given = label ? probability : 1 - probability;
    return total - Math.log(Math.min(1 - probabilityMargin, Math.max(probabilityMargin, given)));
  }, 0);
  return sum / judged.length;
}

/** Compute the mean squared difference of probability and truth (Brier 1950). */
export function brierScore(judged: readonly Probable[]): number {
  return judged.reduce((sum, { probability, label }) => sum + (probability - label) ** 2, 0) / judged.length;
}

/**
 * Compute the reliability curve: bins of equally many tracks by rising probability. Equal probabilities
 * stay in one bin, so that there may be fewer than asked for.
 */
export function reliability(judged: readonly Probable[], bins: number): ReliabilityBin[] {
  return binsOf(judged, bins).map((members) => {
    const popular = members.reduce((sum, { label }) => sum + label, 0);
    return {
      n: members.length,
      meanProbability: members.reduce((sum, { probability }) => sum + probability, 0) / members.length,
      popular: popular / members.length,
      ci95: wilsonInterval(popular, members.length),
    };
  });
}

/** How far probabilities are from the fractions that they promise. */
export interface CalibrationError {
  /** Mean over the tracks of how far their bin's mean probability is from its fraction of popular ones. */
  readonly error: number;
  /** What a perfectly calibrated model has for want of tracks, in expectation. */
  readonly byChance: number;
}

/**
 * Compute the expected calibration error over bins of equally many tracks (Nixon et al. 2019).
 *
 * @returns null when there are no tracks.
 */
export function expectedCalibrationError(judged: readonly Probable[], bins = 10): CalibrationError | null {
  if (judged.length === 0) return null;
  let error = 0;
  let byChance = 0;
  for (const members of binsOf(judged, bins)) {
    const difference = members.reduce((sum, { probability, label }) => sum + probability - label, 0);
    const variance = members.reduce((sum, { probability }) => sum + probability * (1 - probability), 0);
    error += Math.abs(difference);
    // The mean of a normal distribution's absolute value.
    byChance += Math.sqrt((2 / Math.PI) * variance);
  }
  return { error: error / judged.length, byChance: byChance / judged.length };
}

/**
 * Estimate the 95 % interval of a fraction by Wilson's score (Wilson 1927).
 *
 * @param hits 0 to `n`.
 * @param n at least 1.
 */
export function wilsonInterval(hits: number, n: number): Interval {
  const squared = normal95 ** 2;
  const fraction = hits / n;
  const middle = fraction + squared / (2 * n);
  const half = normal95 * Math.sqrt((fraction * (1 - fraction)) / n + squared / (4 * n * n));
  const shrunk = 1 + squared / n;
  // At 0 and 1 the bound is the fraction itself, which rounding may miss.
  return [hits === 0 ? 0 : (middle - half) / shrunk, hits === n ? 1 : (middle + half) / shrunk];
}

function binsOf(judged: readonly Probable[], bins: number): Probable[][] {
  const items = Array.from(ascending(judged.map(({ probability }) => probability)), (item) => judged[item]!);
  const cut: Probable[][] = [];
  let from = 0;
  for (let bin = 1; bin <= bins; bin++) {
    let to = Math.round((bin * items.length) / bins);
    if (to <= from) continue;
    while (to < items.length && items[to]!.probability === items[to - 1]!.probability) to++;
    cut.push(items.slice(from, to));
    from = to;
  }
  return cut;
}
