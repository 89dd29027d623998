import { artistKey, isArtist, isPlaceholder } from './artists.ts';

/** What ties a track to others: whoever shares one of these is in the same group. */
export interface Relations {
  /** Each artist by itself; guests are artists of their own. */
  readonly artists: readonly string[];
  readonly isrc: string | null;
  readonly trackGroup: string | null;
  /** sha256 of the audio file. */
  readonly contentHash: string;
  /** sha256 of what it decodes to. */
  readonly audioHash: string | null;
}

function* keysOf(track: Relations): Generator<string> {
  for (const artist of track.artists) if (isArtist(artist)) yield `artist ${artistKey(artist)}`;
  if (!isPlaceholder(track.isrc)) yield `isrc ${track.isrc!.toUpperCase().replace(/[^A-Z0-9]/g, '')}`;
  if (!isPlaceholder(track.trackGroup)) {
    yield `recording ${track.trackGroup!.normalize('NFC').trim().toLowerCase()}`;
  }
  yield `file ${track.contentHash}`;
  if (track.audioHash) yield `audio ${track.audioHash}`;
}

/**
 * Find the connected components of tracks that share an artist, a recording or identical audio
 * (union-find with path halving).
 *
 * @returns for each track the number of its group, 0 to groups - 1; groups are numbered by the smallest
 *   content hash among their members, so neither the tracks' order nor any database id plays a part.
 */
export function groupTracks(tracks: readonly Relations[]): number[] {
  const parent = Int32Array.from(tracks.keys());
  const rootOf = (track: number): number => {
    while (parent[track] !== track) {
      parent[track] = parent[parent[track]!]!;
      track = parent[track]!;
    }
    return track;
  };
  const firstWith = new Map<string, number>();
  for (const [index, track] of tracks.entries()) {
    for (const key of keysOf(track)) {
      const first = firstWith.get(key);
      if (first === undefined) firstWith.set(key, index);
      else parent[rootOf(index)] = rootOf(first);
    }
  }

  const smallestHash = new Map<number, string>();
  for (const [index, { contentHash }] of tracks.entries()) {
    const root = rootOf(index);
    const smallest = smallestHash.get(root);
    if (smallest === undefined || contentHash < smallest) smallestHash.set(root, contentHash);
  }
  const roots = [...smallestHash].sort(([, a], [, b]) => (a < b ? -1 : 1)).map(([root]) => root);
  const numbers = new Map(roots.map((root, number) => [root, number]));
  return tracks.map((_, index) => numbers.get(rootOf(index))!);
}
