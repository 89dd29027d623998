import type { LoadedTensorFlow } from '../tensorflow/index.ts';
import { labelRecords, planFolds } from './cross-validation.ts';
import { evaluate, fitDecisionThreshold } from './evaluation/index.ts';
import { modelFamily, presetOf } from './families.ts';
import type { ModelFamily } from './family.ts';
import { randomStream, shuffle } from './random.ts';
import type { RecordingSource } from './recording.ts';
import { studiesOf } from './studies.ts';
import type { Prediction, TrainCheckpoint, TrainProgress, TrainResult, TrainTask } from './task.ts';
import { thresholdOf } from './threshold.ts';
import { Trainer, type Unseen } from './trainer.ts';

/** What a training needs of the process that it runs in. */
export interface TrainEnvironment {
  readonly tensorflow: () => Promise<LoadedTensorFlow>;
  /** Awaited often: lets events through. @throws CancelledError once the training is cancelled. */
  readonly turn: () => Promise<void>;
  readonly onProgress: (progress: TrainProgress) => void;
  readonly onCheckpoint: (checkpoint: TrainCheckpoint) => void;
}

/** Holdout scores closer together than this tell nobody apart. */
const collapsedSpread = 0.01;

/**
 * Run a training task: cross-validation if asked for, then the final fit on train with early stopping on
 * test, judged once on the holdout.
 *
 * @param source the recordings of the task's records, in their order.
 * @throws UserError, PermanentError, CancelledError
 */
export async function runTrainTask(
  task: TrainTask,
  source: RecordingSource,
  environment: TrainEnvironment,
): Promise<TrainResult> {
  if (source.count !== task.records.length) {
    throw new Error(`the cache holds ${source.count} spectrograms for ${task.records.length} tracks`);
  }
  const family = modelFamily(task.model);
  const preset = presetOf(family, task.preset);
  const { records, threshold } = labelsOf(task);
  const trainer = new Trainer(task, family, preset, source, environment);

  const folds = task.crossValidationFolds;
  const options = { seed: task.seed, rule: task.thresholdRule, usesValidation: family.usesValidation };
  const outOfFold = folds === null ? null : await trainer.crossValidate(planFolds(records, folds, options));
  const studied = family.features.length > 0 && !task.shuffleLabels;
  const studies =
    folds === null || !outOfFold || !studied
      ? null
      : await studiesOf(trainer, records, outOfFold, { ...options, folds });

  const examples = labelRecords(records, threshold);
  const side = (split: string) => examples.filter(({ index }) => task.records[index]!.split === split);
  const final = await trainer.finalFit(side('train'), side('test'), task.normalisation);
  try {
    const holdout = await final.judge(side('holdout'));
    const test = await final.judge(side('test'));
    const { parameters, topology, weights, epochs, samplesSeen, warnings } = final.outcome;
    const decision = final.outcome.decisionThreshold ?? fitDecisionThreshold(outOfFold ?? test);
    const holdoutScores = holdout.map(({ probability }) => probability).sort((a, b) => a - b);
    return {
      ...{ parameters, topology, weights, holdoutScores },
      backend: await backendOf(family, environment),
      preset: typeof topology['preset'] === 'string' ? topology['preset'] : preset,
      predictions: [
        ...predictionsOf('holdout', holdout),
        ...predictionsOf('test', test),
        ...predictionsOf('out_of_fold', outOfFold ?? []),
      ],
      metrics: {
        holdout: evaluate(holdout, task.seed, decision),
        test: evaluate(test, task.seed, decision),
        crossValidation: outOfFold && folds !== null ? { folds, ...evaluate(outOfFold, task.seed) } : null,
        studies,
        trainMsPerSample: final.ms / Math.max(1, samplesSeen),
        epochs,
      },
      warnings: [
        ...(warnings ?? []),
        ...collapseWarning(family, holdoutScores),
        ...(studies?.warnings ?? []),
      ],
    };
  } finally {
    final.dispose();
  }
}

async function backendOf(family: ModelFamily, { tensorflow }: TrainEnvironment): Promise<string> {
  return family.needsTensorFlow ? (await tensorflow()).backend : 'javascript';
}

function predictionsOf(side: Prediction['side'], judged: readonly Unseen[]): Prediction[] {
  return judged.map(({ index, probability, label }) => ({ index, side, probability, label }));
}

/** The records and threshold to train by: with permuted popularity, the threshold of the permuted train side. */
function labelsOf(task: TrainTask): { records: TrainTask['records']; threshold: number } {
  if (!task.shuffleLabels) return task;
  const popularity = task.records.map((record) => record.popularity);
  shuffle(popularity, randomStream(task.seed, 'shuffled labels'));
  const records = task.records.map((record, index) => ({ ...record, popularity: popularity[index]! }));
  const train = records.filter(({ split }) => split === 'train').map((record) => record.popularity);
  return { records, threshold: thresholdOf(train, task.thresholdRule) };
}

function collapseWarning(family: ModelFamily, sortedScores: readonly number[]): string[] {
  const spread = (sortedScores.at(-1) ?? 1) - (sortedScores[0] ?? 0);
  // Networks say it themselves, with more of the reason.
  if (spread > collapsedSpread || family.needsTensorFlow || family.name === 'dummy') return [];
  return ['it gives all songs nearly the same probability: it has not learned to tell them apart'];
}
