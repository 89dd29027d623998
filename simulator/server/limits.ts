/** Rate limits, in `performance.now()`'s milliseconds. */

/** So many in any stretch of time of a given length. */
export class RollingWindow {
  /** When those that count came, oldest first. */
  readonly #times: number[] = [];

  /**
   * Take a place if there is one.
   * @returns 0, or in how many milliseconds there will be one
   */
  take(now: number, limit: number, windowMs: number): number {
    while (this.#times[0] !== undefined && this.#times[0] <= now - windowMs) this.#times.shift();
    if (this.#times.length < limit) {
      this.#times.push(now);
      return 0;
    }
    // The limit may have been lowered since: as many must leave as are too many.
    return this.#times[this.#times.length - limit]! + windowMs - now;
  }
}

/** Remembers what clients were told to wait, and notices those that do not. */
export class Patience {
  #toldAt = 0;
  #until = 0;
  #inside = 0;
  #worstMs = 0;

  /** A Retry-After has left for the client. */
  told(now: number, seconds: number): void {
    if (now + seconds * 1000 <= this.#until) return;
    // The wait goes on from one telling to the next: its beginning is the first.
    if (now >= this.#until) this.#toldAt = now;
    this.#until = now + seconds * 1000;
  }

  /** A request has come. */
  arrived(now: number): void {
    if (now >= this.#until) return;
    this.#inside++;
    this.#worstMs = Math.max(this.#worstMs, now - this.#toldAt);
  }

  /** Requests inside a Retry-After. */
  get inside(): number {
    return this.#inside;
  }

  /** How long after it was told the latest of them came; one of a few milliseconds had crossed the answer. */
  get worstMs(): number {
    return Math.round(this.#worstMs * 10) / 10;
  }
}
