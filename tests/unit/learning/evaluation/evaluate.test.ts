import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracyAt,
  breakdown,
  evaluate,
  fitDecisionThreshold,
  type Judged,
  percentileOf,
  rocAucInterval,
  rocAucOf,
} from '../../../../shared/learning/evaluation/index.ts';
import { anyJudged, forty, judged } from './support.ts';

describe('evaluate', () => {
  it('gives accuracy, log loss and Brier score', () => {
    const metrics = evaluate(
      judged([
        [0.9, 1],
        [0.5, 1],
        [0.4, 1],
        [0.2, 0],
      ]),
      1,
    );
    expect(metrics).toMatchObject({ n: 4, accuracy: 0.75, rocAuc: 1, decisionThreshold: 0.5, reason: null });
    expect(metrics.logLoss).toBeCloseTo(
      -(Math.log(0.9) + Math.log(0.5) + Math.log(0.4) + Math.log(0.8)) / 4,
      12,
    );
    expect(metrics.brier).toBeCloseTo((0.01 + 0.25 + 0.36 + 0.04) / 4, 12);
  });

  it('gives what a sieve is chosen by', () => {
    const metrics = evaluate(forty, 1, 0.56);
    expect(metrics.rocAuc).toBeCloseTo(0.8828125, 12);
    expect(metrics.rocAucCi95).toEqual(rocAucInterval(forty, 1));
    expect(metrics).toMatchObject({
      decisionThreshold: 0.56,
      top10: { n: 4, precision: 1, baseRate: 0.4, lift: 2.5 },
      top20: { n: 8, precision: 0.875 },
    });
    expect(metrics.reliability).toHaveLength(10);
    expect(metrics.rocCurve!.length).toBeLessThanOrEqual(200);
    expect(metrics.ece).toBeGreaterThan(0);
  });

  it('says why there is no figure, and is never NaN', () => {
    expect(evaluate([], 1)).toEqual({
      ...{ n: 0, accuracy: null, rocAuc: null, rocAucCi95: null, delongCi95: null, logLoss: null },
      ...{ brier: null, ece: null, eceByChance: null, reliability: [], top10: null, top20: null },
      ...{ rocCurve: null, decisionThreshold: 0.5, reason: 'there are no tracks on this side' },
    });
    const one = judged([
      [0.3, 1],
      [0.6, 1],
    ]);
    expect(evaluate(one, 1)).toMatchObject({
      ...{ accuracy: 0.5, rocAuc: null, rocAucCi95: null, delongCi95: null, rocCurve: null },
      reason: expect.stringContaining('all 2 tracks are popular'),
    });
  });

  it('survives JSON as it is, whatever the tracks', () => {
    fc.assert(
      fc.property(anyJudged, (items) => {
        const metrics = evaluate(items, 1);
        expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
      }),
      { numRuns: 30 },
    );
  });
});

describe('fitDecisionThreshold', () => {
  const balanced = (items: readonly Judged[], threshold: number) =>
    [0, 1]
      .map((label) => items.filter((item) => item.label === label))
      .reduce((sum, ofClass) => sum + accuracyAt(ofClass, threshold)! / 2, 0);

  it('is as good as the best of all thresholds', () => {
    fc.assert(
      fc.property(anyJudged, (items) => {
        const threshold = fitDecisionThreshold(items);
        if (new Set(items.map(({ label }) => label)).size < 2) expect(threshold).toBe(0.5);
        else {
          const between = new Set(items.map(({ probability }) => probability));
          between.delete(Math.min(...between));
          // One probability for all leaves nothing between.
          const best = Math.max(0, ...[...between].map((value) => balanced(items, value)));
          expect(balanced(items, threshold)).toBeGreaterThanOrEqual(best - 1e-12);
        }
      }),
    );
  });

  it('finds what scikit-learn finds, and lies halfway between two tracks', () => {
    expect(balanced(forty, fitDecisionThreshold(forty))).toBeCloseTo(0.8229166666666667, 12);
    const apart = judged([
      [0.1, 0],
      [0.2, 0],
      [0.3, 1],
    ]);
    expect(fitDecisionThreshold(apart)).toBe(0.25);
  });

  it('takes the nearest to one half of equally good ones', () => {
    const alternating = judged([
      [0.1, 0],
      [0.3, 1],
      [0.5, 0],
      [0.7, 1],
    ]);
    expect(fitDecisionThreshold(alternating)).toBeCloseTo(0.6, 12);
  });
});

describe('breakdown', () => {
  it('evaluates each kind by itself, the largest first, and says why it cannot', () => {
    const years = [1990, 1990, 1990, 2000, 2000, null];
    const items = judged([
      [0.1, 0],
      [0.9, 1],
      [0.4, 0],
      [0.3, 1],
      [0.6, 1],
      [0.5, 0],
    ]).map((item, i) => ({ ...item, year: years[i] }));
    expect(breakdown(items, ({ year }) => year?.toString() ?? null, 1)).toEqual([
      { key: '1990', n: 3, popular: 1, rocAuc: 1, rocAucCi95: expect.any(Array), reason: null },
      {
        ...{ key: '2000', n: 2, popular: 2, rocAuc: null, rocAucCi95: null },
        reason: 'all 2 tracks are popular: there is nothing to rank apart',
      },
    ]);
  });

  it('holds each track once', () => {
    fc.assert(
      fc.property(anyJudged, (items) => {
        const rows = breakdown(items, ({ group }) => `group ${group}`, 1);
        expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(items.length);
        for (const { key, rocAuc } of rows) {
          expect(rocAuc).toBe(rocAucOf(items.filter(({ group }) => `group ${group}` === key)));
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('percentileOf', () => {
  it('is the share below, ties half', () => {
    const scores = [0.1, 0.2, 0.2, 0.4];
    expect(percentileOf(0, scores)).toBe(0);
    expect(percentileOf(0.1, scores)).toBe(12.5);
    expect(percentileOf(0.2, scores)).toBe(50);
    expect(percentileOf(0.3, scores)).toBe(75);
    expect(percentileOf(1, scores)).toBe(100);
    expect(percentileOf(1, [])).toBeNull();
  });
});
