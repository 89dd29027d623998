/**
 * How sure it is that of two songs the one that scored higher deserves it: how often, in pairs of held-out
 * songs that far apart of which just one became popular, it was the higher one.
 */
import { groupedBootstrap } from '../learning/evaluation/bootstrap.ts';
import type { Judged } from '../learning/evaluation/index.ts';
import { below, randomStream } from '../learning/random.ts';

/**
 * A song stands above another where the order is right in at least 3 of 4 such pairs, other songs of the
 * same kind taken into account: half way between tossing a coin and certainty. Stricter limits leave no
 * order in most batches, looser ones rank noise.
 */
export const sureEnough = 0.75;
/** The share is at least this sure to lie above its lower bound. */
const confidence = 0.95;
/**
 * Popular ones and others must come from so many groups each: fewer can all be right by luck although the
 * order is right in less than 3 of 4 cases (.75^11 = .04), which no resampling of them would show.
 */
const fewestGroups = 11;
/** Of so many pairs the share of a twentieth is known to a hundredth; more only take time. */
const mostPairs = 50_000;
/** What a pair costs a resampling, in songs: it is gone through for its step. */
const pairCost = 4;
const mostSteps = 20;
/** Fewer pairs in a step make a share that is mostly luck. */
const fewestPairs = 50;

export interface PairSureness {
  /** Share of held-out pairs in which the higher one was the popular one; 0.5 is a coin. */
  readonly share: number;
  /**
   * What the share is at least with other songs, by resampling whole groups (95 %, one-sided); null: too few
   * groups to know.
   */
  readonly atLeast: number | null;
  /** Pairs that far apart, of songs that share neither artist nor recording. */
  readonly pairs: number;
  /** Different songs in these pairs, and groups of them by artist and recording. */
  readonly songs: number;
  readonly groups: number;
}

interface Step extends PairSureness {
  /** The least difference of two scores that it holds for. */
  readonly from: number;
}

/** The sureness by the difference of two scores; it never falls where the difference grows. */
export class PairCurve {
  readonly #steps: readonly Step[];
  /** Pairs that were looked at in all. */
  readonly pairs: number;
  /** The least difference of two scores that is sure enough; null: none is. */
  readonly sureFrom: number | null;

  /**
   * @param betterThanChance false: the model is not, so that no order of its is sure
   * @param seed of the draw, where there are more pairs than can be looked at, and of the resampling
   */
  constructor(judged: readonly Judged[], betterThanChance: boolean, seed = 1) {
    const pairs = discordantPairs(judged, seed).sort((a, b) => a.difference - b.difference);
    this.pairs = pairs.length;
    this.#steps = measured(risingSteps(pairs), pairs, judged, seed);
    const sure = this.#steps.find(({ atLeast }) => atLeast !== null && atLeast >= sureEnough);
    this.sureFrom = (betterThanChance ? sure?.from : null) ?? null;
  }

  /** @returns null where there are too few pairs to say; equal scores are a coin toss */
  at(difference: number): PairSureness | null {
    const size = Math.abs(difference);
    const step = this.#steps.findLast(({ from }) => from <= size) ?? this.#steps[0];
    if (!step) return null;
    const { from: _, ...sureness } = step;
    return size === 0 ? { ...sureness, share: 0.5, atLeast: null } : sureness;
  }

  isSure(difference: number): boolean {
    return this.sureFrom !== null && Math.abs(difference) >= this.sureFrom;
  }
}

interface Pair {
  readonly difference: number;
  /** 1 where the popular one has the higher score, a half where both have the same. */
  readonly won: number;
  /** Places of the popular song and the other among the judged. */
  readonly popular: number;
  readonly other: number;
}

function discordantPairs(judged: readonly Judged[], seed: number): Pair[] {
  const placesOf = (label: 0 | 1) => [...judged.keys()].filter((place) => judged[place]!.label === label);
  const [populars, others] = [placesOf(1), placesOf(0)];
  const pairOf = (popular: number, other: number): Pair[] => {
    const [a, b] = [judged[popular]!, judged[other]!];
    if (a.group === b.group) return [];
    const difference = a.probability - b.probability;
    const won = difference > 0 ? 1 : difference < 0 ? 0 : 0.5;
    return [{ difference: Math.abs(difference), won, popular, other }];
  };
  if (populars.length * others.length <= mostPairs) {
    return populars.flatMap((one) => others.flatMap((other) => pairOf(one, other)));
  }
  const random = randomStream(seed, 'pairs');
  return Array.from({ length: mostPairs }, () =>
    pairOf(populars[below(random, populars.length)]!, others[below(random, others.length)]!),
  ).flat();
}

/** Pairs of neighbouring differences: those from one place of the ascending list to another. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly won: number;
}

const shareOf = ({ from, to, won }: Part) => won / (to - from);

/** Parts of equally many pairs, those that fall joined with the one before (pool adjacent violators). */
function risingSteps(pairs: readonly Pair[]): Part[] {
  const count = Math.min(mostSteps, Math.floor(pairs.length / fewestPairs));
  const parts: Part[] = [];
  for (let index = 0; index < count; index++) {
    const from = Math.round((index * pairs.length) / count);
    const to = Math.round(((index + 1) * pairs.length) / count);
    parts.push({ from, to, won: pairs.slice(from, to).reduce((sum, { won }) => sum + won, 0) });
    while (parts.length > 1 && shareOf(parts.at(-1)!) <= shareOf(parts.at(-2)!)) {
      const [last, before] = [parts.pop()!, parts.pop()!];
      parts.push({ from: before.from, to: last.to, won: before.won + last.won });
    }
  }
  return parts;
}

/** Count what is in each part, and how low its share may be. */
function measured(
  parts: readonly Part[],
  pairs: readonly Pair[],
  judged: readonly Judged[],
  seed: number,
): Step[] {
  const bounds = lowerBounds(parts, pairs, judged, seed);
  return parts.map((part, index) => {
    const own = pairs.slice(part.from, part.to);
    const populars = new Set(own.map(({ popular }) => popular));
    const others = new Set(own.map(({ other }) => other));
    const groupsOf = (places: Iterable<number>) =>
      new Set(Array.from(places, (place) => judged[place]!.group));
    const enough = Math.min(groupsOf(populars).size, groupsOf(others).size) >= fewestGroups;
    return {
      ...{ from: own[0]!.difference, share: shareOf(part), atLeast: enough ? bounds[index]! : null },
      ...{ pairs: own.length, songs: populars.size + others.size },
      groups: groupsOf([...populars, ...others]).size,
    };
  });
}

/** Pairs of one song, or of one artist's songs, are not independent: whole groups are resampled. */
function lowerBounds(
  parts: readonly Part[],
  pairs: readonly Pair[],
  judged: readonly Judged[],
  seed: number,
): (number | null)[] {
  const numbers = new Map<number, number>();
  const numberOf = (place: number) => {
    const { group } = judged[place]!;
    const number = numbers.get(group) ?? numbers.size;
    numbers.set(group, number);
    return number;
  };
  const first = Int32Array.from(pairs, ({ popular }) => numberOf(popular));
  const second = Int32Array.from(pairs, ({ other }) => numberOf(other));
  const won = Float64Array.from(pairs, (pair) => pair.won);
  const shares: number[][] = parts.map(() => []);
  groupedBootstrap({ groups: numbers.size, labelAt: { length: pairCost * pairs.length } }, seed, (counts) => {
    for (const [index, { from, to }] of parts.entries()) {
      let [all, right] = [0, 0];
      for (let place = from; place < to; place++) {
        const weight = counts[first[place]!]! * counts[second[place]!]!;
        all += weight;
        right += weight * won[place]!;
      }
      if (all > 0) shares[index]!.push(right / all);
    }
    return 0;
  });
  return shares.map((each) => each.sort((a, b) => a - b)[Math.floor((1 - confidence) * each.length)] ?? null);
}
