import { UserError } from '../errors.ts';

/** The median of the training tracks' popularity, or a number. */
export type ThresholdRule = 'median' | number;

/** The middle value; of an even count the mean of the middle two. NaN when empty. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Fit the threshold: a track is popular when its popularity is at least this.
 *
 * @param popularities of the tracks to fit on (train alone), 0 to 100.
 * @returns the rule's number; where the median is also the smallest value, so that nothing would be
 *   below it, the next larger value.
 * @throws UserError when the tracks fall into one class whatever is done.
 */
export function thresholdOf(popularities: readonly number[], rule: ThresholdRule): number {
  const smallest = popularities.reduce((a, b) => Math.min(a, b), Infinity);
  const largest = popularities.reduce((a, b) => Math.max(a, b), -Infinity);
  if (popularities.length === 0 || smallest === largest) {
    throw new UserError(
      popularities.length === 0
        ? 'there are no tracks to fit the popularity threshold on'
        : `all ${popularities.length} training tracks have the same popularity (${smallest}): nothing tells popular from unpopular; add tracks of other popularity`,
    );
  }
  if (rule !== 'median') {
    if (rule > smallest && rule <= largest) return rule;
    throw new UserError(
      `with a popularity threshold of ${rule} all training tracks are ${rule <= smallest ? 'popular' : 'unpopular'}: choose one above ${smallest} and at most ${largest}, or median`,
    );
  }
  const middle = median(popularities);
  if (middle > smallest) return middle;
  return popularities.reduce((next, value) => (value > middle && value < next ? value : next), Infinity);
}
