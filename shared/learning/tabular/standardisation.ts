import { PermanentError } from '../../errors.ts';

/** How features are brought to one scale, fitted on training rows alone. */
export interface Standardisation {
  readonly mean: Float64Array;
  /** 0 where the feature is the same for all: nothing can be read from it. */
  readonly deviation: Float64Array;
}

/**
 * Standardised features end here, in deviations: a clip unlike all others (silence, a test tone) moves the
 * score only so far. Out of fold on 178 clips of real music: ROC-AUC .805, without it .800.
 */
export const featureLimit = 2.5;

/**
 * Fit means and standard deviations (dividing by the count) of each feature over the rows that have it.
 *
 * @param rows at least one, of equally many features; NaN is a missing value.
 * @throws PermanentError when a feature is infinite.
 */
export function fitStandardisation(rows: readonly ArrayLike<number>[]): Standardisation {
  const features = rows[0]!.length;
  const mean = new Float64Array(features);
  const deviation = new Float64Array(features);
  for (let i = 0; i < features; i++) {
    let sum = 0;
    let known = 0;
    for (const row of rows) {
      if (Number.isNaN(row[i]!)) continue;
      sum += row[i]!;
      known++;
    }
    const middle = known > 0 ? sum / known : 0;
    let square = 0;
    for (const row of rows) if (!Number.isNaN(row[i]!)) square += (row[i]! - middle) ** 2;
    const root = known > 0 ? Math.sqrt(square / known) : 0;
    mean[i] = middle;
    // A spread of rounding errors alone is none.
    deviation[i] = root > 1e-6 * (1 + Math.abs(middle)) ? root : 0;
  }
  if (!mean.every(Number.isFinite)) {
    throw new PermanentError('a feature of the training tracks is not a number');
  }
  return { mean, deviation };
}

/**
 * Bring a row to scale: (value - mean) / deviation within ±`featureLimit`; what is missing counts as the
 * mean, which is 0.
 *
 * @returns float64, only the features that vary.
 */
export function standardised(row: ArrayLike<number>, { mean, deviation }: Standardisation): Float64Array {
  if (row.length !== mean.length) {
    throw new Error(`the model takes ${mean.length} features, and these are ${row.length}`);
  }
  let live = 0;
  const result = new Float64Array(mean.length);
  for (let i = 0; i < mean.length; i++) {
    if (deviation[i] === 0) continue;
    const z = (row[i]! - mean[i]!) / deviation[i]!;
    result[live++] = Number.isNaN(z) ? 0 : Math.max(-featureLimit, Math.min(featureLimit, z));
  }
  return result.subarray(0, live);
}
