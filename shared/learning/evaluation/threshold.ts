import { countClasses, type Judged } from './judged.ts';
import { ascending } from './ranking.ts';

/** A probability of one half: the threshold of popularity is the median by default, so classes are even. */
export const evenThreshold = 0.5;

/**
 * Compute the fraction of right decisions.
 *
 * @param threshold popular is decided from this probability on.
 * @returns null when there are no tracks.
 */
export function accuracyAt(
  judged: readonly Pick<Judged, 'probability' | 'label'>[],
  threshold: number,
): number | null {
  const right = judged.filter(({ probability, label }) => Number(probability >= threshold) === label);
  return judged.length > 0 ? right.length / judged.length : null;
}

/**
 * Fit the probability from which popular is decided: the one of the highest balanced accuracy (mean of the
 * fractions of popular and of unpopular tracks that are decided rightly), halfway between two tracks, of
 * equally good ones the nearest to one half.
 *
 * @param judged out of fold or of the train side; never what the accuracy is then told of.
 * @returns one half when a class is missing.
 */
export function fitDecisionThreshold(judged: readonly Pick<Judged, 'probability' | 'label'>[]): number {
  const { popular, unpopular } = countClasses(judged);
  if (popular === 0 || unpopular === 0) return evenThreshold;
  const items = Array.from(ascending(judged.map(({ probability }) => probability)), (item) => judged[item]!);
  let best = { gain: Number.NEGATIVE_INFINITY, threshold: evenThreshold };
  let gain = 0;
  for (const [place, { probability, label }] of items.entries()) {
    // What is gained over deciding popular for all, when this track and all before it are decided unpopular.
    gain += label ? -unpopular : popular;
    const next = items[place + 1]?.probability;
    if (next === undefined || next === probability) continue;
    const middle = (probability + next) / 2;
    const threshold = middle > probability ? middle : next;
    const nearer = Math.abs(threshold - evenThreshold) < Math.abs(best.threshold - evenThreshold);
    if (gain > best.gain || (gain === best.gain && nearer)) best = { gain, threshold };
  }
  return best.threshold;
}
