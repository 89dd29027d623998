/** Chance that is the same on every machine and every run. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export interface Random {
  /** Evenly from 0 (included) to 1 (excluded). */
  unit(): number;
  /** Evenly from `low` (included) to `high` (excluded). */
  between(low: number, high: number): number;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  /** Normally distributed: mean 0, standard deviation 1. */
  normal(): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/**
 * Start a stream of chance.
 * @param seed any whole number
 * @param name keeps streams of one seed apart, so that a longer catalogue begins like a shorter one
 */
export function createRandom(seed: number, name = ''): Random {
  const generator = xoroshiro128plus(mix(seed, name));
  const unit = () => uniformFloat64(generator);
  return {
    unit,
    between: (low, high) => low + (high - low) * unit(),
    whole: (low, high) => low + Math.floor((high - low + 1) * unit()),
    // Box and Muller's transform; 1 - unit() is never 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
    chance: (probability) => unit() < probability,
    pick: (items) => items[Math.floor(unit() * items.length)]!,
  };
}

/** FNV-1a (Fowler, Noll, Vo), 32 bits, over the seed's digits and the name. */
function mix(seed: number, name: string): number {
  let hash = 0x811c9dc5;
  for (const character of `${seed}/${name}`) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return hash | 0;
}
