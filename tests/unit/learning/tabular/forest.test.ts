import { describe, expect, it } from 'vitest';
import { rocAuc } from '../../../../shared/learning/evaluation/index.ts';
import { normal, randomStream } from '../../../../shared/learning/random.ts';
import { forestShare, growForest } from '../../../../shared/learning/tabular/forest.ts';

const options = { trees: 60, leaf: 2, rows: 20_000 };
const turn = async () => {};

/** Popular where exactly one of two features is high: nothing that a line could part. */
function exclusiveOr(count: number, seed: number) {
  const random = randomStream('exclusive or', seed);
  const rows = Array.from({ length: count }, () => Float64Array.from({ length: 6 }, () => normal(random)));
  const labels = rows.map((row): 0 | 1 => (row[0]! > 0 !== row[1]! > 0 ? 1 : 0));
  return { rows, labels };
}

describe('growForest', () => {
  it('finds a rule that no line can part, on rows that it has not seen', async () => {
    const { rows, labels } = exclusiveOr(400, 1);
    const forest = await growForest(rows, labels, options, 1, turn);
    const unseen = exclusiveOr(300, 2);
    const shares = unseen.rows.map((row) => forestShare(forest, row));
    expect(rocAuc(shares, unseen.labels)).toBeGreaterThan(0.85);
    expect(Math.min(...shares)).toBeGreaterThan(0);
    expect(Math.max(...shares)).toBeLessThan(1);
  });

  it('is the same for the same seed, and another for another', async () => {
    const { rows, labels } = exclusiveOr(80, 3);
    const a = await growForest(rows, labels, options, 1, turn);
    expect(await growForest(rows, labels, options, 1, turn)).toEqual(a);
    expect(await growForest(rows, labels, options, 2, turn)).not.toEqual(a);
  });

  it('keeps as many rows in each leaf as it was told', async () => {
    const { rows, labels } = exclusiveOr(120, 4);
    const forest = await growForest(rows, labels, { ...options, trees: 5, leaf: 10 }, 1, turn);
    for (const root of forest.roots) {
      const ended = new Map<number, number>();
      for (const row of rows) {
        let node = root;
        while (forest.feature[node]! >= 0) {
          node = forest.left[node]! + (row[forest.feature[node]!]! > forest.cut[node]! ? 1 : 0);
        }
        ended.set(node, (ended.get(node) ?? 0) + 1);
      }
      expect(Math.min(...ended.values())).toBeGreaterThanOrEqual(10);
    }
  });

  it('ends where all rows are alike', async () => {
    const rows = Array.from({ length: 10 }, () => Float64Array.of(1, 2));
    const forest = await growForest(rows, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1], options, 1, turn);
    expect(forestShare(forest, rows[0]!)).toBeCloseTo(0.5, 12);
  });
});
