import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topPrecision } from '../../../../shared/learning/evaluation/index.ts';
import { normal, randomStream } from '../../../../shared/learning/random.ts';
import { anyJudged, judged } from './support.ts';

describe('topPrecision', () => {
  it('is the popular share of the pile, beside that of all', () => {
    const items = judged(Array.from({ length: 20 }, (_, i) => [i / 20, i === 19 || i % 4 === 0 ? 1 : 0]));
    expect(topPrecision(items, 0.1, 1)).toMatchObject({ fraction: 0.1, n: 2, precision: 0.5, baseRate: 0.3 });
    expect(topPrecision(items, 0.2, 1)).toMatchObject({ n: 4, precision: 0.5 });
    expect(topPrecision(items, 0.2, 1)!.lift).toBeCloseTo(0.5 / 0.3, 12);
    expect(topPrecision([], 0.1, 1)).toBeNull();
  });

  it('agrees with the mean over all orders of tied tracks', () => {
    fc.assert(
      fc.property(anyJudged, fc.constantFrom(0.1, 0.2, 0.5, 1), (items, fraction) => {
        const pile = Math.max(1, Math.round(items.length * fraction));
        const falling = [...items].sort((a, b) => b.probability - a.probability);
        const last = falling[pile - 1]!.probability;
        const above = falling.filter(({ probability }) => probability > last);
        const tied = falling.filter(({ probability }) => probability === last);
        const popular = (list: typeof items) => list.reduce((sum, { label }) => sum + label, 0);
        const expected = (popular(above) + ((pile - above.length) * popular(tied)) / tied.length) / pile;
        expect(topPrecision(items, fraction, 1)!.precision).toBeCloseTo(expected, 12);
      }),
      { numRuns: 50 },
    );
  });

  it('has an interval about its precision that narrows with more tracks', () => {
    const random = randomStream('top');
    const items = judged(
      Array.from({ length: 2000 }, (_, i) => [1 / (1 + Math.exp(-normal(random) - (i % 2))), i % 2]),
    );
    const widths = [200, 2000].map((n) => {
      const { precision, ci95 } = topPrecision(items.slice(0, n), 0.2, 1)!;
      expect(ci95![0]).toBeLessThan(precision);
      expect(ci95![1]).toBeGreaterThan(precision);
      return ci95![1] - ci95![0];
    });
    expect(widths[0]! / widths[1]!).toBeGreaterThan(2);
  });

  it('claims no certainty of a pile that is all popular, nor of one group', () => {
    const apart = judged(Array.from({ length: 40 }, (_, i) => [i / 40, i < 20 ? 0 : 1]));
    const { precision, ci95 } = topPrecision(apart, 0.1, 1)!;
    expect(precision).toBe(1);
    expect(ci95![0]).toBeLessThan(0.6);
    const together = apart.map((item) => ({ ...item, group: 1 }));
    expect(topPrecision(together, 0.1, 1)).toMatchObject({ precision: 1, ci95: null });
  });

  it('has no lift where nothing is popular', () => {
    const none = judged([
      [0.1, 0],
      [0.2, 0],
    ]);
    expect(topPrecision(none, 0.5, 1)).toMatchObject({ precision: 0, lift: null });
  });
});
