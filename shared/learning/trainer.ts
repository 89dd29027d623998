import { PermanentError } from '../errors.ts';
import type { FoldPlan } from './cross-validation.ts';
import type { Judged } from './evaluation/index.ts';
import type { Example, FitCheckpoint, Json, JsonObject, ModelFamily, TrainingOutcome } from './family.ts';
import { type FeatureTable, featureTable } from './features/sets.ts';
import { fitNormalisation, type Normalisation } from './normalisation.ts';
import { type RecordingSource, readRecording } from './recording.ts';
import type { TrainProgress, TrainTask } from './task.ts';
import type { TrainEnvironment } from './train-task.ts';

/** Songs judged at once: bounds memory. */
const predictionBatch = 16;

/** What of a checkpoint is this module's: out-of-fold scores by place in the data set, null where not yet. */
interface Progress {
  readonly finishedFolds: number;
  readonly scores: readonly (number | null)[];
  readonly fit: JsonObject | null;
}

/** A track judged by a model that had not seen it. */
export interface Unseen extends Judged {
  readonly index: number;
}

/** One fit and what it said about tracks that it did not see. */
export interface Fitted {
  readonly outcome: TrainingOutcome;
  readonly ms: number;
  readonly judge: (examples: readonly Example[]) => Promise<Unseen[]>;
  readonly dispose: () => void;
}

type Place = Pick<TrainProgress, 'phase' | 'fold' | 'folds'>;

/** Fits one after another with a common checkpoint. */
export class Trainer {
  readonly #task: TrainTask;
  readonly #family: ModelFamily;
  readonly #preset: string;
  readonly #source: RecordingSource;
  readonly #environment: TrainEnvironment;
  readonly #features: FeatureTable;
  #progress: Progress;
  /** The checkpoint's fit, until the first fit of this run has taken it over. */
  #resumed: FitCheckpoint | null = null;

  constructor(
    task: TrainTask,
    family: ModelFamily,
    preset: string,
    source: RecordingSource,
    environment: TrainEnvironment,
  ) {
    this.#task = task;
    this.#family = family;
    this.#preset = preset;
    this.#source = source;
    this.#environment = environment;
    this.#features = featureTable(source);
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

  /** Judge every track by a model that saw nothing of its fold. Goes on where a checkpoint got to. */
  async crossValidate(plans: readonly FoldPlan[]): Promise<Unseen[]> {
    for (const [fold, plan] of plans.entries()) {
      if (fold < this.#progress.finishedFolds) continue;
      const place = { phase: 'cross-validation', fold: fold + 1, folds: plans.length } as const;
      const scores = [...this.#progress.scores];
      for (const { index, probability } of await this.#round(plan, place)) scores[index] = probability;
      this.#checkpoint({ finishedFolds: fold + 1, scores, fit: null }, new Uint8Array());
    }
    return plans
      .flatMap((plan) => plan.heldOut)
      .sort((a, b) => a.index - b.index)
      .map((example) => ({ ...example, probability: this.#progress.scores[example.index]! }));
  }

  /** The same for a study beside the evaluation, which leaves no checkpoint. */
  async study(plans: readonly FoldPlan[]): Promise<Unseen[]> {
    const judged: Unseen[] = [];
    for (const [fold, plan] of plans.entries()) {
      judged.push(...(await this.#round(plan, { phase: 'study', fold: fold + 1, folds: plans.length })));
    }
    return judged;
  }

  async #round({ train, validation, heldOut }: FoldPlan, place: Place): Promise<Unseen[]> {
    const indices = train.map(({ index }) => index);
    const normalisation = () => fitNormalisation(this.#source, indices, this.#environment.turn);
    const fitted = await this.#fit(train, validation, normalisation, place);
    try {
      return await fitted.judge(heldOut);
    } finally {
      fitted.dispose();
    }
  }

  /** Fit the model that is kept, on the data set's train side. */
  finalFit(
    train: readonly Example[],
    validation: readonly Example[],
    normalisation: Normalisation,
  ): Promise<Fitted> {
    const place = { phase: 'final', fold: null, folds: this.#task.crossValidationFolds } as const;
    return this.#fit(train, validation, async () => normalisation, place);
  }

  async #fit(
    train: readonly Example[],
    validation: readonly Example[],
    normalisation: () => Promise<Normalisation>,
    place: Place,
  ): Promise<Fitted> {
    const { tensorflow, turn, onProgress } = this.#environment;
    const checkpoint = this.#resumed;
    this.#resumed = null;
    const began = performance.now();
    const outcome = await this.#family.train({
      ...{ train, validation, normalisation, checkpoint, tensorflow, turn },
      ...{ source: this.#source, features: this.#features, preset: this.#preset },
      // Each fold draws its own numbers, the final fit those of the seed itself.
      seed: this.#task.seed + 1_000_003 * (place.fold ?? 0),
      onEpoch: ({ epoch, trainLoss, testLoss, testRocAuc }, epochs) =>
        onProgress({ ...place, epoch, epochs, trainLoss, testLoss, testRocAuc }),
      onCheckpoint: ({ progress, bytes }) => {
        if (place.phase !== 'study') this.#checkpoint({ ...this.#progress, fit: progress }, bytes);
      },
    });
    const measured = outcome.epochs.reduce((sum, { ms }) => sum + ms, 0);
    if (outcome.epochs.length === 0) {
      onProgress({ ...place, epoch: 1, epochs: 1, trainLoss: null, testLoss: null, testRocAuc: null });
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
  ): Promise<Unseen[]> {
    const judged: Unseen[] = [];
    for (let from = 0; from < examples.length; from += predictionBatch) {
      await this.#environment.turn();
      const batch = examples.slice(from, from + predictionBatch);
      const recordings = await Promise.all(batch.map(({ index }) => readRecording(this.#source, index)));
      const probabilities = await predict(recordings);
      for (const [i, example] of batch.entries()) {
        const probability = probabilities[i]!;
        if (!Number.isFinite(probability))
          throw new PermanentError('the model gave a probability that is not a number');
        judged.push({ ...example, probability });
      }
    }
    return judged;
  }

  #checkpoint(progress: Progress, bytes: Uint8Array): void {
    this.#progress = progress;
    this.#environment.onCheckpoint({ progress: progress as unknown as Record<string, Json>, bytes });
  }
}
