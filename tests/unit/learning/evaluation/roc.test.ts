import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  delongInterval,
  type Judged,
  rocAuc,
  rocAucInterval,
  rocAucOf,
  rocCurve,
} from '../../../../shared/learning/evaluation/index.ts';
import { normal, randomStream } from '../../../../shared/learning/random.ts';
import { anyJudged, forty, judged } from './support.ts';

describe('rocAuc', () => {
  it('counts pairs in the right order, ties half', () => {
    expect(rocAuc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect(rocAuc([0.5, 0.5, 0.5], [0, 1, 1])).toBe(0.5);
    expect(rocAuc([0.2, 0.2, 0.9], [0, 1, 1])).toBe(0.75);
    expect(rocAuc([1, 2], [1, 0])).toBe(0);
    expect(rocAuc([1, 2], [1, 1])).toBeNull();
    expect(rocAuc([], [])).toBeNull();
  });

  it('agrees with counting every pair', () => {
    const items = fc.array(
      fc.record({ score: fc.integer({ min: 0, max: 9 }), label: fc.integer({ min: 0, max: 1 }) }),
      { minLength: 2, maxLength: 40 },
    );
    fc.assert(
      fc.property(items, (list) => {
        let wins = 0;
        let pairs = 0;
        for (const a of list.filter(({ label }) => label === 1)) {
          for (const b of list.filter(({ label }) => label === 0)) {
            wins += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
            pairs++;
          }
        }
        const area = rocAuc(
          list.map(({ score }) => score),
          list.map(({ label }) => label),
        );
        if (pairs === 0) expect(area).toBeNull();
        else expect(area).toBeCloseTo(wins / pairs, 12);
      }),
    );
  });
});

describe('rocAucInterval', () => {
  const random = randomStream('interval');
  const items = judged(
    Array.from({ length: 200 }, (_, i): [number, 0 | 1] => [normal(random) + (i % 2), (i % 2) as 0 | 1]),
  );

  it('is about two standard errors to each side (Hanley and McNeil 1982)', () => {
    const area = rocAuc(
      items.map(({ probability }) => probability),
      items.map(({ label }) => label),
    )!;
    const [low, high] = rocAucInterval(items, 1)!;
    const q1 = area / (2 - area);
    const q2 = (2 * area * area) / (1 + area);
    const error = Math.sqrt((area * (1 - area) + 99 * (q1 - area * area) + 99 * (q2 - area * area)) / 1e4);
    expect(low).toBeCloseTo(area - 1.96 * error, 1.5);
    expect(high).toBeCloseTo(area + 1.96 * error, 1.5);
  });

  it('claims no certainty where the classes do not overlap (Newcombe 2006, method 5)', () => {
    const apart = (each: number) =>
      judged(Array.from({ length: 2 * each }, (_, i): [number, 0 | 1] => [i, i < each ? 0 : 1]));
    const [low, high] = rocAucInterval(apart(9), 1)!;
    expect(high).toBe(1);
    // 1 lies exactly 1.96 standard errors above the bound.
    const variance = (low * (1 - low) * (1 + 8 * ((1 - low) / (2 - low) + low / (1 + low)))) / 81;
    expect(1 - low).toBeCloseTo(1.959963984540054 * Math.sqrt(variance), 9);
    expect(low).toBeGreaterThan(0.6);
    expect(rocAucInterval(apart(90), 1)![0]).toBeGreaterThan(0.95);
    const reversed = apart(9).map((item) => ({ ...item, label: item.label ? 0 : 1 }) as Judged);
    expect(rocAucInterval(reversed, 1)).toEqual([0, 1 - low]);
  });

  it('repeats with a seed, and is wider when tracks come in groups', () => {
    expect(rocAucInterval(items, 1)).toEqual(rocAucInterval(items, 1));
    expect(rocAucInterval(items, 1)).not.toEqual(rocAucInterval(items, 2));
    const copied = items
      .slice(0, 40)
      .flatMap((item, group) => Array.from({ length: 10 }, () => ({ ...item, group })));
    const [low, high] = rocAucInterval(copied, 1)!;
    const [lowAlone, highAlone] = rocAucInterval(
      copied.map((item, group) => ({ ...item, group })),
      1,
    )!;
    expect(high - low).toBeGreaterThan(2 * (highAlone - lowAlone));
  });

  it('is null where it cannot be estimated', () => {
    expect(
      rocAucInterval(
        judged([
          [0.1, 0],
          [0.2, 0],
        ]),
        1,
      ),
    ).toBeNull();
    expect(
      rocAucInterval(
        judged([
          [0.1, 0, 1],
          [0.2, 1, 1],
        ]),
        1,
      ),
    ).toBeNull();
    expect(
      rocAucInterval(
        judged([
          [0.1, 0],
          [0.2, 1],
        ]),
        1,
      ),
    ).toEqual([expect.closeTo(0.5, 9), 1]);
  });
});

describe('delongInterval', () => {
  /** The variance by counting every pair (DeLong, DeLong and Clarke-Pearson 1988). */
  function pairwise(items: readonly Judged[]): { area: number; error: number } {
    const scores = (label: number) =>
      items.filter((item) => item.label === label).map(({ probability }) => probability);
    const [popular, unpopular] = [scores(1), scores(0)];
    const wins = (x: number, y: number) => (x > y ? 1 : x === y ? 0.5 : 0);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = (values: number[]) =>
      values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1);
    const above = popular.map((x) => mean(unpopular.map((y) => wins(x, y))));
    const below = unpopular.map((y) => mean(popular.map((x) => wins(x, y))));
    return {
      area: mean(above),
      error: Math.sqrt(spread(above) / popular.length + spread(below) / unpopular.length),
    };
  }
  const logit = (value: number) => Math.log(value / (1 - value));

  it('agrees with counting every pair', () => {
    fc.assert(
      fc.property(anyJudged, (items) => {
        const interval = delongInterval(items);
        const popular = items.filter(({ label }) => label === 1).length;
        if (popular < 2 || items.length - popular < 2) {
          expect(interval).toBeNull();
          return;
        }
        const { area, error } = pairwise(items);
        expect(interval![0]).toBeLessThanOrEqual(area);
        expect(interval![1]).toBeGreaterThanOrEqual(area);
        if (area === 0 || area === 1) return;
        const half = (1.959963984540054 * error) / (area * (1 - area));
        expect(logit(interval![0])).toBeCloseTo(logit(area) - half, 8);
        expect(logit(interval![1])).toBeCloseTo(logit(area) + half, 8);
      }),
    );
  });

  it('is about the bootstrap of independent tracks', () => {
    const random = randomStream('delong');
    const items = judged(Array.from({ length: 400 }, (_, i) => [normal(random) + (i % 2), i % 2]));
    const [low, high] = delongInterval(items)!;
    const [bootLow, bootHigh] = rocAucInterval(items, 1)!;
    expect(low).toBeCloseTo(bootLow, 1.7);
    expect(high).toBeCloseTo(bootHigh, 1.7);
  });

  it('claims no certainty where the classes do not overlap', () => {
    const [low, high] = delongInterval(judged(Array.from({ length: 10 }, (_, i) => [i, i < 5 ? 0 : 1])))!;
    expect(high).toBe(1);
    expect(low).toBeGreaterThan(0.5);
    expect(low).toBeLessThan(0.9);
  });
});

describe('rocCurve', () => {
  const area = (points: readonly (readonly [number, number])[]) =>
    points.slice(1).reduce((sum, [x, y], i) => sum + ((x - points[i]![0]) * (y + points[i]![1])) / 2, 0);

  it('is that of scikit-learn', () => {
    const falsePositive = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 6, 6, 8, 8, 18, 18, 24];
    const truePositive = [0, 7, 7, 9, 9, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16];
    expect(rocCurve(forty)).toEqual(falsePositive.map((x, i) => [x / 24, truePositive[i]! / 16]));
    const coarse = forty.map((item) => ({ ...item, probability: Math.round(item.probability * 5) / 5 }));
    expect(rocCurve(coarse)!.map(([x]) => x * 24)).toEqual(
      [0, 0, 2, 6, 12, 19, 24].map((x) => expect.closeTo(x)),
    );
  });

  it('rises from corner to corner and encloses the ROC-AUC', () => {
    fc.assert(
      fc.property(anyJudged, (items) => {
        const points = rocCurve(items);
        if (points === null) {
          expect(rocAucOf(items)).toBeNull();
          return;
        }
        expect([points[0], points.at(-1)]).toEqual([
          [0, 0],
          [1, 1],
        ]);
        for (const [i, [x, y]] of points.slice(1).entries()) {
          expect(x).toBeGreaterThanOrEqual(points[i]![0]);
          expect(y).toBeGreaterThanOrEqual(points[i]![1]);
        }
        expect(area(points)).toBeCloseTo(rocAucOf(items)!, 10);
      }),
    );
  });

  it('is thinned out to as many points as asked for, ends kept', () => {
    const random = randomStream('curve');
    const items = judged(Array.from({ length: 3000 }, (_, i) => [normal(random) + (i % 2), i % 2]));
    const points = rocCurve(items, 200)!;
    expect(points).toHaveLength(200);
    expect([points[0], points.at(-1)]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(area(points)).toBeCloseTo(rocAucOf(items)!, 2.5);
  });
});
