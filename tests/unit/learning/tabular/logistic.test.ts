import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../shared/errors.ts';
import { minimise } from '../../../shared/learning/lbfgs.ts';
import { featureLimit, fitLogistic, predictLogistic } from '../../../shared/learning/logistic.ts';
import { normal, randomStream } from '../../../shared/learning/random.ts';

describe('minimise', () => {
  it('finds the minimum of an ill-conditioned bowl', async () => {
    const objective = (x: Float64Array, gradient: Float64Array): number => {
      let value = 0;
      for (let i = 0; i < x.length; i++) {
        const scale = 10 ** (i / 4);
        value += (scale * (x[i]! - i) ** 2) / 2;
        gradient[i] = scale * (x[i]! - i);
      }
      return value;
    };
    const found = await minimise(objective, new Float64Array(17), 1e-9, 2000);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(i, 7);
  });
});

describe('fitLogistic', () => {
  it('agrees with scikit-learn', async () => {
    // LogisticRegression(C=.5, tol=1e-12) on StandardScaler().fit_transform(rows), scikit-learn 1.9.1
    const rows = [
      [1, 2],
      [2, 1],
      [3, 5],
      [4, 3],
      [5, 4],
      [6, 9],
    ];
    const model = await fitLogistic(rows, [0, 0, 1, 0, 1, 1], 0.5);
    expect(model.coefficients[0]).toBeCloseTo(0.44278041, 5);
    expect(model.coefficients[1]).toBeCloseTo(0.5755475, 5);
    expect(model.intercept).toBeCloseTo(0.03358188, 5);
    expect(predictLogistic(model, [3, 3])).toBeCloseTo(0.42092934, 5);
  });

  it('meets the condition of an optimum on more features than rows', async () => {
    const random = randomStream('wide');
    const rows = Array.from({ length: 60 }, () => Array.from({ length: 200 }, () => 5 + 3 * normal(random)));
    const labels = rows.map((row) => (row[0]! + row[1]! > 10 ? 1 : 0) as 0 | 1);
    const strength = 0.1;
    const model = await fitLogistic(rows, labels, strength);
    // At the optimum coefficient = strength x sum of (label - probability) x standardised feature.
    for (const feature of [0, 1, 57, 199]) {
      const pull = rows.reduce((sum, row, i) => {
        const scaled = (row[feature]! - model.mean[feature]!) / model.deviation[feature]!;
        const kept = Math.max(-featureLimit, Math.min(featureLimit, scaled));
        return sum + (labels[i]! - predictLogistic(model, row)) * kept;
      }, 0);
      expect(model.coefficients[feature]).toBeCloseTo(strength * pull, 5);
    }
    const far = rows[0]!.map((_, i) => model.mean[i]! + 1e6 * (i === 0 ? model.deviation[0]! : 0));
    const near = rows[0]!.map((_, i) => model.mean[i]! + 2.5 * (i === 0 ? model.deviation[0]! : 0));
    expect(predictLogistic(model, far)).toBeCloseTo(predictLogistic(model, near), 12);
    const mean = rows.reduce((sum, row) => sum + predictLogistic(model, row), 0) / rows.length;
    expect(mean).toBeCloseTo(labels.filter(Boolean).length / labels.length, 6);
  });

  it('repeats to the bit, and ignores a feature that is the same for all', async () => {
    const rows = [
      [1, 7, 2],
      [2, 7, 1],
      [3, 7, 1],
      [4, 7, 0],
    ];
    const a = await fitLogistic(rows, [0, 1, 0, 1]);
    expect(await fitLogistic(rows, [0, 1, 0, 1])).toEqual(a);
    expect(a.coefficients[1]).toBe(0);
  });

  it('refuses one class, and features that are not numbers', async () => {
    await expect(fitLogistic([[1], [2]], [1, 1])).rejects.toThrow(PermanentError);
    await expect(fitLogistic([[1], [Number.NaN]], [0, 1])).rejects.toThrow(PermanentError);
  });
});
