import { expect, test } from 'vitest';
import { groupTracks, type Relations, withoutTies } from '../../../shared/learning/groups.ts';

let made = 0;
function song(...artists: string[]): Relations {
  return { artists, isrc: null, trackGroup: null, contentHash: `hash ${made++}`, audioHash: null };
}

test('where guests tie everybody together, the songs that tie are left out and nobody is on two sides', () => {
  // Twenty artists with five songs each, and a song of each with the next: one chain.
  const artists = Array.from({ length: 20 }, (_, index) => `artist ${index}`);
  const solo = artists.flatMap((name) => Array.from({ length: 5 }, () => song(name)));
  const together = artists.slice(1).map((name, index) => song(name, artists[index]!));
  const tracks = [...solo, ...together];
  expect(new Set(groupTracks(tracks)).size).toBe(1);

  const stays = withoutTies(tracks);
  // Every song of one artist stays; of the others those that tie two small groups may.
  expect(stays.slice(0, solo.length)).not.toContain(false);
  const kept = tracks.filter((_, index) => stays[index]);
  const groups = groupTracks(kept);
  expect(new Set(groups).size).toBe(20);
  const groupOf = new Map<string, number>();
  for (const [index, track] of kept.entries()) {
    for (const name of track.artists) {
      expect(groupOf.get(name) ?? groups[index]).toBe(groups[index]);
      groupOf.set(name, groups[index]!);
    }
  }
});

test('songs that tie little stay: a guest without songs of its own, and small groups', () => {
  const many = Array.from({ length: 100 }, (_, index) => song(`artist ${index}`));
  // Seven artists of this chain would be a fifth of all; a pair is less than a twentieth.
  const chain = Array.from({ length: 40 }, (_, index) => song(`artist ${index}`, `artist ${index + 1}`));
  const alone = song('artist 90', 'a guest that nobody knows');
  const tracks = [...many, ...chain, alone];
  const stays = withoutTies(tracks);
  expect(stays.at(-1)).toBe(true);
  const kept = chain.filter((_, index) => stays[many.length + index]).length;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(chain.length);
  const groups = groupTracks(tracks.filter((_, index) => stays[index]));
  const sizes = new Map<number, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  expect(Math.max(...sizes.values())).toBeLessThanOrEqual(0.05 * tracks.length);
});

test('where no group is large, nothing is left out', () => {
  const pairs = Array.from({ length: 30 }, (_, index) => song(`artist ${index}`, `guest ${index}`));
  expect(withoutTies(pairs)).toEqual(pairs.map(() => true));
});
