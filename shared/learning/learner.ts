import { type CallOptions, TensorFlowProcess } from '../tensorflow/process.ts';
import type { ExplainRequest, SongExplanation } from './explain/explain-song.ts';
import type { Description, LearnerOptions, TrainEvent } from './learner-messages.ts';
import type { Recording } from './recording.ts';
import { ShardError } from './shards.ts';
import type { ScoringModel, TrainCheckpoint, TrainProgress, TrainResult, TrainTask } from './task.ts';

export type { Description, LearnerOptions } from './learner-messages.ts';

/** Calls come one after another, each awaited; what they throw fails the training. */
export interface TrainHandlers {
  onProgress?: (progress: TrainProgress) => void | Promise<void>;
  /** Keep it: a later `train` with it as the task's `checkpoint` goes on from there. */
  onCheckpoint?: (checkpoint: TrainCheckpoint) => void | Promise<void>;
  signal?: AbortSignal;
}

/**
 * Trains and judges in one child process, so that TensorFlow never blocks this one's event loop.
 * What is asked for runs one after another. The process starts with the first request, is started again
 * should it end by itself, and ends with `close` or with this process.
 */
export class Learner {
  readonly #options: LearnerOptions;
  readonly #process: TensorFlowProcess;
  #description: Description | undefined;

  /** @param environment variables for the process; those that TensorFlow needs are added. */
  constructor(options: LearnerOptions, environment: Readonly<Record<string, string | undefined>>) {
    this.#options = options;
    this.#process = new TensorFlowProcess({
      entry: 'shared/learning/learner-process.ts',
      preference: options.preference,
      environment,
      name: 'the learning process',
      errors: { ShardError },
    });
  }

  /**
   * Load TensorFlow and say which one it is.
   * @throws UserError when the preferred one cannot be had.
   */
  async describe(): Promise<Description> {
    this.#description ??= await this.#run<Description>('describe', []);
    return this.#description;
  }

  /**
   * Train a model.
   *
   * @throws UserError, PermanentError when it cannot be done as asked.
   * @throws CancelledError when the signal was aborted; what was learned is in the last checkpoint.
   * @throws ShardError when the cache of the data set is damaged: build it again.
   * @throws Error when the process ended by itself.
   */
  async train(
    task: TrainTask,
    { onProgress, onCheckpoint, signal }: TrainHandlers = {},
  ): Promise<TrainResult> {
    const stop = new AbortController();
    let problem: unknown;
    let handled: Promise<void> = Promise.resolve();
    const onEvent = (event: TrainEvent): void => {
      handled = handled
        .then(() =>
          event.kind === 'progress' ? onProgress?.(event.progress) : onCheckpoint?.(event.checkpoint),
        )
        .catch((error: unknown) => {
          problem ??= error;
          stop.abort();
        });
    };
    const stopping = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const training = this.#run<TrainResult>('train', [task], { signal: stopping, onEvent });
    // Also after a failure: the last checkpoint is in place before anybody goes on from it.
    await Promise.allSettled([training]);
    await handled;
    if (problem !== undefined) throw problem;
    return training;
  }

  /**
   * Judge songs with a model.
   * @returns for each recording the probability of being popular, 0 to 1.
   */
  async score(
    model: ScoringModel,
    recordings: readonly Recording[],
    signal?: AbortSignal,
  ): Promise<number[]> {
    const plain = recordings.map(({ levels, frames, embedding, facts }) => ({
      levels,
      frames,
      embedding,
      facts,
    }));
    return this.#run<number[]>('score', [model, plain], signal ? { signal } : {});
  }

  /**
   * Explain what a model says of a song.
   * @throws UserError when the request has the tagger's input and the tagger is not set up here.
   * @throws CancelledError when the signal was aborted.
   */
  explain(model: ScoringModel, request: ExplainRequest, signal?: AbortSignal): Promise<SongExplanation> {
    return this.#run<SongExplanation>('explain', [model, request], signal ? { signal } : {});
  }

  /** End the process; what it is doing is cancelled. */
  close(): Promise<void> {
    return this.#process.close();
  }

  #run<T>(method: string, parameters: unknown[], options: CallOptions<TrainEvent> = {}): Promise<T> {
    return this.#process.call<T, TrainEvent>(method, [this.#options, ...parameters], options);
  }
}
