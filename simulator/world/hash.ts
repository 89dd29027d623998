/** Chance by position: the same for a seed, a stream and an index, whatever was asked before. */

/** Streams that must not be alike have different numbers. */
export const streams = {
  title: 1,
  isrc: 2,
  id: 3,
  duration: 4,
  preview: 5,
  deezer: 6,
  song: 7,
  market: 8,
  day: 9,
} as const;

/** Mix a seed, a stream and an index to 32 well-spread bits (the finaliser of MurmurHash3). */
export function hash32(seed: number, stream: number, index: number): number {
  let h =
    Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^
    Math.imul(stream + 1, 0xc2b2ae35) ^
    Math.imul(index, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The same as a number from 0 (included) to 1 (excluded). */
export function hashUnit(seed: number, stream: number, index: number): number {
  return hash32(seed, stream, index) / 2 ** 32;
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * An id as Spotify's: 22 characters of base 62. The last five spell the index, so that it can be read
 * back; the others are chance.
 * @param kind keeps ids of tracks, albums and artists apart, 0 to 61
 */
export function spotifyId(seed: number, kind: number, index: number): string {
  let id = base62[kind]!;
  let bits = 0;
  for (let place = 0; place < 16; place++) {
    if (place % 5 === 0) bits = hash32(seed, streams.id + 100 * kind, index * 4 + place / 5);
    id += base62[bits % 62]!;
    bits = Math.floor(bits / 62);
  }
  let rest = index;
  let tail = '';
  for (let place = 0; place < 5; place++) {
    tail = base62[rest % 62]! + tail;
    rest = Math.floor(rest / 62);
  }
  return id + tail;
}

/** The index that an id spells, or null where it is no id of this kind. */
export function indexOfId(seed: number, kind: number, id: string): number | null {
  if (!/^[0-9A-Za-z]{22}$/.test(id)) return null;
  let index = 0;
  for (const character of id.slice(17)) index = index * 62 + base62.indexOf(character);
  return spotifyId(seed, kind, index) === id ? index : null;
}
