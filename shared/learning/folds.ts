import { UserError } from '../errors.ts';
import { randomStream, shuffle } from './random.ts';

/** What folds are balanced by, and what they keep together. */
export interface FoldItem {
  readonly group: number;
  readonly label: 0 | 1;
}

/**
 * Deal whole groups into folds of even size and even share of popular tracks: the groups of the most
 * uneven labels first, each to the fold that stays most even (as scikit-learn's StratifiedGroupKFold).
 *
 * @param folds 2 or more.
 * @returns for each item its fold, 0 to folds - 1; each fold has at least one group.
 * @throws UserError when there are fewer groups than folds.
 */
export function assignFolds(items: readonly FoldItem[], folds: number, seed: number): number[] {
  const counts = new Map<number, [number, number]>();
  const totals: [number, number] = [0, 0];
  for (const { group, label } of items) {
    const count = counts.get(group) ?? [0, 0];
    counts.set(group, count);
    count[label]++;
    totals[label]++;
  }
  if (!Number.isInteger(folds) || folds < 2 || counts.size < folds) {
    throw new UserError(
      `cross-validation in ${folds} folds is not possible with ${counts.size} groups of one artist or recording each: choose from 2 to ${counts.size} folds`,
    );
  }
  const random = randomStream(seed, 'folds', folds);
  const order = shuffle(
    [...counts].sort(([a], [b]) => a - b),
    random,
  ).sort(([, a], [, b]) => Math.abs(b[0] - b[1]) - Math.abs(a[0] - a[1]) || b[0] + b[1] - a[0] - a[1]);

  // Shares of each label that each fold has so far. The spread over the folds of both shares is to be
  // small; adding s to fold f changes the sum of squares by 2 s share[f] + s², and only the first
  // depends on f.
  const shares = Array.from({ length: folds }, (): [number, number] => [0, 0]);
  const groupsIn = new Array<number>(folds).fill(0);
  const foldOf = new Map<number, number>();
  for (const [place, [group, count]] of order.entries()) {
    const share = count.map((value, label) => value / Math.max(1, totals[label]!));
    const empty = groupsIn.filter((value) => value === 0).length;
    let chosen = -1;
    let lowest = Infinity;
    for (let fold = 0; fold < folds; fold++) {
      if (groupsIn[fold]! > 0 && order.length - place <= empty) continue;
      const [unpopular, popular] = shares[fold]!;
      const cost = share[0]! * unpopular + share[1]! * popular;
      const size = unpopular + popular;
      const tie = cost === lowest && size < shares[chosen]![0] + shares[chosen]![1];
      if (cost < lowest || tie) {
        chosen = fold;
        lowest = cost;
      }
    }
    foldOf.set(group, chosen);
    groupsIn[chosen]!++;
    shares[chosen]![0] += share[0]!;
    shares[chosen]![1] += share[1]!;
  }
  return items.map(({ group }) => foldOf.get(group)!);
}
