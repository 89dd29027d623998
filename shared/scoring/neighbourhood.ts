/** What became of the held-out songs that a model scored most like a new one. */
import type { Judged } from '../learning/evaluation/index.ts';
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
  /** How many of them became popular. */
  readonly popular: number;
  /** Groups of songs that are not independent, by artist and recording: each counts once. */
  readonly groups: number;
  /** Share of popular ones, each group counting once, 0 to 1. */
  readonly share: number;
  /** What the share may be, ascending: quantiles of what is believed of it, each with a chance of 1 in 20. */
  readonly dots: readonly number[];
}

/**
 * How many songs count as scored alike. It grows as n^(4/5), which is what balances noise against
 * blurring in a smoothed rate (Stone 1977); the factor gives 32 of 178 and 125 of 1,000.
 */
export function neighbourCount(n: number): number {
  return Math.max(fewestNeighbours, Math.round(n ** 0.8 / 2));
}

/** Held-out songs, ready to be looked up by their score. */
export class HeldOutSongs {
  readonly songs: readonly Judged[];
  readonly groups: number;
  /** Share of popular ones, each group counting once, 0 to 1. */
  readonly baseRate: number;

  constructor(judged: readonly Judged[]) {
    this.songs = [...judged].sort((a, b) => a.probability - b.probability);
    const { groups, popular } = countOnce(this.songs);
    this.groups = groups;
    this.baseRate = groups > 0 ? popular / groups : 0;
  }

  /** Look up what became of songs scored like this one; null where there are too few to say. */
  around(probability: number): Neighbourhood | null {
    const nearest = this.#nearest(probability, neighbourCount(this.songs.length));
    const { groups, popular } = countOnce(nearest);
    if (nearest.length < fewestNeighbours || groups < fewestGroups) return null;
    return {
      songs: nearest.length,
      popular: nearest.filter(({ label }) => label === 1).length,
      ...{ groups, share: popular / groups, dots: quantileDots(popular, groups) },
    };
  }

  /** Songs as near as the last one come along: nothing tells which of them to leave out. */
  #nearest(probability: number, count: number): Judged[] {
    const distances = this.songs.map((song) => Math.abs(song.probability - probability));
    const limit = [...distances].sort((a, b) => a - b)[Math.min(count, distances.length) - 1];
    return this.songs.filter((_, index) => distances[index]! <= limit!);
  }
}

/** Songs of one group share their artist or recording: together they are one voice. */
function countOnce(songs: readonly Judged[]): { groups: number; popular: number } {
  const shares = new Map<number, { songs: number; popular: number }>();
  for (const { group, label } of songs) {
    const share = shares.get(group) ?? { songs: 0, popular: 0 };
    shares.set(group, { songs: share.songs + 1, popular: share.popular + label });
  }
  const popular = [...shares.values()].reduce((sum, share) => sum + share.popular / share.songs, 0);
  return { groups: shares.size, popular };
}

/**
 * Quantiles of the posterior of a share, for a dot plot that can be counted (Fernandes et al., CHI 2018).
 * The prior is Jeffreys': half a success and half a failure.
 */
export function quantileDots(popular: number, of: number): number[] {
  return Array.from({ length: dotCount }, (_, dot) =>
    betaQuantile((dot + 0.5) / dotCount, popular + 0.5, of - popular + 0.5),
  );
}
