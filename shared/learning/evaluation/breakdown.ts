import type { Interval, Judged } from './judged.ts';
import { rocAucOf } from './ranking.ts';
import { rocAucInterval } from './roc-interval.ts';

/** How well the tracks of one kind, such as a year or a source, are ranked among each other. */
export interface BreakdownRow {
  readonly key: string;
  readonly n: number;
  /** How many of them are popular. */
  readonly popular: number;
  readonly rocAuc: number | null;
  readonly rocAucCi95: Interval | null;
  /** Why a figure is null, when one is. */
  readonly reason: string | null;
}

/**
 * Evaluate each kind of track by itself.
 *
 * @param keyOf the kind of a track; null leaves it out.
 * @returns the kinds with the most tracks first, equal ones by name.
 */
export function breakdown<T extends Judged>(
  judged: readonly T[],
  keyOf: (item: T) => string | null,
  seed: number,
): BreakdownRow[] {
  const members = new Map<string, T[]>();
  for (const item of judged) {
    const key = keyOf(item);
    if (key === null) continue;
    const others = members.get(key);
    if (others) others.push(item);
    else members.set(key, [item]);
  }
  return [...members]
    .map(([key, items]) => ({ key, ...describe(items, seed) }))
    .sort((a, b) => b.n - a.n || (a.key < b.key ? -1 : 1));
}

function describe(judged: readonly Judged[], seed: number): Omit<BreakdownRow, 'key'> {
  const rocAuc = rocAucOf(judged);
  const rocAucCi95 = rocAucInterval(judged, seed);
  return {
    n: judged.length,
    popular: judged.reduce((sum, { label }) => sum + label, 0),
    ...{ rocAuc, rocAucCi95 },
    reason: reasonFor(judged, rocAuc, rocAucCi95),
  };
}

/** Why there is no ROC-AUC, or no interval of it; null when there are both. */
export function reasonFor(
  judged: readonly Judged[],
  rocAuc: number | null,
  interval: Interval | null,
): string | null {
  if (judged.length === 0) return 'there are no tracks on this side';
  if (rocAuc === null) {
    const what = judged[0]!.label ? 'popular' : 'unpopular';
    const who = judged.length === 1 ? 'the only track is' : `all ${judged.length} tracks are`;
    return `${who} ${what}: there is nothing to rank apart`;
  }
  return interval === null ? 'too few groups for an interval' : null;
}
