import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../../shared/errors.ts';
import { normal, randomStream } from '../../../../shared/learning/random.ts';
import { sigmoid } from '../../../../shared/learning/sigmoid.ts';
import { minimise } from '../../../../shared/learning/tabular/lbfgs.ts';
import {
  fitLogistic,
  type LogisticModel,
  logisticLogit,
} from '../../../../shared/learning/tabular/logistic.ts';
import {
  featureLimit,
  fitStandardisation,
  standardised,
} from '../../../../shared/learning/tabular/standardisation.ts';

const scaled = (rows: readonly (readonly number[])[]): Float64Array[] => {
  const scale = fitStandardisation(rows);
  return rows.map((row) => standardised(row, scale));
};
const probability = (model: LogisticModel, row: Float64Array) => sigmoid(logisticLogit(model, row));

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
    const scale = fitStandardisation(rows);
    const inputs = rows.map((row) => standardised(row, scale));
    const [model] = await fitLogistic(inputs, [0, 0, 1, 0, 1, 1], [0.5]);
    expect(model!.coefficients[0]).toBeCloseTo(0.44278041, 5);
    expect(model!.coefficients[1]).toBeCloseTo(0.5755475, 5);
    expect(model!.intercept).toBeCloseTo(0.03358188, 5);
    expect(probability(model!, standardised([3, 3], scale))).toBeCloseTo(0.42092934, 5);
  });

  it.each([
    ['more features than rows', 60, 200],
    ['more rows than features', 300, 20],
  ])('meets the condition of an optimum for every strength with %s', async (_, count, features) => {
    const random = randomStream('rows', features);
    const rows = Array.from({ length: count }, () =>
      Array.from({ length: features }, () => 5 + 3 * normal(random)),
    );
    const labels = rows.map((row) => (row[0]! + row[1]! > 10 ? 1 : 0) as 0 | 1);
    const inputs = scaled(rows);
    const strengths = [0.01, 0.1, 1];
    for (const [i, model] of (await fitLogistic(inputs, labels, strengths)).entries()) {
      // At the optimum coefficient = strength x sum of (label - probability) x feature.
      const errors = inputs.map((row, k) => labels[k]! - probability(model, row));
      for (const feature of [0, 1, 7, features - 1]) {
        const pull = inputs.reduce((sum, row, k) => sum + errors[k]! * row[feature]!, 0);
        expect(model.coefficients[feature]).toBeCloseTo(strengths[i]! * pull, 4);
      }
      expect(errors.reduce((a, b) => a + b) / count).toBeCloseTo(0, 5);
    }
  });

  it('repeats to the bit', async () => {
    const rows = scaled([
      [1, 2],
      [2, 1],
      [3, 1],
      [4, 0],
    ]);
    const fitted = () => fitLogistic(rows, [0, 1, 0, 1], [0.1, 1]);
    expect(await fitted()).toEqual(await fitted());
  });

  it('refuses one class', async () => {
    await expect(fitLogistic(scaled([[1], [2]]), [1, 1], [1])).rejects.toThrow(PermanentError);
  });
});

describe('standardised', () => {
  const scale = fitStandardisation([
    [1, 7, 2],
    [2, 7, Number.NaN],
    [3, 7, 4],
  ]);

  it('leaves out a feature that is the same for all, and takes a missing one for the mean', () => {
    expect([...standardised([2, 9, Number.NaN], scale)]).toEqual([0, 0]);
    expect([...standardised([2, 9, 4], scale)]).toEqual([0, 1]);
  });

  it('bounds what one strange clip can do', () => {
    expect([...standardised([1e6, 0, -1e6], scale)]).toEqual([featureLimit, -featureLimit]);
  });

  it('refuses another number of features, and ones that are infinite', () => {
    expect(() => standardised([1, 2], scale)).toThrow('3 features');
    expect(() => fitStandardisation([[1], [Infinity]])).toThrow(PermanentError);
  });
});
