import { TensorFlowProcess } from '../tensorflow/process.ts';
import type { LoadTaggerOptions } from './load.ts';

/** The tagger in a child process, so that it never blocks this one's event loop. */
export class Tagger {
  readonly #options: LoadTaggerOptions;
  readonly #process: TensorFlowProcess;

  /** @param environment variables for the process; those that TensorFlow needs are added. */
  constructor(options: LoadTaggerOptions, environment: Readonly<Record<string, string | undefined>>) {
    this.#options = options;
    this.#process = new TensorFlowProcess({
      entry: 'shared/tagger/tagger-process.ts',
      preference: options.preference,
      environment,
      name: 'the tagger',
    });
  }

  /**
   * Load it, and say which back end it runs on.
   * @throws UserError when it has not been set up
   */
  describe(): Promise<string> {
    return this.#process.call('describe', [this.#options]);
  }

  /** As {@link LoadedTagger.embed}. @throws CancelledError when the signal is aborted */
  embed(logMel: Float32Array, signal?: AbortSignal): Promise<Float32Array> {
    return this.#process.call('embed', [this.#options, logMel], signal ? { signal } : {});
  }

  /** As {@link LoadedTagger.embedPatches}. @throws CancelledError when the signal is aborted */
  embedPatches(patches: Float32Array, signal?: AbortSignal): Promise<Float32Array> {
    return this.#process.call('embedPatches', [this.#options, patches], signal ? { signal } : {});
  }

  /** End the process; what it is doing is cancelled. */
  close(): Promise<void> {
    return this.#process.close();
  }
}
