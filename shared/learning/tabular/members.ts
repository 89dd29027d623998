/** The fits that tabular models are made of: one kind of classifier on some sets of features. */
import type { FeatureSet } from '../features/sets.ts';
import type { NamedArray } from '../weights.ts';
import { type Forest, type ForestOptions, forestShare, growForest } from './forest.ts';
import { fitLogistic, logisticLogit } from './logistic.ts';
import { fitStandardisation, type Standardisation, standardised } from './standardisation.ts';

export interface MemberSpec {
  readonly kind: 'logistic' | 'forest';
  readonly features: readonly FeatureSet[];
  /** Of a logistic regression: the strength that is taken unless inner validation finds a clearly better one. */
  readonly strength?: Strength;
}

/** How freely a logistic regression's coefficients may grow; inner validation chooses (scikit-learn's C). */
export const strengths = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1] as const;
export type Strength = (typeof strengths)[number];
const forestOptions: Omit<ForestOptions, 'trees'> = { leaf: 2, rows: 20_000 };
/** Of a forest that is kept, and of one that only tells what it says of unseen songs. */
export const trees = { kept: 300, trial: 100 } as const;

/** Shares of a forest are kept this far from 0 and 1 before they become log odds. */
const shareMargin = 0.005;

/** Gives a row's log odds of being popular. */
export type Scorer = (row: ArrayLike<number>) => number;

export interface Fitting {
  readonly rows: readonly Float32Array[];
  readonly labels: readonly (0 | 1)[];
  readonly seed: number;
  /** Of a forest. */
  readonly trees: number;
  readonly turn: () => Promise<void>;
}

/** A fit as it is kept. */
export interface FittedMember {
  readonly arrays: readonly NamedArray[];
  /** Fitted values that decide. */
  readonly parameters: number;
}

const vector = (name: string, values: ArrayLike<number>): NamedArray => ({
  ...{ name, shape: [values.length], values: Float32Array.from(values) },
});

const scaleArrays = ({ mean, deviation }: Standardisation): NamedArray[] => [
  vector('mean', mean),
  vector('deviation', deviation),
];

/**
 * Fit a member once for each strength (a forest has none, and is fitted once).
 *
 * @param strengths ascending.
 * @returns for each strength the fit.
 */
export async function fitMember(
  { kind }: MemberSpec,
  { rows, labels, seed, trees: count, turn }: Fitting,
  wanted: readonly number[],
): Promise<FittedMember[]> {
  // As it is kept, so that a model judges as it did when it was fitted.
  const kept = fitStandardisation(rows);
  const scale = {
    mean: Float64Array.from(Float32Array.from(kept.mean)),
    deviation: Float64Array.from(Float32Array.from(kept.deviation)),
  };
  const scaled = rows.map((row) => standardised(row, scale));
  if (kind === 'forest') {
    const forest = await growForest(scaled, labels, { ...forestOptions, trees: count }, seed, turn);
    const { roots, feature, cut, left, share } = forest;
    const arrays = Object.entries({ roots, feature, cut, left, share }).map(([name, values]) =>
      vector(name, values),
    );
    return [{ arrays: [...scaleArrays(scale), ...arrays], parameters: 2 * feature.length }];
  }
  const models = await fitLogistic(scaled, labels, wanted, turn);
  return models.map(({ coefficients, intercept }) => ({
    arrays: [...scaleArrays(scale), vector('coefficients', coefficients), vector('intercept', [intercept])],
    parameters: coefficients.length + 1,
  }));
}

/**
 * Make the scorer of a kept fit.
 * @throws Error when an array is missing.
 */
export function loadMember({ kind }: MemberSpec, arrays: readonly NamedArray[]): Scorer {
  const byName = new Map(arrays.map(({ name, values }) => [name, values]));
  const array = (name: string): Float32Array => {
    const found = byName.get(name);
    if (!found) throw new Error(`the model's weights lack ${name}`);
    return found;
  };
  const scale = { mean: Float64Array.from(array('mean')), deviation: Float64Array.from(array('deviation')) };
  if (kind === 'forest') {
    const forest: Forest = {
      ...{ cut: array('cut'), share: array('share'), roots: Int32Array.from(array('roots')) },
      ...{ feature: Int32Array.from(array('feature')), left: Int32Array.from(array('left')) },
    };
    return (row) => {
      const share = forestShare(forest, standardised(row, scale));
      const kept = Math.max(shareMargin, Math.min(1 - shareMargin, share));
      return Math.log(kept / (1 - kept));
    };
  }
  const model = {
    coefficients: Float64Array.from(array('coefficients')),
    intercept: array('intercept')[0]!,
  };
  return (row) => logisticLogit(model, standardised(row, scale));
}
