import type { Example } from './family.ts';
import { assignFolds } from './folds.ts';
import { type ThresholdRule, thresholdOf } from './threshold.ts';

/** A track of a data set as learning sees it; its place in the list is its place in the shards. */
export interface LabelledRecord {
  /** 0 to 100. */
  readonly popularity: number;
  readonly group: number;
}

/** One round: what to fit on, and what to judge that was not seen. */
export interface FoldPlan {
  readonly train: readonly Example[];
  /** A grouped part of the training folds, for early stopping. May be empty. */
  readonly validation: readonly Example[];
  /** Labelled by the training folds' threshold. */
  readonly heldOut: readonly Example[];
  /** Fitted on the training folds alone. */
  readonly threshold: number;
}

/** One part in this many of the training folds is for early stopping. */
const validationParts = 6;

/**
 * Plan a grouped cross-validation, balanced by label: every track is held out once, and neither its
 * group nor anything fitted on it is in what judges it.
 *
 * @param folds 2 or more.
 * @param usesValidation whether to set a part of the training folds aside for early stopping.
 * @throws UserError when there are too few groups, or the training folds of a round have one class.
 */
export function planFolds(
  records: readonly LabelledRecord[],
  folds: number,
  { seed, rule, usesValidation }: { seed: number; rule: ThresholdRule; usesValidation: boolean },
): FoldPlan[] {
  // The overall threshold serves to deal the folds evenly, and nothing else.
  const overall = thresholdOf(
    records.map(({ popularity }) => popularity),
    rule,
  );
  const foldOf = assignFolds(
    records.map(({ popularity, group }) => ({ group, label: popularity >= overall ? 1 : 0 })),
    folds,
    seed,
  );
  return Array.from({ length: folds }, (_, fold): FoldPlan => {
    const outside = records.filter((_, index) => foldOf[index] !== fold);
    const threshold = thresholdOf(
      outside.map(({ popularity }) => popularity),
      rule,
    );
    const examples = labelRecords(records, threshold);
    const inTraining = examples.filter(({ index }) => foldOf[index] !== fold);
    const heldOut = examples.filter(({ index }) => foldOf[index] === fold);
    const parts = usesValidation ? setAside(inTraining, seed) : { train: inTraining, validation: [] };
    return { ...parts, heldOut, threshold };
  });
}

/** Label all records: popular from the threshold on. */
export function labelRecords(records: readonly LabelledRecord[], threshold: number): Example[] {
  return records.map(({ popularity, group }, index) => ({
    index,
    group,
    label: popularity >= threshold ? 1 : 0,
  }));
}

function setAside(examples: readonly Example[], seed: number): Pick<FoldPlan, 'train' | 'validation'> {
  const groups = new Set(examples.map(({ group }) => group)).size;
  if (groups < 2) return { train: examples, validation: [] };
  const parts = assignFolds(examples, Math.min(validationParts, groups), seed);
  const train = examples.filter((_, i) => parts[i] !== 0);
  const bothClasses = train.some(({ label }) => label === 0) && train.some(({ label }) => label === 1);
  return bothClasses
    ? { train, validation: examples.filter((_, i) => parts[i] === 0) }
    : { train: examples, validation: [] };
}
