import { groupedBootstrap, middle95 } from './bootstrap.ts';
import type { Interval, Judged } from './judged.ts';
import { once, rankingOf, weightedAuc } from './ranking.ts';

/** How much better one model ranks the same tracks than another. */
export interface PairedComparison {
  /** ROC-AUC of the second less that of the first: above 0 the second is better. */
  readonly difference: number;
  /** By grouped bootstrap: 0 outside of it is a difference beyond noise. */
  readonly ci95: Interval;
  /** One-sided: how often a resample shows the second no better than the first. */
  readonly pValue: number;
  /** Tracks that both judged. */
  readonly n: number;
  readonly groups: number;
  /** ROC-AUC of each on these tracks. */
  readonly rocAuc: readonly [number, number];
}

/**
 * Compare two models on the same tracks: whole groups are resampled, each resample ranks both, so that
 * what makes tracks hard for both cancels out.
 *
 * @param a the tracks as the first model judged them.
 * @param b the same tracks in the same order as the second did.
 * @returns null when a class is missing or there are fewer than two groups.
 */
export function pairedBootstrap(
  a: readonly Judged[],
  b: readonly Judged[],
  seed: number,
): PairedComparison | null {
  if (
    a.length !== b.length ||
    a.some(({ label, group }, i) => label !== b[i]!.label || group !== b[i]!.group)
  ) {
    throw new Error('a paired comparison needs the same tracks in the same order');
  }
  const first = rankingOf(a);
  const second = rankingOf(b);
  const rocAuc = [weightedAuc(first, once(first)), weightedAuc(second, once(second))] as const;
  if (rocAuc[0] === null || rocAuc[1] === null) return null;
  const draws = groupedBootstrap(first, seed, (counts) => {
    const [before, after] = [weightedAuc(first, counts), weightedAuc(second, counts)];
    return before === null || after === null ? null : after - before;
  });
  if (!draws) return null;
  const noBetter = draws.filter((difference) => difference <= 0).length;
  return {
    difference: rocAuc[1] - rocAuc[0],
    ci95: middle95(draws),
    // The tracks as they are count as one more draw, so that no p-value is 0 (Davison and Hinkley 1997).
    pValue: (noBetter + 1) / (draws.length + 1),
    n: a.length,
    groups: first.groups,
    rocAuc: [rocAuc[0], rocAuc[1]],
  };
}
