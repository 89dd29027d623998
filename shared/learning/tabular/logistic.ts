import { PermanentError } from '../../errors.ts';
import { sigmoid } from '../sigmoid.ts';
import { minimise } from './lbfgs.ts';

/** A fitted logistic regression: probability = σ(intercept + Σ coefficient x feature). */
export interface LogisticModel {
  readonly coefficients: Float64Array;
  readonly intercept: number;
}

const tolerance = 1e-7;
const maxIterations = 1000;
/** Added to the diagonal before the decomposition, relative to its mean: rows may repeat. */
const ridge = 1e-9;

/**
 * Decompose the rows' inner products into L Lᵀ (Cholesky). With the rows of L instead of the rows
 * themselves an L2-penalised fit is the same fit, for its solution lies in the span of the rows; where
 * there are more features than rows, that is a much smaller one.
 *
 * @returns L, lower triangular, [n][n]
 */
function choleskyOfGram(rows: readonly Float64Array[]): Float64Array[] {
  const n = rows.length;
  const lower = rows.map(() => new Float64Array(n));
  const gram = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
    return sum;
  };
  const trace = rows.reduce((sum, row) => sum + gram(row, row), 0);
  const extra = ridge * Math.max(trace / n, 1e-12);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = gram(rows[i]!, rows[j]!) + (i === j ? extra : 0);
      for (let k = 0; k < j; k++) sum -= lower[i]![k]! * lower[j]![k]!;
      lower[i]![j] = i === j ? Math.sqrt(Math.max(sum, extra)) : sum / lower[j]![j]!;
    }
  }
  return lower;
}

/** Solve Lᵀ x = b. */
function solveUpper(lower: readonly Float64Array[], b: Float64Array): Float64Array {
  const x = Float64Array.from(b);
  for (let i = x.length - 1; i >= 0; i--) {
    x[i]! /= lower[i]![i]!;
    for (let k = 0; k < i; k++) x[k]! -= lower[i]![k]! * x[i]!;
  }
  return x;
}

/**
 * Fit logistic regressions with an L2 penalty, one a strength; the intercept goes free. Deterministic.
 *
 * @param rows of equally many standardised features each, at least one row; not changed.
 * @param labels 1 is popular; both must occur.
 * @param strengths how freely coefficients may grow, ascending: scikit-learn's C, the weight of the summed
 *   loss against half the squared length.
 * @param turn awaited once an iteration; may throw to stop.
 * @returns a model for each strength.
 * @throws PermanentError when the labels are all the same.
 */
export async function fitLogistic(
  rows: readonly Float64Array[],
  labels: readonly (0 | 1)[],
  strengths: readonly number[],
  turn?: () => Promise<void>,
): Promise<LogisticModel[]> {
  if (!labels.includes(0) || !labels.includes(1)) {
    throw new PermanentError('logistic regression needs popular and unpopular tracks to train on');
  }
  const features = rows[0]!.length;
  const wide = features > rows.length;
  const lower = wide ? choleskyOfGram(rows) : rows;
  const models: LogisticModel[] = [];
  let solution = new Float64Array((wide ? rows.length : features) + 1);
  for (const strength of strengths) {
    const objective = objectiveOf(lower, labels, strength);
    solution = Float64Array.from(await minimise(objective, solution, tolerance, maxIterations, turn));
    const [inner, intercept] = [solution.slice(0, -1), solution.at(-1)!];
    if (!wide) {
      models.push({ coefficients: inner, intercept });
      continue;
    }
    // Back from the span of the rows: w = Xᵀ L⁻ᵀ u.
    const weight = solveUpper(lower, inner);
    const coefficients = new Float64Array(features);
    for (const [i, row] of rows.entries())
      for (let k = 0; k < features; k++) coefficients[k]! += weight[i]! * row[k]!;
    models.push({ coefficients, intercept });
  }
  return models;
}

/**
 * The penalty weighs 1, the loss `strength`; both are divided by the loss's weight so that the tolerance
 * means the same for catalogues of every size.
 */
function objectiveOf(rows: readonly Float64Array[], labels: readonly (0 | 1)[], strength: number) {
  const features = rows[0]!.length;
  const unit = 1 / (strength * rows.length);
  return (x: Float64Array, gradient: Float64Array): number => {
    let value = 0;
    gradient.fill(0);
    for (const [index, row] of rows.entries()) {
      let logit = x[features]!;
      for (let i = 0; i < features; i++) logit += x[i]! * row[i]!;
      const label = labels[index]!;
      value += (Math.max(logit, 0) - label * logit + Math.log1p(Math.exp(-Math.abs(logit)))) / rows.length;
      const error = (sigmoid(logit) - label) / rows.length;
      for (let i = 0; i < features; i++) gradient[i]! += error * row[i]!;
      gradient[features]! += error;
    }
    for (let i = 0; i < features; i++) {
      value += (unit / 2) * x[i]! * x[i]!;
      gradient[i]! += unit * x[i]!;
    }
    return value;
  };
}

/** Compute the log odds of being popular. */
export function logisticLogit({ coefficients, intercept }: LogisticModel, row: Float64Array): number {
  let logit = intercept;
  for (let i = 0; i < coefficients.length; i++) logit += coefficients[i]! * row[i]!;
  return logit;
}
