/**
 * How sure it is that of two songs the one that scored higher deserves it: how often, in pairs of held-out
 * songs that far apart of which just one became popular, it was the higher one.
 */
import type { Judged } from '../learning/evaluation/index.ts';
import { below, randomStream } from '../learning/random.ts';

/**
 * A song stands above another where the order was right in 3 of 4 such pairs: half way between tossing a
 * coin and certainty. Stricter limits leave no order in most batches, looser ones rank noise.
 */
export const sureEnough = 0.75;
/** Of so many pairs a share is known to two digits; more only take time. */
const mostPairs = 200_000;
const mostSteps = 20;
/** Fewer pairs in a step make a share that is mostly luck. */
const fewestPairs = 50;

export interface PairSureness {
  /** Share of held-out pairs in which the higher one was the popular one; 0.5 is a coin. */
  readonly share: number;
  /** Pairs that far apart, of songs that share neither artist nor recording. */
  readonly pairs: number;
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

  /** @param seed of the draw, where there are more pairs than can be looked at */
  constructor(judged: readonly Judged[], seed = 1) {
    const pairs = discordantPairs(judged, seed).sort((a, b) => a.difference - b.difference);
    this.pairs = pairs.length;
    this.#steps = risingSteps(pairs);
    this.sureFrom = this.#steps.find(({ share }) => share >= sureEnough)?.from ?? null;
  }

  /** @returns null where there are too few pairs to say; equal scores are a coin toss */
  at(difference: number): PairSureness | null {
    const size = Math.abs(difference);
    const step = this.#steps.findLast(({ from }) => from <= size) ?? this.#steps[0];
    if (!step) return null;
    return { share: size === 0 ? 0.5 : step.share, pairs: step.pairs };
  }

  isSure(difference: number): boolean {
    return this.sureFrom !== null && Math.abs(difference) >= this.sureFrom;
  }
}

interface Pair {
  readonly difference: number;
  /** 1 where the popular one has the higher score, a half where both have the same. */
  readonly won: number;
}

function discordantPairs(judged: readonly Judged[], seed: number): Pair[] {
  const popular = judged.filter(({ label }) => label === 1);
  const others = judged.filter(({ label }) => label === 0);
  const pairOf = (a: Judged, b: Judged): Pair[] => {
    if (a.group === b.group) return [];
    const difference = a.probability - b.probability;
    return [{ difference: Math.abs(difference), won: difference > 0 ? 1 : difference < 0 ? 0 : 0.5 }];
  };
  if (popular.length * others.length <= mostPairs) {
    return popular.flatMap((one) => others.flatMap((other) => pairOf(one, other)));
  }
  const random = randomStream(seed, 'pairs');
  return Array.from({ length: mostPairs }, () =>
    pairOf(popular[below(random, popular.length)]!, others[below(random, others.length)]!),
  ).flat();
}

/** Steps of equally many pairs, those that fall joined with the one before (pool adjacent violators). */
function risingSteps(pairs: readonly Pair[]): Step[] {
  const count = Math.min(mostSteps, Math.floor(pairs.length / fewestPairs));
  const steps: (Step & { won: number })[] = [];
  for (let index = 0; index < count; index++) {
    const part = pairs.slice(
      Math.round((index * pairs.length) / count),
      Math.round(((index + 1) * pairs.length) / count),
    );
    const won = part.reduce((sum, pair) => sum + pair.won, 0);
    steps.push({ from: part[0]!.difference, pairs: part.length, won, share: won / part.length });
    while (steps.length > 1 && steps.at(-1)!.share <= steps.at(-2)!.share) {
      const [last, before] = [steps.pop()!, steps.pop()!];
      const joined = { pairs: before.pairs + last.pairs, won: before.won + last.won };
      steps.push({ from: before.from, ...joined, share: joined.won / joined.pairs });
    }
  }
  return steps;
}
