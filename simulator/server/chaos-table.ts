/** How often the outside has a bad day: the one table of faults, each with its reason. */

export const chaosLevels = ['none', 'mild', 'wild'] as const;
export type ChaosLevel = (typeof chaosLevels)[number];

interface Row {
  /** Share of what the fault is about: of requests, or of addresses. */
  mild: number;
  wild: number;
}

const table = {
  // Of search requests. These spoil the delivery, and one excludes the others.
  /** That a burst of 500, 502 and 503 begins: a front end that restarts fails everybody for a moment. */
  'search-5xx': { mild: 0.004, wild: 0.015 },
  /** An answer that takes its time, 1 to 3 s, wild up to 20 s: a cold shard behind the search. */
  'search-slow': { mild: 0.008, wild: 0.01 },
  /** The connection ends half-way through the body: a proxy that loses its upstream. */
  'search-cut': { mild: 0.006, wild: 0.025 },
  /** A whole answer of status 200 that is not JSON: an error page in the middle of a good answer. */
  'search-malformed': { mild: 0.004, wild: 0.015 },
  /** The connection is reset before any answer: a load balancer that drops it. */
  'search-reset': { mild: 0.004, wild: 0.015 },
  /** 429 although nobody was too fast: the limit is shared with whoever else uses the application. */
  'search-429': { mild: 0.003, wild: 0.01 },
  /** The token is suddenly unknown: keys are changed without notice. */
  'search-401': { mild: 0.002, wild: 0.006 },

  // Of search answers that arrive. These spoil the content, each by itself.
  /** `total` is off by up to 3 %: it is an estimate that differs by replica. */
  'search-total': { mild: 0.2, wild: 0.4 },
  /** The last one to three rows are missing although there are more: filtered after the page was cut. */
  'search-short': { mild: 0.01, wild: 0.04 },
  /** A row comes twice, in place of another: the index changed between two shards' answers. */
  'search-repeat': { mild: 0.01, wild: 0.04 },

  // Of preview addresses, for ever: no request ever gets the audio. In sum 2 % and 6 %.
  /** Withdrawn. */
  'preview-404': { mild: 0.008, wild: 0.02 },
  /** Not for this country. */
  'preview-403': { mild: 0.004, wild: 0.012 },
  /** An HTML page with status 200: the network's log-in page, or a soft 404. */
  'preview-html': { mild: 0.003, wild: 0.01 },
  /** A redirect to a place that no crawler may go to: what an attacker would answer. */
  'preview-astray': { mild: 0.004, wild: 0.014 },
  /** A redirect to itself, without end. */
  'preview-loop': { mild: 0.001, wild: 0.004 },

  // Of preview addresses, for ever, but the audio can be had.
  /** Good bytes as text/plain: a bucket that guesses types. */
  'preview-type': { mild: 0.01, wild: 0.03 },
  /** One redirect, to a good address of the same host: moved storage. */
  'preview-moved': { mild: 0.01, wild: 0.03 },

  // Of preview addresses, on the first one to three attempts. In sum 5 % and 15 %.
  /** Fewer bytes than Content-Length says. */
  'preview-truncated': { mild: 0.015, wild: 0.045 },
  /** Busy. */
  'preview-503': { mild: 0.015, wild: 0.045 },
  /** All bytes, but over 2 to 4 s, wild to 8 s: a congested edge. */
  'preview-trickle': { mild: 0.01, wild: 0.03 },
  /** The connection is reset before any answer. */
  'preview-reset': { mild: 0.01, wild: 0.03 },

  // Of requests to Deezer.
  /** 500, 502 or 503. */
  'deezer-5xx': { mild: 0.01, wild: 0.03 },
  /** The quota error although nobody was too fast: the quota is by address, and offices share one. */
  'deezer-quota': { mild: 0.005, wild: 0.02 },
  /** A body that is not JSON. */
  'deezer-malformed': { mild: 0.005, wild: 0.015 },
} satisfies Record<string, Row>;

export type ChaosKind = keyof typeof table;
export const chaosKinds = Object.keys(table) as [ChaosKind, ...ChaosKind[]];
/** The share of each fault, 0 to 1. */
export type ChaosRates = Record<ChaosKind, number>;

export interface Chaos {
  /** How bad the faults are: how slow is slow. */
  level: ChaosLevel;
  rates: ChaosRates;
}

/** The faults of a level, with some of their shares replaced. */
export function chaosOf(level: ChaosLevel, replaced: Partial<ChaosRates> = {}): Chaos {
  const rates = chaosKinds.map((kind) => [
    kind,
    replaced[kind] ?? (level === 'none' ? 0 : table[kind][level]),
  ]);
  return { level, rates: Object.fromEntries(rates) as ChaosRates };
}
