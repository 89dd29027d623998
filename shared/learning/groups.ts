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

/** Every identity that ties a track to others: two tracks that have one in common are in the same group. */
export function* relationKeys(track: Relations): Generator<string> {
  for (const artist of track.artists) if (isArtist(artist)) yield `artist ${artistKey(artist)}`;
  if (!isPlaceholder(track.isrc)) yield `isrc ${track.isrc!.toUpperCase().replace(/[^A-Z0-9]/g, '')}`;
  if (!isPlaceholder(track.trackGroup)) {
    yield `recording ${track.trackGroup!.normalize('NFC').trim().toLowerCase()}`;
  }
  yield `file ${track.contentHash}`;
  if (track.audioHash) yield `audio ${track.audioHash}`;
}

/** Sets of tracks that grow together (union-find with path halving). */
class Forest {
  readonly #parent: Int32Array;
  readonly #size: Int32Array;
  readonly #firstWith = new Map<string, number>();

  constructor(tracks: number) {
    this.#parent = Int32Array.from(Array(tracks).keys());
    this.#size = new Int32Array(tracks).fill(1);
  }

  rootOf(track: number): number {
    const parent = this.#parent;
    while (parent[track] !== track) {
      parent[track] = parent[parent[track]!]!;
      track = parent[track]!;
    }
    return track;
  }

  sizeOf(track: number): number {
    return this.#size[this.rootOf(track)]!;
  }

  /** The roots of all sets that a track with these keys would tie together, its own not among them. */
  tiedBy(track: Relations): Set<number> {
    const roots = new Set<number>();
    for (const key of relationKeys(track)) {
      const first = this.#firstWith.get(key);
      if (first !== undefined) roots.add(this.rootOf(first));
    }
    return roots;
  }

  add(index: number, track: Relations): void {
    for (const key of relationKeys(track)) {
      const first = this.#firstWith.get(key);
      if (first === undefined) this.#firstWith.set(key, index);
      else this.#unite(index, first);
    }
  }

  #unite(a: number, b: number): void {
    const from = this.rootOf(a);
    const to = this.rootOf(b);
    if (from === to) return;
    this.#parent[from] = to;
    this.#size[to]! += this.#size[from]!;
  }
}

/** A group larger than this share of all tracks leaves little to split: then ties are looked at. */
const largestShare = 0.2;
/** Tracks by several artists may tie groups together up to this share of all tracks. */
const tiedShare = 0.05;

/**
 * Where artists make songs together, everybody is soon tied to everybody, and one group holds nearly all
 * tracks. Then the songs that tie are left out, those that tie least excepted, so that groups remain that
 * share no artist at all.
 *
 * @param tracks in an order that does not depend on chance
 * @returns for each track whether it stays; all of them where no group is too large
 */
export function withoutTies(tracks: readonly Relations[]): boolean[] {
  const forest = new Forest(tracks.length);
  for (const [index, track] of tracks.entries()) forest.add(index, track);
  const largest = tracks.reduce((most, _, index) => Math.max(most, forest.sizeOf(index)), 0);
  if (largest <= largestShare * tracks.length) return tracks.map(() => true);

  const kept = new Forest(tracks.length);
  const stays = tracks.map((track) => track.artists.filter(isArtist).length < 2);
  for (const [index, track] of tracks.entries()) if (stays[index]) kept.add(index, track);
  for (const [index, track] of tracks.entries()) {
    if (stays[index]) continue;
    const roots = kept.tiedBy(track);
    const size = [...roots].reduce((sum, root) => sum + kept.sizeOf(root), 1);
    if (roots.size > 1 && size > tiedShare * tracks.length) continue;
    stays[index] = true;
    kept.add(index, track);
  }
  return stays;
}

/**
 * Find the connected components of tracks that share an artist, a recording or identical audio.
 *
 * @returns for each track the number of its group, 0 to groups - 1; groups are numbered by the smallest
 *   content hash among their members, so neither the tracks' order nor any database id plays a part.
 */
export function groupTracks(tracks: readonly Relations[]): number[] {
  const forest = new Forest(tracks.length);
  for (const [index, track] of tracks.entries()) forest.add(index, track);
  const smallestHash = new Map<number, string>();
  for (const [index, { contentHash }] of tracks.entries()) {
    const root = forest.rootOf(index);
    const smallest = smallestHash.get(root);
    if (smallest === undefined || contentHash < smallest) smallestHash.set(root, contentHash);
  }
  const roots = [...smallestHash].sort(([, a], [, b]) => (a < b ? -1 : 1)).map(([root]) => root);
  const numbers = new Map(roots.map((root, number) => [root, number]));
  return tracks.map((_, index) => numbers.get(forest.rootOf(index))!);
}
