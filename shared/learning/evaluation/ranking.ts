import type { Judged } from './judged.ts';

/** Judged items from the lowest probability to the highest, as arrays by place for one fast pass. */
export interface Ranking {
  readonly labelAt: Uint8Array;
  /** Group of the item at each place, numbered from 0 in the order in which the items first name them. */
  readonly groupAt: Int32Array;
  /** Whether the item at a place is as probable as the one before. */
  readonly tiedAt: Uint8Array;
  /** Number of groups. */
  readonly groups: number;
}

/** How often each group is counted: all once outside of a resampling. */
export type GroupCounts = ArrayLike<number>;

export function rankingOf(judged: readonly Judged[]): Ranking {
  const numbers = new Map<number, number>();
  const groupOf = Int32Array.from(judged, ({ group }) => {
    const number = numbers.get(group) ?? numbers.size;
    numbers.set(group, number);
    return number;
  });
  const scores = judged.map((item) => item.probability);
  const order = ascending(scores);
  return {
    labelAt: Uint8Array.from(order, (item) => judged[item]!.label),
    groupAt: Int32Array.from(order, (item) => groupOf[item]!),
    tiedAt: Uint8Array.from(order, (item, place) =>
      place > 0 && scores[item] === scores[order[place - 1]!] ? 1 : 0,
    ),
    groups: numbers.size,
  };
}

/** The items' indices from the lowest score to the highest, equal ones in their own order. */
export function ascending(scores: ArrayLike<number>): Int32Array {
  return Int32Array.from({ length: scores.length }, (_, index) => index).sort(
    (a, b) => scores[a]! - scores[b]! || a - b,
  );
}

/** Count every group once. */
export const once = ({ groups }: Ranking): GroupCounts => new Uint8Array(groups).fill(1);

/**
 * Compute the area under the ROC curve with the items of each group counted as often as `counts` says,
 * in one pass over the ranking.
 *
 * @returns 0 to 1, or null when a class is missing.
 */
export function weightedAuc({ labelAt, groupAt, tiedAt }: Ranking, counts: GroupCounts): number | null {
  let negatives = 0;
  let positives = 0;
  let wins = 0;
  let tiedNegatives = 0;
  let tiedPositives = 0;
  for (let place = 0; place <= labelAt.length; place++) {
    if (place === labelAt.length || !tiedAt[place]) {
      wins += tiedPositives * (negatives + tiedNegatives / 2);
      negatives += tiedNegatives;
      positives += tiedPositives;
      tiedNegatives = 0;
      tiedPositives = 0;
    }
    if (place === labelAt.length) break;
    const weight = counts[groupAt[place]!]!;
    if (labelAt[place]) tiedPositives += weight;
    else tiedNegatives += weight;
  }
  return negatives > 0 && positives > 0 ? wins / (negatives * positives) : null;
}

/**
 * Compute the area under the ROC curve by ranks (Mann-Whitney), ties counting half.
 *
 * @returns 0 to 1, or null when a class is missing.
 */
export function rocAuc(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  const judged = Array.from(scores, (probability, index) => ({
    ...{ probability, group: 0 },
    label: labels[index] ? (1 as const) : (0 as const),
  }));
  return rocAucOf(judged);
}

/** The same of judged items. */
export function rocAucOf(judged: readonly Judged[]): number | null {
  const ranking = rankingOf(judged);
  return weightedAuc(ranking, once(ranking));
}
