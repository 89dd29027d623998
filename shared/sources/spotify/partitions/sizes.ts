/** How large the parts of a part are, estimated from a sample and from those that were answered. */
import type { CutContext, CutPart } from './context.ts';
import { isExcluded, type Level, prefixOf, wordsFor } from './level.ts';
import { begins, belongs, type Part } from './part.ts';
import { letterPrior } from './prior.ts';

/** The prior counts as much as so many tracks of a sample. */
const priorTracks = 30;
/** A part that overflowed has at least so many times the window, whatever was expected. */
const overflowing = 1.15;

/**
 * For each next prefix the share of the part's tracks that have it and none of `bites`, and the share
 * that has none of them: counted in the sample, with a prior where it is small.
 */
export function sharesOf(
  node: Part,
  level: Level,
  context: CutContext,
  bites: readonly string[],
): { of: Map<string, number>; left: number } {
  const { stem } = level;
  const sample = context.sample.filter((track) => belongs(track, node));
  const left = sample.filter((track) => !bites.some((prefix) => begins(wordsFor(track, level), prefix)));
  const counts = new Map<string, number>();
  for (const track of left) {
    const prefixes = new Set<string>();
    for (const word of wordsFor(track, level)) {
      if (word.startsWith(stem) && word.length > stem.length) {
        prefixes.add(
          String.fromCodePoint(...[...word].slice(0, [...stem].length + 1).map((c) => c.codePointAt(0)!)),
        );
      }
    }
    for (const prefix of prefixes) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  const weight = priorTracks / (sample.length + priorTracks);
  const priorLeft = 1 - bites.reduce((sum, prefix) => sum + letterPrior(stem, prefix), 0);
  const of = new Map<string, number>();
  for (const letter of stem === '' ? context.firstCharacters : context.furtherCharacters) {
    const prefix = stem + letter;
    if (bites.includes(prefix) || isExcluded(node, level, prefix)) continue;
    const counted = sample.length === 0 ? 0 : (counts.get(prefix) ?? 0) / sample.length;
    of.set(
      prefix,
      (1 - weight) * counted + weight * 1.6 * letterPrior(stem, prefix) * Math.max(0.1, priorLeft),
    );
  }
  const counted = sample.length === 0 ? 1 : left.length / sample.length;
  return { of, left: (1 - weight) * counted + weight * Math.max(0.02, priorLeft) ** 1.6 };
}

/**
 * The size of a part: from the results of those cut off so far over the share they were estimated to
 * have, or what was expected of it; null where neither says anything.
 */
export function sizeFrom(
  node: Part,
  done: readonly CutPart[],
  level: Level,
  context: CutContext,
): number | null {
  const least = context.window * overflowing;
  let results = 0;
  let share = 0;
  const bites: string[] = [];
  for (const { part, total } of done) {
    const prefix = prefixOf(part, level)!;
    const of = sharesOf(node, level, context, bites).of.get(prefix) ?? 0;
    bites.push(prefix);
    if (total === null) continue;
    results += total;
    share += of;
  }
  if (share >= 0.04) return Math.max(least, results / share);
  return context.size === null ? null : Math.max(least, context.size);
}
