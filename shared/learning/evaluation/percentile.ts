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
