/** Ranks with ties: from the best that a song may have to the worst. */

export interface RankRange {
  /** One more than the songs that stand above it. */
  readonly from: number;
  /** All songs but those that stand below it. */
  readonly to: number;
}

/**
 * Rank songs as far as that is sure.
 * @param sureFrom the least difference of two scores that puts one song above another; null: none does
 * @returns in the order of the probabilities
 */
export function rankRanges(probabilities: readonly number[], sureFrom: number | null): RankRange[] {
  const sorted = [...probabilities].sort((a, b) => b - a);
  const n = sorted.length;
  if (sureFrom === null) return probabilities.map(() => ({ from: 1, to: n }));
  return probabilities.map((own) => ({
    // Equal scores never stand above each other, however fine the order is.
    from: 1 + firstIndex(sorted, (other) => other <= own || other - own < sureFrom),
    to: firstIndex(sorted, (other) => other < own && own - other >= sureFrom),
  }));
}

/** The first place where a condition holds that holds from some place on. */
function firstIndex(sorted: readonly number[], holds: (value: number) => boolean): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(sorted[middle]!)) to = middle;
    else from = middle + 1;
  }
  return from;
}
