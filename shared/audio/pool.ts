import workerpool from 'workerpool';
import { CancelledError, PermanentError } from '../errors.ts';
import { entryPoint } from '../paths.ts';
import { Turns } from '../turns.ts';
import { MEMORY_SIGNAL, RETIRED_EXIT_CODE } from './child-end.ts';
import type { LogMelExcerpt, LogMelParameters } from './log-mel.ts';
import type { SpectrogramParameters } from './parameters.ts';
import type { SpectrogramResult } from './spectrogram.ts';

/** What a child process answers: errors lose their class on the way between processes. */
export type ChildOutcome<T> = { kind: 'made'; result: T } | { kind: 'permanent'; reason: string };

/** JavaScript's heap in a child, in megabytes. Audio lies outside of it; parent-watch.ts bounds that. */
const HEAP_MEGABYTES = 256;
/** How long a child that is told to end may take before it is killed, in milliseconds. */
const TERMINATE_MS = 200;
/** How long `close` waits for children that do not report their end, in milliseconds. */
const CLOSE_MS = 5 * TERMINATE_MS;
/** A child may be killed for what is not the file's fault (an operator, a machine short of memory): once more. */
const ATTEMPTS = 2;
/** workerpool's message for a child that had died before it was given the task. */
const DEAD_BEFORE_START = 'Worker is terminated';

export interface SpectrogramPoolOptions {
  /** Child processes at most, and so files at a time. They start when needed and stay. */
  processes: number;
  /** Longest that one file may take, in seconds, the start of a child process included. */
  timeoutSeconds: number;
  /** Memory above which a child is replaced before its next file, in megabytes; default 512. */
  retireMegabytes?: number;
}

/**
 * Makes spectrograms in child processes, so that a file that crashes FFmpeg, fills the memory or keeps
 * it busy for ever costs one child and not this process.
 *
 * Children run what was built (dist/). They end when this process does, even by SIGKILL.
 */
export class SpectrogramPool {
  readonly #pool: ReturnType<typeof workerpool.pool>;
  readonly #timeoutSeconds: number;
  /** workerpool's own queue stands still after a child has died: it is given no more tasks than children. */
  readonly #turns: Turns;
  #closed = false;

  constructor({ processes, timeoutSeconds, retireMegabytes = 512 }: SpectrogramPoolOptions) {
    this.#turns = new Turns(processes);
    this.#timeoutSeconds = timeoutSeconds;
    this.#pool = workerpool.pool(entryPoint('shared/audio/spectrogram-process.ts'), {
      workerType: 'process',
      maxWorkers: processes,
      workerTerminateTimeout: TERMINATE_MS,
      forkArgs: [String(retireMegabytes)],
      forkOpts: {
        // Bytes travel as bytes: as JSON, a megabyte of audio would be four of digits and commas.
        serialization: 'advanced',
        execArgv: [`--max-old-space-size=${HEAP_MEGABYTES}`],
      },
    });
  }

  /**
   * Make the spectrogram of an audio file, as {@link makeSpectrogram} does. Waits for a free child.
   *
   * @param bytes a whole audio file
   * @param signal gives up waiting, or ends the child that is at work
   * @throws PermanentError with a reason for people: the file cannot be used, takes too long, or crashes
   *   the decoder
   * @throws CancelledError when the signal is aborted or the pool is closed
   */
  make(
    bytes: Uint8Array,
    parameters: SpectrogramParameters,
    signal?: AbortSignal,
  ): Promise<SpectrogramResult> {
    return this.#run('makeSpectrogram', [bytes, parameters], signal);
  }

  /** Make the logarithmic mel spectrogram of an audio file, as {@link makeLogMel} does; else as `make`. */
  makeLogMel(bytes: Uint8Array, parameters: LogMelParameters, signal?: AbortSignal): Promise<Float32Array> {
    return this.#run('makeLogMel', [bytes, parameters], signal);
  }

  /** As `makeLogMel`, with the place of the excerpt. */
  makeLogMelExcerpt(
    bytes: Uint8Array,
    parameters: LogMelParameters,
    signal?: AbortSignal,
  ): Promise<LogMelExcerpt> {
    return this.#run('makeLogMelExcerpt', [bytes, parameters], signal);
  }

  /** Write what `make` looks at of an audio file as a WAV file, as {@link makeExcerptWav} does. */
  makeExcerptWav(
    bytes: Uint8Array,
    parameters: SpectrogramParameters,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    return this.#run('makeExcerptWav', [bytes, parameters], signal);
  }

  async #run<T>(method: string, task: readonly unknown[], signal: AbortSignal | undefined): Promise<T> {
    const outcome = await this.#turns.run(() => this.#attempt<T>(method, task, signal), signal);
    if (outcome.kind === 'permanent') throw new PermanentError(outcome.reason);
    return outcome.result;
  }

  /** End all children, and with them what they are at. Files in the queue fail with CancelledError. */
  async close(): Promise<void> {
    this.#closed = true;
    // A child that died idle is never reported as ended by workerpool.
    let timer: NodeJS.Timeout | undefined;
    const longEnough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([this.#pool.terminate(true), longEnough]);
    clearTimeout(timer);
  }

  async #attempt<T>(
    method: string,
    task: readonly unknown[],
    signal: AbortSignal | undefined,
  ): Promise<ChildOutcome<T>> {
    for (let attempt = 1; ; ) {
      this.#refuseIfOver(signal);
      try {
        return await this.#execute<T>(method, task, signal);
      } catch (error) {
        this.#refuseIfOver(signal);
        if (error instanceof workerpool.Promise.TimeoutError) {
          return { kind: 'permanent', reason: `decoding took over ${this.#timeoutSeconds} s` };
        }
        if (!(error instanceof workerpool.TerminateError)) throw error;
        // Each such child is taken off the list when it is found, so this comes to an end.
        if (error.message === DEAD_BEFORE_START) continue;
        const { signal: endSignal, code } = endOf(error.message);
        if (code === RETIRED_EXIT_CODE) continue;
        if (attempt++ < ATTEMPTS) continue;
        const how = endSignal ?? `exit code ${code}`;
        const reason =
          endSignal === MEMORY_SIGNAL ? 'decoding took too much memory' : `decoding crashed (${how})`;
        return { kind: 'permanent', reason };
      }
    }
  }

  async #execute<T>(
    method: string,
    task: readonly unknown[],
    signal: AbortSignal | undefined,
  ): Promise<ChildOutcome<T>> {
    const running = this.#pool.exec(method, [...task]);
    const cancel = (): void => {
      running.cancel();
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return (await running.timeout(this.#timeoutSeconds * 1_000)) as ChildOutcome<T>;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  #refuseIfOver(signal: AbortSignal | undefined): void {
    if (this.#closed) throw new CancelledError('the spectrogram pool was closed');
    if (signal?.aborted) throw new CancelledError('decoding was cancelled');
  }
}

/** Read workerpool's message on a child that ended, which is the only place where it says how. */
function endOf(message: string): { signal: string | undefined; code: number | undefined } {
  const code = /exitCode: `(\d+)`/.exec(message)?.[1];
  return {
    signal: /signalCode: `(SIG\w+)`/.exec(message)?.[1],
    code: code === undefined ? code : Number(code),
  };
}
