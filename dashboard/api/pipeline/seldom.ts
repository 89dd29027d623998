/** Readings that cost something, shared by all who ask. */
import { restMs } from '../../rest.ts';

interface Options {
  /** Part of the time that the reading may take, 0 to 1. */
  share?: number;
  /** A value is fresh for at least so long, in milliseconds. */
  freshMs?: number;
}

/** Reads when it is asked and the last reading is old: the costlier it is, the older that may be. */
export class Seldom<T> {
  readonly #read: () => Promise<T>;
  readonly #share: number;
  readonly #freshMs: number;
  #value: Promise<T> | null = null;
  #freshUntil = 0;
  #readAt = 0;

  constructor(read: () => Promise<T>, { share = 0.05, freshMs = 900 }: Options = {}) {
    this.#read = read;
    this.#share = share;
    this.#freshMs = freshMs;
  }

  /** When the newest reading began that has ended, in milliseconds since 1970. */
  get readAt(): number {
    return this.#readAt;
  }

  get(): Promise<T> {
    if (this.#value && performance.now() < this.#freshUntil) return this.#value;
    const started = performance.now();
    const readAt = Date.now();
    const value = this.#read();
    this.#value = value;
    this.#freshUntil = Number.POSITIVE_INFINITY; // until it is known what it costs
    value.then(
      () => {
        this.#readAt = Math.max(this.#readAt, readAt);
        // One that was forgotten meanwhile says nothing of the reading that took its place.
        if (this.#value !== value) return;
        const now = performance.now();
        this.#freshUntil = now + restMs(now - started, this.#share, this.#freshMs);
      },
      () => {
        if (this.#value === value) this.#value = null;
      },
    );
    return value;
  }

  /** Something has changed: the next to ask reads anew. */
  forget(): void {
    this.#value = null;
  }
}
