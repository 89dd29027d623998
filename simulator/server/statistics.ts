/** What the simulator has seen and done, for benches that must know how frugal a crawl was. */
import type { Cdn } from './chaos.ts';
import type { ChaosKind } from './chaos-table.ts';

export type Endpoint = 'token' | 'search' | 'preview' | 'stream' | 'deezer' | 'other';

export interface SimulatorStatistics {
  /**
   * Requests by endpoint, and there by status. `unfinished` are those whose answer did not leave whole: cut or
   * reset by chaos, or given up by the client.
   */
  requests: Partial<Record<Endpoint, Record<string, number>>>;
  tokensGiven: number;
  /** Rows of search answers that left whole and could be read. */
  searchRowsServed: number;
  /** Searches that came although a Retry-After, fully sent before, had not passed yet. */
  insideRetryAfter: number;
  /** Milliseconds after its telling at which the latest of them came: a few may be requests that crossed it. */
  insideRetryAfterWorstMs: number;
  previews: {
    /** Addresses whose audio was served in full, Spotify's and Deezer's counted each. */
    addresses: number;
    /** Full bodies served. */
    total: number;
  };
  /** Addresses served in full more than once. */
  previewsServedTwice: number;
  /** Paths of the first 20 of them. */
  previewsServedTwiceExamples: string[];
  /** Answers of Deezer about a track, known or not. */
  deezerLookups: number;
  /** Faults that struck, by kind. */
  chaos: Partial<Record<ChaosKind, number>>;
}

const mostExamples = 20;

/** Counts. Memory is bounded: four bytes a recording and CDN, whatever is asked for. */
export class Counters {
  searchRowsServed = 0;
  deezerLookups = 0;
  readonly #requests: SimulatorStatistics['requests'] = {};
  readonly #chaos: SimulatorStatistics['chaos'] = {};
  readonly #attempts: Record<Cdn, Uint16Array>;
  readonly #served: Record<Cdn, Uint16Array>;
  readonly #previews = { addresses: 0, total: 0 };
  #twice = 0;
  readonly #twiceExamples: string[] = [];

  constructor(tracks: number) {
    this.#attempts = { spotify: new Uint16Array(tracks), deezer: new Uint16Array(tracks) };
    this.#served = { spotify: new Uint16Array(tracks), deezer: new Uint16Array(tracks) };
  }

  request(endpoint: Endpoint, outcome: string): void {
    this.#requests[endpoint] ??= {};
    const outcomes = this.#requests[endpoint];
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }

  struck(kind: ChaosKind): void {
    this.#chaos[kind] = (this.#chaos[kind] ?? 0) + 1;
  }

  /** @returns how many attempts at this address there were before */
  attempt(cdn: Cdn, recording: number): number {
    const before = this.#attempts[cdn][recording]!;
    this.#attempts[cdn][recording] = Math.min(before + 1, 65_535);
    return before;
  }

  /** A preview has left whole. */
  served(cdn: Cdn, recording: number, path: string): void {
    const times = Math.min(this.#served[cdn][recording]! + 1, 65_535);
    this.#served[cdn][recording] = times;
    this.#previews.total++;
    if (times === 1) this.#previews.addresses++;
    if (times !== 2) return;
    this.#twice++;
    if (this.#twiceExamples.length < mostExamples) this.#twiceExamples.push(path);
  }

  /** A copy of what was counted here. */
  report(): Omit<SimulatorStatistics, 'tokensGiven' | 'insideRetryAfter' | 'insideRetryAfterWorstMs'> {
    return structuredClone({
      requests: this.#requests,
      searchRowsServed: this.searchRowsServed,
      previews: this.#previews,
      previewsServedTwice: this.#twice,
      previewsServedTwiceExamples: this.#twiceExamples,
      deezerLookups: this.deezerLookups,
      chaos: this.#chaos,
    });
  }
}
