import { PermanentError } from '../errors.ts';
import type { LoadedTensorFlow } from '../tensorflow/index.ts';
import type { FeatureSet, FeatureTable } from './features/sets.ts';
import type { Normalisation } from './normalisation.ts';
import type { Recording, RecordingSource } from './recording.ts';

/** JSON that goes to the database and over process borders. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A track as training sees it. */
export interface Example {
  /** Its place in the source. */
  readonly index: number;
  /** 1 is popular. */
  readonly label: 0 | 1;
  readonly group: number;
}

/** What one epoch did. Losses are mean cross entropies in nats. */
export interface EpochReport {
  readonly epoch: number;
  readonly trainLoss: number;
  /** On the examples for early stopping; null when there are none. */
  readonly testLoss: number | null;
  readonly testRocAuc: number | null;
  readonly ms: number;
}

/** Where a fit that is stopped can go on. */
export interface FitCheckpoint {
  readonly progress: JsonObject;
  /** In the format of weights.ts. */
  readonly bytes: Uint8Array;
}

/** All that a family may use to fit one model. */
export interface TrainingContext {
  readonly source: RecordingSource;
  /** Vectors of the source's recordings, shared by the fits of one task. */
  readonly features: FeatureTable;
  readonly train: readonly Example[];
  /** For early stopping and choices; never the holdout. May be empty. */
  readonly validation: readonly Example[];
  /** Of the train examples; computed when asked for, as not every family needs it. */
  readonly normalisation: () => Promise<Normalisation>;
  /** One of the family's presets. */
  readonly preset: string;
  readonly seed: number;
  /** Load TensorFlow, or give the one that is loaded. */
  readonly tensorflow: () => Promise<LoadedTensorFlow>;
  /** Await often: lets events through. @throws CancelledError once the training is cancelled. */
  readonly turn: () => Promise<void>;
  readonly onEpoch: (report: EpochReport, epochs: number) => void;
  /** Where an earlier, interrupted fit got to. */
  readonly checkpoint: FitCheckpoint | null;
  readonly onCheckpoint: (checkpoint: FitCheckpoint) => void;
}

/** A model as it is kept: all that is needed to judge songs with it. */
export interface StoredModel {
  /** Number of fitted values. */
  readonly parameters: number;
  readonly topology: JsonObject;
  /** In the format of weights.ts. */
  readonly weights: Uint8Array;
}

/** A model that can judge. */
export interface Predictor {
  /**
   * Judge recordings.
   * @returns for each the probability of being popular, 0 to 1.
   */
  predict(recordings: readonly Recording[]): Promise<number[]>;
  /** Give back what it holds, such as tensors. */
  dispose(): void;
}

export interface TrainingOutcome extends StoredModel {
  readonly epochs: readonly EpochReport[];
  /** Training samples that were gone through, epochs counted. */
  readonly samplesSeen: number;
  /** Popular is decided from this probability on: fitted on the train side alone; one half by default. */
  readonly decisionThreshold?: number;
  /** For people: what went wrong in the fit that the figures alone do not say. */
  readonly warnings?: readonly string[];
}

/** One kind of model: how to fit it and how to load what was fitted. */
export interface ModelFamily {
  readonly name: string;
  /** One sentence for people, with the source where there is one. */
  readonly description: string;
  readonly needsTensorFlow: boolean;
  /** What it judges by beside the spectrogram itself; none for networks. */
  readonly features: readonly FeatureSet[];
  /** Whether `validation` is used; where it is not, cross-validation trains on all of the other folds. */
  readonly usesValidation: boolean;
  /** Names that `preset` may have, the default first, each with one line for people. */
  readonly presets: Readonly<Record<string, string>>;
  train(context: TrainingContext): Promise<TrainingOutcome>;
  load(
    model: Pick<StoredModel, 'topology' | 'weights'>,
    tensorflow: TrainingContext['tensorflow'],
  ): Promise<Predictor>;
}

/** @throws PermanentError always, with what to do: the model is of a form that this version does not read. */
export function refuseEarlierForm(): never {
  throw new PermanentError(
    'this model was made by an earlier version of the program, which kept models in another form: train it again',
  );
}
