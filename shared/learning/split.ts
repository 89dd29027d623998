import { randomStream, shuffle } from './random.ts';

/** The three sides of a data set: to fit on, to stop and choose by, and to judge by once. */
export type Split = 'train' | 'test' | 'holdout';

/** One track to be put on a side. */
export interface SplitItem {
  readonly group: number;
  readonly popularity: number;
}

export interface SplitOptions {
  /** Fraction of the tracks for the holdout, 0 to below 1. */
  readonly holdoutFraction: number;
  /** Fraction of the tracks for the test split, 0 to below 1. */
  readonly testFraction: number;
  readonly seed: number;
}

/** Popularity is balanced by quarters: finer bins would be emptier than a small catalogue's sides. */
const bins = 4;

/** Random assignments tried per split; on a large catalogue the first is nearly as good as the best. */
const trialsAtMost = 256;
const tracksTried = 400_000;

interface Component {
  readonly group: number;
  readonly size: number;
  readonly histogram: Float64Array;
}

function componentsOf(items: readonly SplitItem[]): Component[] {
  const ranked = items.map((item) => item.popularity).sort((a, b) => a - b);
  const edges = Array.from(
    { length: bins - 1 },
    (_, bin) => ranked[Math.floor(((bin + 1) * ranked.length) / bins)]!,
  );
  const components = new Map<number, { group: number; size: number; histogram: Float64Array }>();
  for (const { group, popularity } of items) {
    const component = components.get(group) ?? { group, size: 0, histogram: new Float64Array(bins) };
    components.set(group, component);
    component.size++;
    component.histogram[edges.filter((edge) => popularity >= edge).length]!++;
  }
  return [...components.values()].sort((a, b) => a.group - b.group);
}

/**
 * How far a side is from its wanted size, from the whole catalogue's mix of popularity, and from being
 * many groups of equal weight (Herfindahl's index, at most 1). Small is good.
 */
function costOf(side: readonly Component[], target: number, overall: Float64Array): number {
  if (target === 0) return 0;
  const size = side.reduce((sum, component) => sum + component.size, 0);
  if (size === 0) return 4;
  let mix = 0;
  for (let bin = 0; bin < bins; bin++) {
    const count = side.reduce((sum, component) => sum + component.histogram[bin]!, 0);
    mix += Math.abs(count / size - overall[bin]!);
  }
  const concentration = side.reduce((sum, component) => sum + (component.size / size) ** 2, 0);
  return Math.abs(size - target) / target + mix + 2 * concentration;
}

/**
 * Put whole groups on sides: many seeded random fillings are tried, the best balanced first. Groups whose
 * side is settled stay there, and count as filled already.
 *
 * A group larger than half a side stays in train, for a side made of one artist says little about
 * others; unless nothing smaller is there, when up to a whole side is allowed.
 *
 * @param items all tracks; their order does not matter, the numbers of their groups do.
 * @param settled the side of groups that are not to be dealt.
 * @returns candidates, best first, each from group number to side; groups not named are in train.
 */
export function splitCandidates(
  items: readonly SplitItem[],
  options: SplitOptions,
  settled: ReadonlyMap<number, Split> = new Map(),
): Map<number, Split>[] {
  const components = componentsOf(items);
  const overall = new Float64Array(bins);
  for (const { histogram } of components) {
    for (const [bin, count] of histogram.entries()) overall[bin]! += count / items.length;
  }
  const sides = [
    { split: 'holdout', target: Math.round(items.length * options.holdoutFraction) },
    { split: 'test', target: Math.round(items.length * options.testFraction) },
  ] as const;
  const largestAllowed = (target: number): number => {
    const half = Math.max(1, Math.floor(target / 2));
    return components.some((component) => component.size <= half) ? half : target;
  };

  const trials = Math.max(8, Math.min(trialsAtMost, Math.floor(tracksTried / items.length)));
  const candidates: { cost: number; trial: number; assignment: Map<number, Split> }[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const order = shuffle([...components], randomStream(options.seed, 'split', trial));
    const assignment = new Map(settled);
    let cost = 0;
    for (const { split, target } of sides) {
      const limit = largestAllowed(target);
      const side = components.filter((component) => settled.get(component.group) === split);
      let room = target - side.reduce((sum, component) => sum + component.size, 0);
      for (const component of order) {
        if (room <= 0) break;
        if (component.size > Math.min(room, limit) || assignment.has(component.group)) continue;
        assignment.set(component.group, split);
        side.push(component);
        room -= component.size;
      }
      cost += costOf(side, target, overall);
    }
    candidates.push({ cost, trial, assignment });
  }
  return candidates.sort((a, b) => a.cost - b.cost || a.trial - b.trial).map(({ assignment }) => assignment);
}
