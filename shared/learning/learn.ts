import { PermanentError, UserError } from '../errors.ts';
import type { LoadedTensorFlow } from '../tensorflow/index.ts';
import { familyOf, modelFamilies } from './families.ts';
import type {
  Example,
  FitCheckpoint,
  Json,
  JsonObject,
  ModelFamily,
  TrainingContext,
  TrainingOutcome,
} from './family.ts';
import { assignFolds } from './folds.ts';
import { evaluate, type Judged } from './metrics.ts';
import { fitNormalisation, type Normalisation } from './normalisation.ts';
import { randomStream, shuffle } from './random.ts';
import type { SpectrogramSource } from './spectrograms.ts';
import { type StatisticsTable, statisticsTable } from './statistics.ts';
import type { Checkpoint, LearningProgress, LearningResult, LearningTask } from './task.ts';
import { thresholdOf } from './threshold.ts';

/** Of the training folds, one part in this many is kept for early stopping. */
const validationShare = 6;
/** Spectrograms judged at once. */
const predictionBatch = 32;

export interface LearnHooks {
  source: SpectrogramSource;
  tensorflow: () => Promise<LoadedTensorFlow>;
  /** Lets events through. @throws CancelledError once the training is cancelled. */
  turn: () => Promise<void>;
  onProgress: (progress: LearningProgress) => void;
  onCheckpoint: (checkpoint: Checkpoint) => void;
}

/** One fit of a training, and what it had reached when it was stopped. */
interface Position {
  /** Folds that are done; the final fit comes after the last. */
  foldsDone: number;
  /** Out-of-fold scores of the folds that are done. */
  judged: Judged[];
  /** Of the fit under way. */
  fit: FitCheckpoint | null;
}

interface Learning extends LearnHooks {
  task: LearningTask;
  family: ModelFamily;
  popularity: number[];
  statistics: StatisticsTable;
}

/**
 * Train a model, evaluate it, and cross-validate it first where that is asked for.
 *
 * Everything fitted is fitted on training tracks alone: the threshold of popularity, the
 * normalisation and the model; in cross-validation on each fold's training tracks. The holdout is judged
 * once, at the end. Same task, same machine, same back end: same result, also across a resume.
 *
 * @throws PermanentError when the task cannot be done; CancelledError from `turn`
 */
export async function learn(task: LearningTask, hooks: LearnHooks): Promise<LearningResult> {
  const family = familyOf(task.model);
  if (!family) {
    throw new PermanentError(
      `there is no model ${task.model}: there are ${Object.keys(modelFamilies).join(', ')}`,
    );
  }
  const popularity = task.records.map((record) => record.popularity);
  if (task.shuffleLabels) shuffle(popularity, randomStream(task.seed, 'permuted labels'));
  const learning: Learning = {
    ...hooks,
    task,
    family,
    popularity,
    statistics: statisticsTable(hooks.source),
  };
  try {
    const position = restorePosition(task.checkpoint);
    const folds = task.crossValidationFolds;
    const crossValidation = folds === null ? null : await crossValidate(learning, folds, position);
    return await fitFinal(learning, crossValidation, position);
  } catch (error) {
    if (error instanceof UserError) throw new PermanentError(error.message);
    throw error;
  }
}

async function crossValidate(learning: Learning, folds: number, position: Position) {
  const { task, family, popularity } = learning;
  const overall = thresholdOf(popularity, task.thresholdRule);
  const foldOf = assignFolds(
    task.records.map(({ group }, index) => ({ group, label: popularity[index]! >= overall ? 1 : 0 })),
    folds,
    task.seed,
  );
  const indices = [...task.records.keys()];
  for (let fold = position.foldsDone; fold < folds; fold++) {
    const inside = indices.filter((index) => foldOf[index] !== fold);
    const outside = indices.filter((index) => foldOf[index] === fold);
    const examples = labelled(learning, inside, inside);
    const kept = family.usesValidation
      ? assignFolds(examples, validationShare, task.seed + fold + 1).map((part) => part === 0)
      : examples.map(() => false);
    const train = examples.filter((_, place) => !kept[place]);
    const normalisation = await fitNormalisation(
      learning.source,
      train.map(({ index }) => index),
      learning.turn,
    );
    const outcome = await fit(
      learning,
      position,
      { phase: 'cross-validation', fold: fold + 1, folds },
      {
        train,
        validation: examples.filter((_, place) => kept[place]),
        normalisation,
      },
    );
    position.judged.push(...(await judge(learning, outcome, labelled(learning, outside, inside))));
    position.foldsDone = fold + 1;
    position.fit = null;
    learning.onCheckpoint(savePosition(position));
  }
  return { folds, ...evaluate(position.judged, task.seed) };
}

async function fitFinal(
  learning: Learning,
  crossValidation: LearningResult['metrics']['crossValidation'],
  position: Position,
): Promise<LearningResult> {
  const { task, family } = learning;
  const side = (split: string) =>
    [...task.records.keys()].filter((index) => task.records[index]!.split === split);
  const [trainSide, testSide, holdoutSide] = [side('train'), side('test'), side('holdout')];
  const began = performance.now();
  const outcome = await fit(
    learning,
    position,
    { phase: 'final', fold: 0, folds: task.crossValidationFolds ?? 0 },
    {
      train: labelled(learning, trainSide, trainSide),
      validation: labelled(learning, testSide, trainSide),
      normalisation: task.normalisation,
    },
  );
  const spent =
    outcome.epochs.length > 0 ? sum(outcome.epochs.map(({ ms }) => ms)) : performance.now() - began;
  const test = await judge(learning, outcome, labelled(learning, testSide, trainSide));
  const holdout = await judge(learning, outcome, labelled(learning, holdoutSide, trainSide));
  const { parameters, topology, weights, epochs, samplesSeen } = outcome;
  return {
    ...{ parameters, topology, weights },
    backend: family.needsTensorFlow ? (await learning.tensorflow()).backend : 'none',
    metrics: {
      test: evaluate(test, task.seed),
      holdout: evaluate(holdout, task.seed),
      crossValidation,
      trainMsPerSample: spent / Math.max(1, samplesSeen),
      epochs,
    },
    holdoutScores: holdout.map(({ probability }) => probability).sort((a, b) => a - b),
  };
}

/** Label tracks by the threshold that other tracks give. */
function labelled(
  { task, popularity }: Learning,
  indices: readonly number[],
  fittedOn: readonly number[],
): Example[] {
  const threshold = thresholdOf(
    fittedOn.map((index) => popularity[index]!),
    task.thresholdRule,
  );
  return indices.map((index) => ({
    index,
    label: popularity[index]! >= threshold ? 1 : 0,
    group: task.records[index]!.group,
  }));
}

async function fit(
  learning: Learning,
  position: Position,
  at: Pick<LearningProgress, 'phase' | 'fold' | 'folds'>,
  data: { train: Example[]; validation: Example[]; normalisation: Normalisation },
): Promise<TrainingOutcome> {
  const { task, family, source, statistics, tensorflow, turn } = learning;
  const context: TrainingContext = {
    ...{ source, statistics, tensorflow, turn, ...data },
    preset: task.preset,
    seed: task.seed + at.fold,
    checkpoint: position.fit,
    onEpoch: ({ epoch, trainLoss, testLoss, testRocAuc }, epochs) =>
      learning.onProgress({ ...at, epoch, epochs, trainLoss, testLoss, testRocAuc }),
    onCheckpoint: (checkpoint) => learning.onCheckpoint(savePosition({ ...position, fit: checkpoint })),
  };
  return family.train(context);
}

async function judge(
  { family, source, tensorflow, turn }: Learning,
  model: TrainingOutcome,
  examples: readonly Example[],
): Promise<Judged[]> {
  const predictor = await family.load(model, tensorflow);
  const judged: Judged[] = [];
  try {
    for (let from = 0; from < examples.length; from += predictionBatch) {
      await turn();
      const part = examples.slice(from, from + predictionBatch);
      const probabilities = await predictor.predict(
        await Promise.all(part.map(({ index }) => source.read(index))),
      );
      judged.push(
        ...part.map(({ label, group }, place) => ({ label, group, probability: probabilities[place]! })),
      );
    }
  } finally {
    predictor.dispose();
  }
  return judged;
}

function savePosition({ foldsDone, judged, fit: under }: Position): Checkpoint {
  const progress = { foldsDone, judged: judged as unknown as Json, fit: under?.progress ?? null };
  return { progress, bytes: under?.bytes ?? new Uint8Array() };
}

function restorePosition(checkpoint: Checkpoint | undefined): Position {
  if (!checkpoint) return { foldsDone: 0, judged: [], fit: null };
  const {
    foldsDone,
    judged,
    fit: progress,
  } = checkpoint.progress as unknown as {
    foldsDone: number;
    judged: Judged[];
    fit: JsonObject | null;
  };
  return { foldsDone, judged: [...judged], fit: progress && { progress, bytes: checkpoint.bytes } };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
