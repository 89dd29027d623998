/**
 * Cutting a part that overflows into parts that fit the search's window, with few requests.
 *
 * Years are cut first: they never overlap. Then prefixes of artists' words, of which a track has fewer
 * than of title's words. Where the search honours NOT the parts are made disjoint, one bite after the
 * other, and what is left over when little is left is one last part, which also holds names that begin
 * with no letter at all. Where it does not, a track comes with each of its words: all prefixes have to be
 * asked, the rare first, so that of the frequent ones much is known already.
 */
import type { CutContext, CutPart } from './context.ts';
import { exclude, type Level, levelOf, positive, prefixOf, wordsFor } from './level.ts';
import { begins, type Part, type PartTrack, queryOf } from './part.ts';
import { sharesOf, sizeFrom } from './sizes.ts';

export type { CutContext, CutPart } from './context.ts';

/** A part to be asked for, with the number of results that is expected; null: it cannot be said. */
export interface PlannedPart {
  part: Part;
  expected: number | null;
}

/** Parts are planned to fill this much of the window: estimates err. */
const fill = 0.88;
/** Where the size of a part is not known, a bite of at most this share is tried first. */
const unknownShare = 0.1;
/** Smaller bites are not worth a request of their own. */
const leastShare = 0.004;

/**
 * What to ask next of a part that overflowed.
 * @param done the parts asked so far, in their order
 * @returns the next parts; none while an answer is awaited, or when the part is covered
 */
export function nextParts(node: Part, done: readonly CutPart[], context: CutContext): PlannedPart[] {
  if (done.length === 0 && isCutByYears(node, context)) return yearsOf(node, context);
  const years = done.filter(({ part }) => part.years.join() !== node.years.join());
  if (years.length > 0) return afterYears(node, done, years, context);
  const level = levelOf(node, done, context);
  const hasRoom = slotsLeft(node, level, context) > 0;
  if (context.honoursNot && hasRoom) return nextBite(node, done, level, context);
  return enumerate(node, done, level, context);
}

function isCutByYears(node: Part, context: CutContext): boolean {
  const span = node.years[1] - node.years[0] + 1;
  if (span === 1) return false;
  if (context.honoursNot) return true;
  // Names overlap and years do not; but a year's worth that overflows too is better cut by names first.
  if (node.artist.length === 0) return false;
  return context.size === null || context.size / span <= context.window;
}

function yearsOf(node: Part, context: CutContext): PlannedPart[] {
  const [from, to] = node.years;
  const span = to - from + 1;
  const size = context.size ?? Number.POSITIVE_INFINITY;
  const pieces =
    context.size === null ? 2 : Math.min(span, Math.max(2, Math.ceil(size / (context.window * fill))));
  return Array.from({ length: pieces }, (_, index): PlannedPart => {
    const start = from + Math.floor((span * index) / pieces);
    const end = from + Math.floor((span * (index + 1)) / pieces) - 1;
    const expected = context.size === null ? null : (context.size * (end - start + 1)) / span;
    return { part: { ...node, years: [start, end] }, expected };
  });
}

/**
 * Names that begin with a digit or in another alphabet are few, and of many letters. Where queries have no
 * room to leave over what begins with none of the frequent letters, they are asked for over all years at once.
 */
function afterYears(
  node: Part,
  done: readonly CutPart[],
  years: readonly CutPart[],
  context: CutContext,
): PlannedPart[] {
  if (node.artist.length > 0 || !context.rareApart || years.some(({ total }) => total === null)) return [];
  const asked = new Set(done.map(({ part }) => part.artist[0]));
  return context.firstCharacters
    .filter((character) => isRare(character) && !asked.has(character))
    .map((character) => ({ part: { ...node, artist: [character], notArtist: [] }, expected: null }));
}

function isRare(character: string): boolean {
  return !/^[a-z]$/.test(character);
}

/** With NOT: bite off one more part, or close with all that is left. */
function nextBite(node: Part, done: readonly CutPart[], level: Level, context: CutContext): PlannedPart[] {
  if (done.some(({ total }) => total === null)) return [];
  const bites = done.map(({ part }) => prefixOf(part, level)).filter((prefix) => prefix !== null);
  if (bites.length < done.length) return []; // what was left over has been asked
  const size = sizeFrom(node, done, level, context);
  const shares = sharesOf(node, level, context, bites);
  const left = size === null ? null : shares.left * size;
  const rest: PlannedPart = { part: exclude(node, level, bites), expected: left };
  const target = context.window * fill;
  if (bites.length > 0 && left !== null && left <= target) return [rest];
  const candidates = [...shares.of]
    .filter(([prefix]) => fits(exclude(node, level, [...bites, prefix]), context))
    .filter(([, share]) => share > leastShare || bites.length === 0)
    .sort((a, b) => b[1] - a[1]);
  if (candidates.length === 0) return [rest];
  // The largest that fits; the largest at all where only crumbs fit, or where more bites are needed than
  // the query has room for.
  const manyLeft = left !== null && left > slotsLeft(rest.part, level, context) * target;
  const most = size === null ? unknownShare : target / size;
  const largest = candidates[0]!;
  const fitting = candidates.find(([, share]) => share <= most) ?? largest;
  const chosen = manyLeft || fitting[1] < most / 4 ? largest : fitting;
  return [planBite(node, level, chosen, size, bites, context)];
}

/**
 * Without NOT, or without room for it: all prefixes there can be, one after the other, those known best
 * last. Characters that are first seen in the answers have their turn too.
 */
function enumerate(node: Part, done: readonly CutPart[], level: Level, context: CutContext): PlannedPart[] {
  if (done.some(({ total }) => total === null)) return [];
  const asked = new Set(done.map(({ part }) => prefixOf(part, level)));
  const shares = [...sharesOf(node, level, context, []).of]
    .filter(([prefix]) => !asked.has(prefix))
    .filter(([prefix]) => !(context.honoursNot && context.cutByYears && level.stem === '' && isRare(prefix)))
    .sort((a, b) => a[1] - b[1]);
  if (shares[0]) return [planBite(node, level, shares[0], context.size, [], context)];
  // The stem itself may be a whole word.
  const whole = `${level.stem} `;
  if (level.stem === '' || asked.has(whole)) return [];
  return [{ part: bite(node, level, whole, [], context), expected: null }];
}

function planBite(
  node: Part,
  level: Level,
  [prefix, share]: readonly [string, number],
  size: number | null,
  earlier: readonly string[],
  context: CutContext,
): PlannedPart {
  return {
    part: bite(node, level, prefix, earlier, context),
    expected: size === null ? null : share * size,
  };
}

/** One prefix, without the earlier ones; those that would exclude least are left out where room is short. */
function bite(
  node: Part,
  level: Level,
  prefix: string,
  earlier: readonly string[],
  context: CutContext,
): Part {
  const part = positive(node, level, prefix);
  if (!context.honoursNot) return part;
  const inside = context.sample.filter((track) => begins(wordsFor(track, level), prefix));
  const overlap = (words: (track: PartTrack) => readonly string[], other: string) =>
    inside.filter((track) => begins(words(track), other)).length;
  const exclusions = [
    ...[...node.notArtist, ...(level.field === 'artist' ? earlier : [])].map((other) => ({
      field: 'artist' as const,
      other,
      weight: overlap((track) => track.artistWords, other),
    })),
    ...[...node.notTitle, ...(level.field === 'title' ? earlier : [])].map((other) => ({
      field: 'title' as const,
      other,
      weight: overlap((track) => track.titleWords, other),
    })),
  ].sort((a, b) => b.weight - a.weight);
  let chosen: Part = { ...part, notArtist: [], notTitle: [] };
  for (const { field, other } of exclusions) {
    const more =
      field === 'artist'
        ? { ...chosen, notArtist: [...chosen.notArtist, other] }
        : { ...chosen, notTitle: [...chosen.notTitle, other] };
    if (fits(more, context)) chosen = more;
  }
  return chosen;
}

function fits(part: Part, { genre, longestQuery }: CutContext): boolean {
  return queryOf(part, genre).length <= longestQuery;
}

function slotsLeft(part: Part, level: Level, context: CutContext): number {
  const one = level.field === 'artist' ? 'NOT artist:* '.length : 'NOT track:* '.length;
  const room = context.longestQuery - queryOf(part, context.genre).length;
  return Math.floor(room / (one + level.stem.length + 1));
}
