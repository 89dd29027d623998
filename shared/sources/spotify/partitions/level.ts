/** Where the next cut of a part is made: in which field, after which beginning, and what a cut makes of the part. */
import type { CutContext, CutPart } from './context.ts';
import { begins, type Part, type PartTrack } from './part.ts';

/** In which field and after which beginning the next cut is made. */
export interface Level {
  field: 'artist' | 'title';
  /** The prefix that is extended by a character. */
  stem: string;
  /** The prefixes of the part that stay as they are. */
  kept: readonly string[];
}

export function levelOf(node: Part, done: readonly CutPart[], context: CutContext): Level {
  if (node.title !== null) return { field: 'title', stem: node.title, kept: [] };
  const last = node.artist.at(-1);
  if (last === undefined) return { field: 'artist', stem: '', kept: [] };
  const kept = node.artist.slice(0, -1);
  if (last.endsWith(' ')) return { field: 'title', stem: '', kept: [] };
  const otherWord: Level = { field: 'artist', stem: '', kept: node.artist };
  // As it was begun, so it is gone on with, whatever the sample is by then.
  if (done[0]) {
    if (done[0].part.title !== node.title) return { field: 'title', stem: '', kept: [] };
    return done[0].part.artist.length > node.artist.length
      ? otherWord
      : { field: 'artist', stem: last, kept };
  }
  // Where nearly all have the very word ("lil"), a longer prefix cuts nothing: the other words do.
  const tracks = context.sample.filter((track) => begins(track.artistWords, last));
  const exact = tracks.filter((track) => track.artistWords.includes(last)).length;
  if (tracks.length < 20 || exact < 0.7 * tracks.length) return { field: 'artist', stem: last, kept };
  if (!context.honoursNot) return { field: 'artist', stem: last, kept };
  return node.artist.length < 2 ? otherWord : { field: 'title', stem: '', kept: [] };
}

export function isExcluded(node: Part, { field }: Level, prefix: string): boolean {
  return (field === 'artist' ? node.notArtist : node.notTitle).includes(prefix);
}

export function positive(node: Part, { field, kept }: Level, prefix: string): Part {
  return field === 'artist' ? { ...node, artist: [...kept, prefix] } : { ...node, title: prefix };
}

export function exclude(node: Part, { field }: Level, prefixes: readonly string[]): Part {
  return field === 'artist'
    ? { ...node, notArtist: [...node.notArtist, ...prefixes] }
    : { ...node, notTitle: [...node.notTitle, ...prefixes] };
}

/** The prefix that was bitten off a part; null for what was left over, which has the stem alone. */
export function prefixOf(part: Part, { field, kept, stem }: Level): string | null {
  const prefix = field === 'title' ? part.title : part.artist[kept.length];
  return prefix === undefined || prefix === null || prefix === stem ? null : prefix;
}

export function wordsFor(track: PartTrack, { field }: Level): readonly string[] {
  return field === 'artist' ? track.artistWords : track.titleWords;
}
