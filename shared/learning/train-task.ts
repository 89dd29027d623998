import { PermanentError } from '../errors.ts';
import type { LoadedTensorFlow } from '../tensorflow/index.ts';
import { type FoldPlan, labelRecords, planFolds } from './cross-validation.ts';
import { modelFamily, presetOf } from './families.ts';
import type { Example, FitCheckpoint, Json, JsonObject, ModelFamily, TrainingOutcome } from './family.ts';
import { evaluate, type Judged } from './metrics.ts';
import { fitNormalisation, type Normalisation } from './normalisation.ts';
import { randomStream, shuffle } from './random.ts';
import type { SpectrogramSource } from './spectrograms.ts';
import { type StatisticsTable, statisticsTable } from './statistics.ts';
import type { TrainCheckpoint, TrainProgress, TrainResult, TrainTask } from './task.ts';
import { thresholdOf } from './threshold.ts';

/** What a training needs of the process that it runs in. */
export interface TrainEnvironment {
  readonly tensorflow: () => Promise<LoadedTensorFlow>;
  /** Awaited often: lets events through. @throws CancelledError once the training is cancelled. */
  readonly turn: () => Promise<void>;
  readonly onProgress: (progress: TrainProgress) => void;
  readonly onCheckpoint: (checkpoint: TrainCheckpoint) => void;
}

/** Songs judged at once: bounds memory. */
const predictionBatch = 16;
/** Holdout scores closer together than this tell nobody apart. */
const collapsedSpread = 0.01;

/** What of a checkpoint is this module's: out-of-fold scores by place in the data set, null where not yet. */
interface Progress {
  readonly finishedFolds: number;
  readonly scores: readonly (number | null)[];
  readonly fit: JsonObject | null;
}

/** One fit and what it said about tracks that it did not see. */
interface Fitted {
  readonly outcome: TrainingOutcome;
  readonly ms: number;
  readonly judge: (examples: readonly Example[]) => Promise<Judged[]>;
  readonly dispose: () => void;
}

/**
 * Run a training task: cross-validation if asked for, then the final fit on train with early stopping on
 * test, judged once on the holdout.
 *
 * @param source the spectrograms of the task's records, in their order.
 * @throws UserError, PermanentError, CancelledError
 */
export async function runTrainTask(
  task: TrainTask,
  source: SpectrogramSource,
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
  const outOfFold =
    folds === null
      ? null
      : await trainer.crossValidate(
          planFolds(records, folds, {
            ...{ seed: task.seed, rule: task.thresholdRule, usesValidation: family.usesValidation },
          }),
        );

  const examples = labelRecords(records, threshold);
  const side = (split: string) => examples.filter(({ index }) => task.records[index]!.split === split);
  const final = await trainer.fit(side('train'), side('test'), async () => task.normalisation, null);
  try {
    const holdout = await final.judge(side('holdout'));
    const test = await final.judge(side('test'));
    const { parameters, topology, weights, epochs, samplesSeen } = final.outcome;
    const { backend } = family.needsTensorFlow ? await environment.tensorflow() : { backend: 'javascript' };
    const holdoutScores = holdout.map(({ probability }) => probability).sort((a, b) => a - b);
    return {
      ...{ parameters, topology, weights, backend, holdoutScores },
      preset: typeof topology['preset'] === 'string' ? topology['preset'] : preset,
      metrics: {
        holdout: evaluate(holdout, task.seed),
        test: evaluate(test, task.seed),
        crossValidation: outOfFold && folds !== null ? { folds, ...evaluate(outOfFold, task.seed) } : null,
        trainMsPerSample: final.ms / Math.max(1, samplesSeen),
        epochs,
      },
      warnings: family.needsTensorFlow ? collapseWarning(holdoutScores) : [],
    };
  } finally {
    final.dispose();
  }
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

function collapseWarning(sortedScores: readonly number[]): string[] {
  const spread = (sortedScores.at(-1) ?? 1) - (sortedScores[0] ?? 0);
  if (spread > collapsedSpread) return [];
  return ['the network gives all songs nearly the same probability: it has not learned to tell them apart'];
}

/** Fits one after another with a common checkpoint. */
class Trainer {
  readonly #task: TrainTask;
  readonly #family: ModelFamily;
  readonly #preset: string;
  readonly #source: SpectrogramSource;
  readonly #environment: TrainEnvironment;
  readonly #statistics: StatisticsTable;
  #progress: Progress;
  /** The checkpoint's fit, until the first fit of this run has taken it over. */
  #resumed: FitCheckpoint | null = null;

  constructor(
    task: TrainTask,
    family: ModelFamily,
    preset: string,
    source: SpectrogramSource,
    environment: TrainEnvironment,
  ) {
    this.#task = task;
    this.#family = family;
    this.#preset = preset;
    this.#source = source;
    this.#environment = environment;
    this.#statistics = statisticsTable(source);
    this.#progress = { finishedFolds: 0, scores: task.records.map(() => null), fit: null };
    if (task.checkpoint) {
      this.#progress = task.checkpoint.progress as unknown as Progress;
      if (this.#progress.scores.length !== task.records.length) {
        throw new PermanentError('the checkpoint belongs to another data set');
      }
      const { fit } = this.#progress;
      if (fit) this.#resumed = { progress: fit, bytes: task.checkpoint.bytes };
    }
  }

  async crossValidate(plans: readonly FoldPlan[]): Promise<Judged[]> {
    for (const [fold, plan] of plans.entries()) {
      if (fold < this.#progress.finishedFolds) continue;
      const normalisation = () =>
        fitNormalisation(
          this.#source,
          plan.train.map(({ index }) => index),
          this.#environment.turn,
        );
      const fitted = await this.fit(plan.train, plan.validation, normalisation, {
        fold: fold + 1,
        folds: plans.length,
      });
      try {
        const scores = [...this.#progress.scores];
        for (const [i, { probability }] of (await fitted.judge(plan.heldOut)).entries()) {
          scores[plan.heldOut[i]!.index] = probability;
        }
        this.#checkpoint({ finishedFolds: fold + 1, scores, fit: null }, new Uint8Array());
      } finally {
        fitted.dispose();
      }
    }
    const heldOut = plans.flatMap((plan) => plan.heldOut).sort((a, b) => a.index - b.index);
    return heldOut.map(({ index, label, group }) => ({
      label,
      group,
      probability: this.#progress.scores[index]!,
    }));
  }

  /** Fit one model; `place` says which fold it is, null the final fit. */
  async fit(
    train: readonly Example[],
    validation: readonly Example[],
    normalisation: () => Promise<Normalisation>,
    place: { fold: number; folds: number } | null,
  ): Promise<Fitted> {
    const { tensorflow, turn, onProgress } = this.#environment;
    const phase = place ? 'cross-validation' : 'final';
    const where = { phase, fold: place?.fold ?? null, folds: this.#task.crossValidationFolds } as const;
    const checkpoint = this.#resumed;
    this.#resumed = null;
    const began = performance.now();
    const outcome = await this.#family.train({
      ...{ train, validation, normalisation, checkpoint, tensorflow, turn },
      ...{ source: this.#source, statistics: this.#statistics, preset: this.#preset },
      // Each fold draws its own numbers, the final fit those of the seed itself.
      seed: this.#task.seed + (place ? 1_000_003 * place.fold : 0),
      onEpoch: ({ epoch, trainLoss, testLoss, testRocAuc }, epochs) =>
        onProgress({ ...where, epoch, epochs, trainLoss, testLoss, testRocAuc }),
      onCheckpoint: ({ progress, bytes }) => this.#checkpoint({ ...this.#progress, fit: progress }, bytes),
    });
    const measured = outcome.epochs.reduce((sum, { ms }) => sum + ms, 0);
    if (outcome.epochs.length === 0) {
      onProgress({ ...where, epoch: 1, epochs: 1, trainLoss: null, testLoss: null, testRocAuc: null });
    }
    const predictor = await this.#family.load(outcome, tensorflow);
    return {
      outcome,
      ms: measured || performance.now() - began,
      judge: (examples) => this.#judge(predictor.predict, examples),
      dispose: () => predictor.dispose(),
    };
  }

  async #judge(
    predict: Awaited<ReturnType<ModelFamily['load']>>['predict'],
    examples: readonly Example[],
  ): Promise<Judged[]> {
    const judged: Judged[] = [];
    for (let from = 0; from < examples.length; from += predictionBatch) {
      await this.#environment.turn();
      const batch = examples.slice(from, from + predictionBatch);
      const spectrograms = await Promise.all(batch.map(({ index }) => this.#source.read(index)));
      const probabilities = await predict(spectrograms);
      for (const [i, { label, group }] of batch.entries()) {
        const probability = probabilities[i]!;
        if (!Number.isFinite(probability))
          throw new PermanentError('the model gave a probability that is not a number');
        judged.push({ probability, label, group });
      }
    }
    return judged;
  }

  #checkpoint(progress: Progress, bytes: Uint8Array): void {
    this.#progress = progress;
    this.#environment.onCheckpoint({ progress: progress as unknown as Record<string, Json>, bytes });
  }
}
