/** Who is struck: faults are drawn from the seed and a request's number or an address, so that runs repeat. */
import { createRandom, type Random } from '../random.ts';
import { type Chaos, type ChaosKind, type ChaosLevel, type ChaosRates, chaosOf } from './chaos-table.ts';

/** Whose CDN: the same recording has an address at each, and each has its own luck. */
export type Cdn = 'spotify' | 'deezer';

const delivery = [
  ...(['search-slow', 'search-cut', 'search-malformed'] as const),
  ...(['search-reset', 'search-429', 'search-401', 'search-5xx'] as const),
] as const;
const content = ['search-total', 'search-short', 'search-repeat'] as const;
const deezer = ['deezer-5xx', 'deezer-quota', 'deezer-malformed'] as const;
const never = [
  ...(['preview-404', 'preview-403', 'preview-html'] as const),
  ...(['preview-astray', 'preview-loop'] as const),
] as const;
const odd = ['preview-type', 'preview-moved'] as const;
const transient = ['preview-truncated', 'preview-503', 'preview-trickle', 'preview-reset'] as const;

export interface SearchFate {
  delivery: (typeof delivery)[number] | null;
  /** For a slow answer: how long it takes. */
  seconds: number;
  content: ReadonlySet<(typeof content)[number]>;
  /** For what else is up to chance in the fault. */
  random: Random;
}

/** Deals a fate to each search request in turn. */
export class SearchFates {
  readonly #seed: number;
  #requests = 0;
  /** Requests that the burst of 5xx still has to strike. */
  #burst = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  next({ level, rates }: Chaos): SearchFate {
    const random = createRandom(this.#seed, `${this.#requests++}/search`);
    let struck = draw(random, rates, delivery);
    if (this.#burst > 0) {
      this.#burst--;
      struck = 'search-5xx';
    } else if (struck === 'search-5xx') {
      this.#burst = random.whole(0, 4);
    }
    const spoilt = content.filter((kind) => random.chance(rates[kind]));
    const seconds = random.between(1, level === 'wild' ? 20 : 3);
    return { delivery: struck, seconds, content: new Set(spoilt), random };
  }
}

/** Deals a fault, or none, to each request to Deezer in turn. */
export class DeezerFates {
  readonly #seed: number;
  #requests = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  next({ rates }: Chaos): (typeof deezer)[number] | null {
    return draw(createRandom(this.#seed, `${this.#requests++}/deezer`), rates, deezer);
  }
}

/** Places that a redirect must never lead to: metadata services, this machine, private networks, files. */
export const forbiddenPlaces = [
  'http://169.254.169.254/latest/meta-data/',
  'http://[::ffff:169.254.169.254]/latest/meta-data/',
  'http://127.0.0.1:22/',
  'http://[::1]/preview.mp3',
  'http://2130706433/preview.mp3',
  'http://10.0.0.1/preview.mp3',
  'https://localhost.example/preview.mp3',
  'https://p.scdn.co.example/preview.mp3',
  'https://p.scdn.co@169.254.169.254/preview.mp3',
  'file:///etc/passwd',
] as const;

export type LastingFault =
  | { kind: Exclude<(typeof never)[number], 'preview-astray'> | (typeof odd)[number] }
  | { kind: 'preview-astray'; location: (typeof forbiddenPlaces)[number] };

/** What is always wrong with a recording's address. */
export function lastingFault(
  seed: number,
  recording: number,
  rates: ChaosRates,
  cdn: Cdn,
): LastingFault | null {
  const random = createRandom(seed, `${recording}/${cdn}/lasting`);
  const kind = draw(random, rates, [...never, ...odd]);
  if (kind === null) return null;
  return kind === 'preview-astray' ? { kind, location: random.pick(forbiddenPlaces) } : { kind };
}

export interface TransientFault {
  kind: (typeof transient)[number];
  /** For a trickle: how long it takes. */
  seconds: number;
}

/** What is wrong with an address at an attempt. @param attempt 0 for the first */
export function transientFault(
  seed: number,
  recording: number,
  { level, rates }: Chaos,
  { cdn, attempt }: { cdn: Cdn; attempt: number },
): TransientFault | null {
  const random = createRandom(seed, `${recording}/${cdn}/transient`);
  const kind = draw(random, rates, transient);
  const badAttempts = random.pick([1, 1, 2, 3]);
  if (kind === null || attempt >= badAttempts) return null;
  return { kind, seconds: random.between(2, level === 'wild' ? 8 : 4) };
}

/**
 * The truth for tests and benches: whether an address of the preview CDN can ever be fetched.
 * @returns 'never' for what no number of attempts gets
 */
export function previewFate(
  seed: number,
  recording: number,
  chaos: ChaosLevel | Chaos,
  cdn: Cdn = 'spotify',
): 'fine' | 'never' {
  const { rates } = typeof chaos === 'string' ? chaosOf(chaos) : chaos;
  const fault = lastingFault(seed, recording, rates, cdn);
  return never.some((kind) => kind === fault?.kind) ? 'never' : 'fine';
}

/** One of the kinds, each with its share, or none. */
function draw<K extends ChaosKind>(random: Random, rates: ChaosRates, kinds: readonly K[]): K | null {
  let left = random.unit();
  for (const kind of kinds) {
    left -= rates[kind];
    if (left < 0) return kind;
  }
  return null;
}
