import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export type Random = RandomGenerator;

/**
 * Open the random stream of a key (xoroshiro128+, its state the sha256 of the key).
 * Streams of different keys are independent, so what one part of a training draws never shifts what
 * another draws, and a run that is resumed needs no generator state: epoch and batch are in the key.
 */
export function randomStream(...key: readonly (string | number)[]): Random {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest();
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
}

/** Draw a number in [0, 1). */
export function uniform(random: Random): number {
  return uniformFloat64(random);
}

/** Draw a whole number from 0 to below `limit`, which is at least 1. */
export function below(random: Random, limit: number): number {
  return uniformInt(random, 0, limit - 1);
}

/** Shuffle in place (Fisher and Yates) and return the same array. */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = below(random, last + 1);
    const moved = items[last]!;
    items[last] = items[other]!;
    items[other] = moved;
  }
  return items;
}

/** Draw a normally distributed number of mean 0 and standard deviation 1 (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
}
