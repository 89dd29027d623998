/** A part of a crawl's catalogue: what one search query asks for. */
import { z } from 'zod';

export const partSchema = z.strictObject({
  /** First and last year of release. */
  years: z.tuple([z.int(), z.int()]),
  /** For each of these prefixes a word of the artists' names begins with it; `lil ` is the whole word. */
  artist: z.array(z.string()),
  /** No word of the artists' names begins with one of these. */
  notArtist: z.array(z.string()),
  /** A word of the title begins with this. */
  title: z.string().nullable(),
  /** No word of the title begins with one of these. */
  notTitle: z.array(z.string()),
});
export type Part = z.infer<typeof partSchema>;

/** What of a track decides to which parts it belongs. */
export interface PartTrack {
  year: number;
  /** The words of all its artists' names, folded. */
  artistWords: readonly string[];
  titleWords: readonly string[];
}

export function wholePart(years: readonly [number, number]): Part {
  return { years: [years[0], years[1]], artist: [], notArtist: [], title: null, notTitle: [] };
}

/** The query of a part, in the words of Spotify's search. */
export function queryOf(part: Part, genre: string): string {
  const [from, to] = part.years;
  return [
    `genre:${/\s/.test(genre) ? `"${genre}"` : genre}`,
    `year:${from === to ? from : `${from}-${to}`}`,
    ...part.artist.map((prefix) => `artist:${starred(prefix)}`),
    ...(part.title === null ? [] : [`track:${starred(part.title)}`]),
    ...part.notArtist.map((prefix) => `NOT artist:${starred(prefix)}`),
    ...part.notTitle.map((prefix) => `NOT track:${starred(prefix)}`),
  ].join(' ');
}

/** Whether a track belongs to a part, as far as its words tell. */
export function belongs(track: PartTrack, part: Part): boolean {
  const { artistWords, titleWords } = track;
  return (
    track.year >= part.years[0] &&
    track.year <= part.years[1] &&
    part.artist.every((prefix) => begins(artistWords, prefix)) &&
    !part.notArtist.some((prefix) => begins(artistWords, prefix)) &&
    (part.title === null || begins(titleWords, part.title)) &&
    !part.notTitle.some((prefix) => begins(titleWords, prefix))
  );
}

/** Whether one of the words begins with a prefix, or is the word where the prefix ends in a space. */
export function begins(words: readonly string[], prefix: string): boolean {
  if (!prefix.endsWith(' ')) return words.some((word) => word.startsWith(prefix));
  return words.includes(prefix.slice(0, -1));
}

function starred(prefix: string): string {
  return prefix.endsWith(' ') ? prefix.slice(0, -1) : `${prefix}*`;
}

/**
 * The words of a text that the search surely compares prefixes with: no case, no accents, split at
 * everything that is neither letter nor digit.
 */
export function wordsOf(text: string): string[] {
  const folded = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return folded.match(/[\p{L}\p{N}]+/gu) ?? [];
}
