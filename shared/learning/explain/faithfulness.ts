/**
 * Whether an explanation says what the model does: without the segments that it names the score must change
 * more, and the way that it says, than without random ones.
 */
import { randomStream, shuffle } from '../random.ts';
import type { Mask } from './filling.ts';
import { type Grid, segmentCount } from './grid.ts';

/** Share of all segments that count as named, for and against together. */
const namedShare = 0.1;
/** Segments of less than this share of the largest effect are not named. */
const leastShare = 0.05;
const draws = 20;
/** Share of the random draws that must change the score less. */
const neededShare = 0.9;
/** A direction in which less than this share of the named effects points is not named. */
const leastDirection = 0.2;
/** A smaller change is none, in log odds. */
const smallestChange = 1e-3;

export interface FaithfulnessCheck {
  readonly direction: 'for' | 'against';
  /** Number of segments that were taken away. */
  readonly segments: number;
  /** How far the score moved the way it should when the named segments were taken away, in log odds. */
  readonly change: number;
  /** The same of random segments that cover as much, either way: mean of `draws`. */
  readonly randomChange: number;
  /** Share of the draws that changed the score less. */
  readonly better: number;
  readonly passed: boolean;
}

export interface Faithfulness {
  /** One for each direction in which something was named. */
  readonly checks: readonly FaithfulnessCheck[];
  readonly draws: number;
  /** Whether there were checks, and all passed. */
  readonly trusted: boolean;
}

/** The segments that matter most, strongest first. */
export function namedSegments(effects: ArrayLike<number>): number[] {
  const order = Array.from(effects, (_, segment) => segment).sort(
    (a, b) => Math.abs(effects[b]!) - Math.abs(effects[a]!) || a - b,
  );
  const least = leastShare * Math.abs(effects[order[0]!] ?? 0);
  const strongest = order
    .slice(0, Math.max(1, Math.round(namedShare * effects.length)))
    .filter((segment) => effects[segment] !== 0 && Math.abs(effects[segment]!) >= least);
  const weightOf = (segments: readonly number[]) =>
    segments.reduce((sum, segment) => sum + Math.abs(effects[segment]!), 0);
  return strongest.filter((segment) => {
    const alike = strongest.filter((other) => effects[other]! > 0 === effects[segment]! > 0);
    return weightOf(alike) >= leastDirection * weightOf(strongest);
  });
}

/**
 * Check what an explanation names.
 *
 * @param judge gives the log odds without the segments of each mask.
 * @param base log odds of the whole song.
 */
export async function checkFaithfulness(
  effects: ArrayLike<number>,
  grid: Grid,
  base: number,
  judge: (masks: readonly Mask[]) => Promise<number[]>,
  seed: number,
): Promise<Faithfulness> {
  const named = namedSegments(effects);
  const sides = (['for', 'against'] as const)
    .map((direction) => {
      const sign = direction === 'for' ? 1 : -1;
      return { direction, sign, segments: named.filter((segment) => sign * effects[segment]! > 0) };
    })
    .filter(({ segments }) => segments.length > 0);
  const checks: FaithfulnessCheck[] = [];
  for (const { direction, sign, segments } of sides) {
    const random = drawEqual(grid, segments, seed);
    const [without, ...others] = await judge([maskOf(grid, segments), ...random]);
    const change = sign * (base - without!);
    const changes = others.map((logOdds) => Math.abs(base - logOdds));
    const randomChange = changes.reduce((sum, one) => sum + one, 0) / draws;
    const better = changes.filter((one) => change > one).length / draws;
    const passed = change > smallestChange && change > randomChange && better >= neededShare;
    checks.push({ direction, segments: segments.length, change, randomChange, better, passed });
  }
  return { checks, draws, trusted: checks.length > 0 && checks.every(({ passed }) => passed) };
}

function maskOf(grid: Grid, segments: readonly number[]): Mask {
  const mask = new Uint8Array(segmentCount(grid));
  for (const segment of segments) mask[segment] = 1;
  return mask;
}

/** Draw as many segments as are named, or more where those drawn cover less of time x frequency. */
function drawEqual(grid: Grid, named: readonly number[], seed: number): Mask[] {
  const area = areasOf(grid);
  const wanted = named.reduce((sum, segment) => sum + area[segment]!, 0);
  return Array.from({ length: draws }, (_, draw) => {
    const order = shuffle(
      area.map((_area, segment) => segment),
      randomStream(seed, 'faithfulness', draw),
    );
    let covered = 0;
    const taken = order.findIndex((segment, index) => {
      covered += area[segment]!;
      return index + 1 >= named.length && covered >= wanted;
    });
    return maskOf(grid, taken === -1 ? order : order.slice(0, taken + 1));
  });
}

/** Seconds x octaves: hearing counts frequency by its logarithm. */
function areasOf({ stretches, groups }: Grid): number[] {
  return groups.flatMap(({ fromHz, toHz }) =>
    stretches.map(
      ({ fromSeconds, toSeconds }) =>
        (toSeconds - fromSeconds) * Math.log2((toHz + hearingHz) / (fromHz + hearingHz)),
    ),
  );
}

/** Below it the scale of hearing is linear, so that the lowest group has an end. */
const hearingHz = 100;
