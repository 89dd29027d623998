import { expect, test } from 'vitest';
import { confusionAt, precisionRecall } from '../../../dashboard/api/models/curves.ts';
import type { ModelsSnapshot } from '../../../dashboard/api/models/schemas.ts';
import { outOfDate } from '../../../dashboard/site/pages/models/out-of-date.ts';

test('a curve of precision and recall goes from its first point to its last, however long it is', () => {
  for (const n of [1, 150, 200, 201, 1_000, 2_999]) {
    const said = Array.from({ length: n }, (_, index) => ({
      probability: 1 - index / n,
      popular: index % 3 === 0,
    }));
    const popular = Math.ceil(n / 3);
    const points = precisionRecall(said)!;
    expect(points.length).toBe(Math.min(n, 200));
    expect(points[0]).toEqual([1 / popular, 1]);
    // All songs are taken: what is right is their usual share.
    expect(points.at(-1)).toEqual([1, popular / n]);
  }
  expect(precisionRecall([{ probability: 0.5, popular: false }])).toBeNull();
});

test('songs of one probability are one point, and are decided alike', () => {
  const said = [0.9, 0.9, 0.9, 0.2].map((probability, index) => ({ probability, popular: index !== 1 }));
  expect(precisionRecall(said)).toEqual([
    [2 / 3, 2 / 3],
    [1, 3 / 4],
  ]);
  expect(confusionAt(said, 0.9)).toEqual({
    truePositive: 2,
    falsePositive: 1,
    falseNegative: 1,
    trueNegative: 0,
  });
  expect(confusionAt([], 0.5)).toBeNull();
});

const at = (epoch: number, state = 'training'): ModelsSnapshot => ({
  ...{ champion: 'model-1', newest: 'model-1' },
  training: [
    {
      id: 'model-3',
      name: 'crnn',
      state,
      progress: { phase: 'train', fold: 1, folds: 5, epoch, epochs: 40 },
    },
    { id: 'model-4', name: 'crnn', state: 'queued', progress: null },
  ],
});

test('an epoch makes only the page of its model out of date, an end or a promotion all lists', () => {
  const stale = (before: ModelsSnapshot | undefined, now: ModelsSnapshot) =>
    [
      ...['/models', '/models/model-3', '/models/model-4', '/models/compare'],
      ...['/training-runs/run-1', '/data-sets', '/promotions', '/tracks'],
    ].filter(outOfDate(before, now));
  const all = stale(undefined, at(1));
  expect(all).toHaveLength(7);
  expect(all).not.toContain('/tracks');
  expect(stale(at(1), at(2))).toEqual(['/models/model-3']);
  expect(stale(at(2), at(2))).toEqual([]);
  expect(stale(at(2), at(2, 'queued'))).toEqual(all);
  expect(stale(at(2), { ...at(2), champion: 'model-2' })).toEqual(all);
  expect(stale(at(2), { ...at(2), training: [], newest: 'model-3' })).toEqual(all);
});
