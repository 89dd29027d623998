import type { LoadedTensorFlow, Preference } from '../tensorflow/index.ts';
import type { TrainCheckpoint, TrainProgress } from './task.ts';

/** How the learning process is to load TensorFlow. */
export interface LearnerOptions {
  readonly preference: Preference;
  /** The folder that `setUpTensorFlow` filled. */
  readonly cacheDir: string;
}

/** What runs in the learning process. */
export type Description = Omit<LoadedTensorFlow, 'tf'>;

/** What the learning process says while it trains. */
export type TrainEvent =
  | { readonly kind: 'progress'; readonly progress: TrainProgress }
  | { readonly kind: 'checkpoint'; readonly checkpoint: TrainCheckpoint };
