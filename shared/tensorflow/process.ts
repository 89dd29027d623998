import workerpool from 'workerpool';
import { CancelledError, PermanentError, UserError } from '../errors.ts';
import { entryPoint } from '../paths.ts';
import { tensorflowEnvironment } from './environment.ts';
import type { Preference } from './load.ts';

/** How long the process may take to come to its next turn before it is ended by force. */
const graceMs = 5_000;

const steering = { CancelledError, PermanentError, UserError } as const;
type ErrorClass = new (message: string) => Error;

export interface TensorFlowProcessOptions {
  /** The process's file, which calls `workerpool.worker`. */
  entry: `${string}.ts`;
  preference: Preference;
  /** Variables for the process; those that TensorFlow needs are added. */
  environment: Readonly<Record<string, string | undefined>>;
  /** What it is, for people: `the learning process`. */
  name: string;
  /** Errors of its own that keep their class on the way here; those of errors.ts do anyway. */
  errors?: Readonly<Record<string, ErrorClass>>;
}

/** What can be had of a call besides its answer. */
export interface CallOptions<Event> {
  signal?: AbortSignal;
  onEvent?: (event: Event) => void;
}

/**
 * A child process that computes with TensorFlow, whose calls block, so that this one's event loop never
 * waits. What is asked for runs one after another. The process starts with the first call, is started again
 * should it end by itself, and ends with `close` or with this process.
 */
export class TensorFlowProcess {
  readonly #name: string;
  readonly #errors: Readonly<Record<string, ErrorClass>>;
  readonly #pool: workerpool.Pool;
  /** Ends the process by force. */
  readonly #kill = new AbortController();
  #closing: Promise<void> | undefined;

  constructor({ entry, preference, environment, name, errors = {} }: TensorFlowProcessOptions) {
    this.#name = name;
    this.#errors = { ...steering, ...errors };
    this.#pool = workerpool.pool(entryPoint(entry), {
      workerType: 'process',
      maxWorkers: 1,
      workerTerminateTimeout: graceMs,
      forkOpts: {
        serialization: 'advanced',
        env: { ...environment, ...tensorflowEnvironment(preference) },
        signal: this.#kill.signal,
        killSignal: 'SIGKILL',
      },
    });
  }

  /**
   * Call a method of the process.
   * @throws CancelledError when the signal was aborted or the process is being closed
   * @throws what the method throws; Error when the process ended by itself
   */
  async call<T, Event = never>(
    method: string,
    parameters: readonly unknown[],
    { signal, onEvent }: CallOptions<Event> = {},
  ): Promise<T> {
    if (signal?.aborted || this.#closing) throw new CancelledError(`${method} was cancelled`);
    const asked = this.#pool.exec(method, [...parameters], onEvent ? { on: onEvent } : {});
    const cancel = (): void => void asked.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return (await asked) as T;
    } catch (error) {
      if (signal?.aborted || this.#closing) throw new CancelledError(`${method} was cancelled`);
      throw this.#unexpectedEnd(error) ?? this.#revive(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** End the process; what it is doing is cancelled. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const deadline = setTimeout(() => this.#kill.abort(), graceMs);
    try {
      await this.#pool.terminate(true);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Make an error of its class again after it crossed the border between processes as plain data. */
  #revive(error: unknown): Error {
    const { name, message, stack } = error as Partial<Error>;
    const Known = name !== undefined && Object.hasOwn(this.#errors, name) ? this.#errors[name] : undefined;
    if (Known) return new Known(message ?? '');
    const revived = new Error(message ?? String(error));
    if (stack !== undefined) revived.stack = stack;
    return revived;
  }

  /** Turn workerpool's report of a process that ended by itself into one line for people. */
  #unexpectedEnd(error: unknown): Error | null {
    const text = error instanceof Error ? error.message : '';
    const found = /terminated Unexpectedly[\s\S]*exitCode: `([^`]*)`[\s\S]*signalCode: `([^`]*)`/.exec(text);
    if (!found) return null;
    const [, exitCode, signal] = found;
    const how = signal === 'null' ? `exit status ${exitCode}` : `signal ${signal}`;
    const hint = signal === 'SIGKILL' ? ': out of memory, or killed by hand' : '';
    return new Error(`${this.#name} ended unexpectedly (${how}${hint})`);
  }
}
