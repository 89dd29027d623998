/** What became of the held-out songs that a model scored most like a new one. */
import type { Judged } from '../learning/evaluation/index.ts';
import { type Ranking, rankingOf } from '../learning/evaluation/ranking.ts';
import { betaQuantile } from './beta.ts';

/** Dots that stand for what is believed of a share: each is a chance of 1 in 20. */
export const dotCount = 20;
/** Fewer songs scored alike tell nothing. */
export const fewestNeighbours = 10;
/** Fewer artists or recordings tell nothing either, however many songs they have. */
export const fewestGroups = 5;

export interface Neighbourhood {
  /** Held-out songs that were scored most alike. */
  readonly songs: number;
  /** Groups of them that are not independent, by artist and recording: each counts once. */
  readonly groups: number;
  /** How many groups became popular, in whole ones; of a group with some popular songs its share counts. */
  readonly popular: number;
  /** Share of popular ones, each group counting once, 0 to 1. */
  readonly share: number;
  /** What the share may be, ascending: quantiles of what is believed of it, each with a chance of 1 in 20. */
  readonly dots: readonly number[];
}

/** A score outside of what the held-out songs got: none of them tells anything about it. */
export type Beyond = 'above' | 'below';
/** So far outside, as a share of their range, a score still counts as one of theirs. */
const tolerance = 0.05;
/** Scores that differ by less are looked up once, as a probability. */
const finest = 1e-3;

/**
 * How many songs count as scored alike. It grows as n^(4/5), which is what balances noise against
 * blurring in a smoothed rate (Stone 1977); the factor gives 32 of 178 and 125 of 1,000.
 */
export function neighbourCount(n: number): number {
  return Math.max(fewestNeighbours, Math.round(n ** 0.8 / 2));
}

/** Held-out songs, ready to be looked up by their score: a page asks for a thousand at once. */
export class HeldOutSongs {
  /** Their scores, ascending. */
  readonly #scores: Float64Array;
  readonly #ranking: Ranking;
  /** Of each group in a part that is counted: songs, and popular ones. */
  readonly #songsOf: Int32Array;
  readonly #popularOf: Int32Array;
  readonly count: number;
  readonly groups: number;
  /** Share of popular ones, each group counting once, 0 to 1. */
  readonly baseRate: number;
  readonly #known = new Map<number, Neighbourhood | null>();

  constructor(judged: readonly Judged[]) {
    this.count = judged.length;
    this.#scores = Float64Array.from(judged, ({ probability }) => probability).sort();
    this.#ranking = rankingOf(judged);
    this.#songsOf = new Int32Array(this.#ranking.groups);
    this.#popularOf = new Int32Array(this.#ranking.groups);
    const { groups, popular } = this.#countOnce(0, judged.length);
    this.groups = groups;
    this.baseRate = groups > 0 ? popular / groups : 0;
  }

  /** Tell whether a score lies outside of those of all held-out songs; null: it does not. */
  beyond(probability: number): Beyond | null {
    const [least, most] = [this.#scores[0], this.#scores.at(-1)];
    if (least === undefined || most === undefined) return null;
    const margin = Math.max(finest, tolerance * (most - least));
    return probability > most + margin ? 'above' : probability < least - margin ? 'below' : null;
  }

  /** Look up what became of songs scored like this one; null where there are too few to say, or none like it. */
  around(probability: number): Neighbourhood | null {
    if (this.beyond(probability)) return null;
    const key = Math.round(probability / finest);
    let found = this.#known.get(key);
    if (found === undefined) {
      found = this.#lookUp(key * finest);
      this.#known.set(key, found);
    }
    return found;
  }

  #lookUp(probability: number): Neighbourhood | null {
    const [from, to] = this.#nearest(probability, neighbourCount(this.#scores.length));
    const { groups, popular } = this.#countOnce(from, to);
    if (to - from < fewestNeighbours || groups < fewestGroups) return null;
    return {
      ...{ songs: to - from, groups, popular: Math.round(popular) },
      ...{ share: popular / groups, dots: quantileDots(popular, groups) },
    };
  }

  /** Songs as near as the last one come along: nothing tells which of them to leave out. */
  #nearest(probability: number, count: number): [from: number, to: number] {
    const scores = this.#scores;
    const distance = (place: number) => Math.abs((scores[place] ?? Infinity) - probability);
    let to = firstFrom(scores, probability);
    let from = to;
    for (let taken = 0; taken < Math.min(count, scores.length); taken++) {
      if (distance(from - 1) <= distance(to)) from--;
      else to++;
    }
    // Distances that differ by rounding alone are equal.
    const limit = to > from ? Math.max(distance(from), distance(to - 1)) : -1;
    while (distance(from - 1) <= limit + rounding) from--;
    while (distance(to) <= limit + rounding) to++;
    return [from, to];
  }

  /** Songs of one group share their artist or recording: together they are one voice. */
  #countOnce(from: number, to: number): { groups: number; popular: number } {
    const { groupAt, labelAt } = this.#ranking;
    const met: number[] = [];
    for (let place = from; place < to; place++) {
      const group = groupAt[place]!;
      if (this.#songsOf[group]!++ === 0) met.push(group);
      this.#popularOf[group]! += labelAt[place]!;
    }
    let popular = 0;
    for (const group of met) {
      popular += this.#popularOf[group]! / this.#songsOf[group]!;
      this.#songsOf[group] = 0;
      this.#popularOf[group] = 0;
    }
    return { groups: met.length, popular };
  }
}

const rounding = 1e-12;

/** The first place of ascending scores with at least this one. */
function firstFrom(scores: Float64Array, score: number): number {
  let from = 0;
  let to = scores.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (scores[middle]! >= score) to = middle;
    else from = middle + 1;
  }
  return from;
}

/**
 * Quantiles of the posterior of a share, for a dot plot that can be counted (Fernandes et al., CHI 2018).
 * The prior is Jeffreys': half a success and half a failure.
 */
export function quantileDots(popular: number, of: number): number[] {
  let last: number | undefined;
  return Array.from({ length: dotCount }, (_, dot) => {
    last = betaQuantile((dot + 0.5) / dotCount, popular + 0.5, of - popular + 0.5, last);
    return last;
  });
}
