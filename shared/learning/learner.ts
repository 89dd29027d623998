import workerpool from 'workerpool';
import { CancelledError, PermanentError } from '../errors.ts';
import { entryPoint } from '../paths.ts';
import { type LoadOptions, type Preference, tensorflowEnvironment } from '../tensorflow/index.ts';
import type { Spectrogram } from './spectrograms.ts';
import type { Checkpoint, LearningProgress, LearningResult, LearningTask, RegisteredModel } from './task.ts';

/** What the child answers: done, or a reason for people why it can never be done. */
export type LearnerAnswer<T> = { kind: 'done'; result: T } | { kind: 'permanent'; reason: string };

/** What the child tells on the way. */
export type LearnerEvent =
  | { kind: 'progress'; progress: LearningProgress }
  | { kind: 'checkpoint'; checkpoint: Checkpoint };

export interface LearnerHooks {
  signal: AbortSignal;
  onProgress: (progress: LearningProgress) => Promise<void>;
  onCheckpoint: (checkpoint: Checkpoint) => Promise<void>;
}

type Pool = ReturnType<typeof workerpool.pool>;

/** How long a child that is told to end may take before it is killed, in milliseconds. */
const terminateMs = 500;

/**
 * Trains and scores in child processes, one for each, so that TensorFlow never blocks the event loop of
 * this one (a blocked worker loses the locks of its jobs) and a song does not wait for a training.
 * Children run what was built (dist/), start when first needed, and end when this process does.
 */
export class Learner {
  readonly #preference: Preference;
  readonly #pools = new Map<'train' | 'score', Pool>();
  #closed = false;

  /** @param preference which TensorFlow; `cpu` hides a GPU from the children */
  constructor({ preference }: { preference: Preference }) {
    this.#preference = preference;
  }

  /**
   * Train and evaluate a model.
   *
   * @throws PermanentError with a reason for people when the task cannot be done
   * @throws CancelledError when the signal is aborted or the learner is closed: the child is ended, and
   *   the last checkpoint that was handed over is where another call can go on
   */
  async train(
    task: LearningTask,
    { signal, onProgress, onCheckpoint }: LearnerHooks,
  ): Promise<LearningResult> {
    // One after the other, so that an older checkpoint never lands after a newer one.
    let stored: Promise<void> = Promise.resolve();
    let lost: unknown;
    const hearing = (event: LearnerEvent): void => {
      stored = stored
        .then(() => (event.kind === 'progress' ? onProgress(event.progress) : onCheckpoint(event.checkpoint)))
        .catch((error: unknown) => {
          lost ??= error;
        });
    };
    const result = await this.#run<LearningResult>('train', [task], signal, hearing).finally(() => stored);
    if (lost !== undefined) throw lost;
    return result;
  }

  /**
   * Score spectrograms with a model of the registry.
   *
   * @returns for each the probability of being popular, 0 to 1
   * @throws PermanentError when the model cannot be used here; CancelledError when the signal is aborted
   */
  async score(
    model: RegisteredModel,
    spectrograms: readonly Spectrogram[],
    options: LoadOptions,
    signal?: AbortSignal,
  ): Promise<number[]> {
    return this.#run<number[]>('score', [model, spectrograms, options], signal);
  }

  /** End the children, and with them what they are at. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#pools.values()].map((pool) => pool.terminate(true)));
    this.#pools.clear();
  }

  async #run<T>(
    method: 'train' | 'score',
    parameters: unknown[],
    signal?: AbortSignal,
    on?: (event: LearnerEvent) => void,
  ): Promise<T> {
    const refuse = (): void => {
      if (this.#closed || signal?.aborted) throw new CancelledError(`the ${method} job was cancelled`);
    };
    refuse();
    const pool = this.#poolOf(method);
    const task = pool.exec(method, parameters, { on: (event: LearnerEvent) => on?.(event) });
    const cancel = (): void => {
      task.cancel();
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const answer = (await task) as LearnerAnswer<T>;
      if (answer.kind === 'permanent') throw new PermanentError(answer.reason);
      return answer.result;
    } catch (error) {
      refuse();
      // workerpool does not recover from a child that died: the next call starts afresh.
      if (error instanceof workerpool.TerminateError) {
        this.#pools.delete(method);
        await pool.terminate(true);
        throw new Error(`the learner's process died: ${error.message.split('\n')[0]}`);
      }
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  #poolOf(method: 'train' | 'score'): Pool {
    let pool = this.#pools.get(method);
    if (!pool) {
      pool = workerpool.pool(entryPoint('shared/learning/learner-process.ts'), {
        workerType: 'process',
        maxWorkers: 1,
        workerTerminateTimeout: terminateMs,
        forkOpts: {
          // Weights travel as bytes.
          serialization: 'advanced',
          // biome-ignore lint/style/noProcessEnv: TensorFlow reads its settings from the child's environment
          env: { ...process.env, ...tensorflowEnvironment(this.#preference) },
        },
      });
      this.#pools.set(method, pool);
    }
    return pool;
  }
}
