import { LRUCache } from 'lru-cache';

/** What costs something to make and does not change: made once for a key, however many ask at once. */
export class Kept<T> {
  readonly #made: LRUCache<string, Promise<T>>;

  /** @param max so many are kept, the last ones that were asked for */
  constructor(max: number) {
    this.#made = new LRUCache({ max });
  }

  /** What is made already, or being made. */
  find(key: string): Promise<T> | undefined {
    return this.#made.get(key);
  }

  /** What cannot be made is tried anew by the next who asks. */
  get(key: string, make: () => Promise<T>): Promise<T> {
    const before = this.find(key);
    if (before) return before;
    const made = make();
    this.#made.set(key, made);
    made.catch(() => this.#made.delete(key));
    return made;
  }
}
