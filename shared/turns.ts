/** Costly work takes turns, so that a crowd of requests cannot use up what others need too. */
import { CancelledError, CrowdedError } from './errors.ts';

export class Turns {
  readonly #waiting: (() => void)[] = [];
  readonly #mostWaiting: number;
  #free: number;

  /** @param mostWaiting who comes when so many wait already is sent away */
  constructor(atOnce: number, mostWaiting = Number.POSITIVE_INFINITY) {
    this.#free = atOnce;
    this.#mostWaiting = mostWaiting;
  }

  /**
   * Do the work when it is its turn.
   * @param signal gives up waiting
   * @throws CrowdedError when too many wait already
   * @throws CancelledError when the signal was aborted before its turn came
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#take(signal);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw new CancelledError('it was cancelled before its turn came');
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    if (this.#waiting.length >= this.#mostWaiting) {
      throw new CrowdedError('too much of this is asked for at once: try again in a moment');
    }
    await new Promise<void>((resolve, reject) => {
      const start = () => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(new CancelledError('it was cancelled before its turn came'));
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(start);
    });
  }
}
