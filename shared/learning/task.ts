import type { LabelledRecord } from './cross-validation.ts';
import type { Metrics } from './evaluation/index.ts';
import type { EpochReport, FitCheckpoint, StoredModel } from './family.ts';
import type { Normalisation } from './normalisation.ts';
import type { Split } from './split.ts';
import type { Origin, Studies } from './studies.ts';
import type { ThresholdRule } from './threshold.ts';

/** One training: plain data, so that it can go to another process. */
export interface TrainTask {
  /** A name in `modelFamilies`. */
  readonly model: string;
  /** One of the family's presets; null for its default. */
  readonly preset: string | null;
  readonly seed: number;
  /** The null test: permute popularity over all tracks before anything is fitted. */
  readonly shuffleLabels: boolean;
  /** Number of folds, or null for none. */
  readonly crossValidationFolds: number | null;
  /** Where `writeShards` put the data set's spectrograms. */
  readonly shardsFolder: string;
  /** Where `writeEmbeddings` put what the tagger said of them; null where it was not asked. */
  readonly embeddingsFile: string | null;
  /** What is known of each track beside its audio, in the order of the shards; null: no model may use it. */
  readonly facts: readonly (readonly number[])[] | null;
  /** The data set's tracks, in the order of the shards. */
  readonly records: readonly (LabelledRecord & Origin & { readonly split: Split })[];
  /** The data set's, fitted on train. */
  readonly threshold: number;
  /** How cross-validation fits the threshold of its training folds. */
  readonly thresholdRule: ThresholdRule;
  /** The data set's, fitted on train. */
  readonly normalisation: Normalisation;
  /** Where an earlier, interrupted run of the same task got to. */
  readonly checkpoint: TrainCheckpoint | null;
}

/** Where a training goes on: finished folds with their scores, and the epoch of the fit at work. */
export type TrainCheckpoint = FitCheckpoint;

export interface TrainProgress {
  readonly phase: 'cross-validation' | 'study' | 'final';
  /** 1 to `folds`; null in the final fit. */
  readonly fold: number | null;
  /** Null when there is no cross-validation. */
  readonly folds: number | null;
  readonly epoch: number;
  /** At most this many epochs. */
  readonly epochs: number;
  readonly trainLoss: number | null;
  readonly testLoss: number | null;
  readonly testRocAuc: number | null;
}

/** What a model said of a track that it had not seen. */
export interface Prediction {
  /** The track's place in the data set. */
  readonly index: number;
  readonly side: 'holdout' | 'test' | 'out_of_fold';
  readonly probability: number;
  /** By the threshold that the model was fitted with. */
  readonly label: 0 | 1;
}

/** A trained model with its evaluation. */
export interface TrainResult extends StoredModel {
  /** The preset that was used: what `auto` chose. */
  readonly preset: string;
  /** `tensorflow-gpu`, `tensorflow-cpu`, `wasm`, or `javascript` for models without TensorFlow. */
  readonly backend: string;
  readonly metrics: {
    readonly holdout: Metrics;
    readonly test: Metrics;
    /** Out of fold over all tracks. */
    readonly crossValidation: (Metrics & { readonly folds: number }) | null;
    /** With a cross-validation, for models that are quickly fitted. */
    readonly studies: Studies | null;
    /** Of the final fit, a sample being one track in one epoch; milliseconds. */
    readonly trainMsPerSample: number;
    /** Of the final fit. */
    readonly epochs: readonly EpochReport[];
  };
  /** The holdout's probabilities, ascending: what a song's percentile is read from. */
  readonly holdoutScores: readonly number[];
  readonly predictions: readonly Prediction[];
  /** For people: such as a network that gives all songs the same probability. */
  readonly warnings: readonly string[];
}

/** A model as kept in the registry, for scoring. */
export type ScoringModel = Pick<StoredModel, 'topology' | 'weights'> & { readonly name: string };
