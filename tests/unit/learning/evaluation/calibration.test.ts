import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  brierScore,
  expectedCalibrationError,
  logLoss,
  reliability,
  wilsonInterval,
} from '../../../../shared/learning/evaluation/index.ts';
import { randomStream, uniform } from '../../../../shared/learning/random.ts';
import { anyJudged, forty, judged } from './support.ts';

describe('log loss and Brier score', () => {
  it('are those of scikit-learn', () => {
    expect(logLoss(forty)).toBeCloseTo(0.4503272768729379, 12);
    expect(brierScore(forty)).toBeCloseTo(0.14765219096167043, 12);
  });

  it('keep certainty that was wrong finite', () => {
    const wrong = judged([
      [0, 1],
      [1, 0],
    ]);
    expect(Number.isFinite(logLoss(wrong))).toBe(true);
    expect(brierScore(wrong)).toBe(1);
  });
});

describe('reliability', () => {
  it('is the calibration curve of scikit-learn (quantile bins)', () => {
    const curve = reliability(forty, 8);
    const popular = [0, 0.2, 0, 0.2, 0.4, 0.6, 0.8, 1];
    const mean = [0.0554455446, 0.1801980198, 0.304950495, 0.4217821782];
    expect(curve.map((bin) => bin.popular)).toEqual(popular.map((value) => expect.closeTo(value, 12)));
    expect(curve.slice(0, 4).map((bin) => bin.meanProbability)).toEqual(
      mean.map((value) => expect.closeTo(value, 9)),
    );
    expect(curve.every(({ n }) => n === 5)).toBe(true);
  });

  it('holds every track once, in rising bins that part no equal probabilities', () => {
    fc.assert(
      fc.property(anyJudged, fc.integer({ min: 1, max: 12 }), (items, bins) => {
        const curve = reliability(items, bins);
        expect(curve.length).toBeLessThanOrEqual(bins);
        expect(curve.reduce((sum, { n }) => sum + n, 0)).toBe(items.length);
        const popular = items.reduce((sum, { label }) => sum + label, 0);
        expect(curve.reduce((sum, bin) => sum + bin.popular * bin.n, 0)).toBeCloseTo(popular, 9);
        for (const [place, bin] of curve.entries()) {
          expect(bin.popular).toBeGreaterThanOrEqual(bin.ci95[0]);
          expect(bin.popular).toBeLessThanOrEqual(bin.ci95[1]);
          if (place > 0) expect(bin.meanProbability).toBeGreaterThan(curve[place - 1]!.meanProbability);
        }
        const distinct = new Set(items.map(({ probability }) => probability)).size;
        expect(curve.length).toBeLessThanOrEqual(distinct);
      }),
    );
  });

  it('is one bin where a model says the same of all', () => {
    expect(reliability(judged(Array.from({ length: 30 }, (_, i) => [0.5, i % 3 ? 0 : 1])), 10)).toEqual([
      { n: 30, meanProbability: 0.5, popular: 1 / 3, ci95: expect.any(Array) },
    ]);
  });
});

describe('expectedCalibrationError', () => {
  it('weighs each bin by its tracks', () => {
    const items = judged([
      [0.2, 0],
      [0.2, 1],
      [0.8, 1],
      [0.8, 1],
      [0.8, 1],
      [0.8, 1],
    ]);
    expect(expectedCalibrationError(items, 2)!.error).toBeCloseTo((2 * 0.3 + 4 * 0.2) / 6, 12);
    expect(expectedCalibrationError([], 2)).toBeNull();
  });

  it('is what chance gives, on average, where probabilities are right', () => {
    const random = randomStream('calibrated');
    const runs = Array.from({ length: 200 }, () => {
      const items = judged(
        Array.from({ length: 200 }, () => {
          const probability = uniform(random);
          return [probability, uniform(random) < probability ? 1 : 0];
        }),
      );
      return expectedCalibrationError(items)!;
    });
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [error, byChance] = [mean(runs.map((run) => run.error)), mean(runs.map((run) => run.byChance))];
    expect(error / byChance).toBeGreaterThan(0.93);
    expect(error / byChance).toBeLessThan(1.07);
  });
});

describe('wilsonInterval', () => {
  it('is that of scipy', () => {
    expect(wilsonInterval(7, 20)).toEqual([
      expect.closeTo(0.1811918241010821, 12),
      expect.closeTo(0.5671457233147637, 12),
    ]);
    expect(wilsonInterval(0, 5)).toEqual([0, expect.closeTo(0.43448246478317476, 12)]);
  });
});
