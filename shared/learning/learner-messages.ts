import { CancelledError, PermanentError, UserError } from '../errors.ts';
import type { LoadedTensorFlow, Preference } from '../tensorflow/index.ts';
import { ShardError } from './shards.ts';
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

const steering = { CancelledError, PermanentError, UserError, ShardError } as const;

/** Make an error of its class again after it crossed the border between processes as plain data. */
export function reviveError(error: unknown): Error {
  const { name, message, stack } = error as Partial<Error>;
  if (name !== undefined && Object.hasOwn(steering, name)) {
    return new steering[name as keyof typeof steering](message ?? name);
  }
  const revived = new Error(message ?? String(error));
  if (stack !== undefined) revived.stack = stack;
  return revived;
}

/** Turn workerpool's report of a process that ended by itself into one line for people. */
export function unexpectedEnd(error: unknown): Error | null {
  const text = error instanceof Error ? error.message : '';
  const found = /terminated Unexpectedly[\s\S]*exitCode: `([^`]*)`[\s\S]*signalCode: `([^`]*)`/.exec(text);
  if (!found) return null;
  const [, exitCode, signal] = found;
  const how = signal === 'null' ? `exit status ${exitCode}` : `signal ${signal}`;
  const hint = signal === 'SIGKILL' ? ': out of memory, or killed by hand' : '';
  return new Error(`the learning process ended unexpectedly (${how}${hint})`);
}
