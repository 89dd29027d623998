/** Access tokens of the accounts service. */
import { createHash } from 'node:crypto';

/** The tokens that are good. */
export class Tokens {
  readonly #seed: number;
  /** Token to the time of its end, in `performance.now()`'s milliseconds. */
  readonly #ends = new Map<string, number>();
  #given = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  get given(): number {
    return this.#given;
  }

  give(seconds: number): string {
    const now = performance.now();
    for (const [token, end] of this.#ends) if (end <= now) this.#ends.delete(token);
    const token = `BQ${createHash('sha512')
      .update(`${this.#seed}/token/${this.#given++}`)
      .digest('base64url')}`;
    this.#ends.set(token, now + seconds * 1000);
    return token;
  }

  isGood(token: string): boolean {
    return performance.now() < (this.#ends.get(token) ?? 0);
  }

  revoke(token: string): void {
    this.#ends.delete(token);
  }

  revokeAll(): void {
    this.#ends.clear();
  }
}
