import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../simulator/random.ts';
import { inventName } from '../../../simulator/world/artist-names.ts';
import { createWorld } from '../../../simulator/world/world.ts';

const years: [number, number] = [2019, 2021];
const world = createWorld({ tracks: 6_000, seed: 1, years });
const tracks = Array.from({ length: world.tracks }, (_, index) => world.track(index));
const share = (count: number, of = tracks.length) => count / of;

describe('a made-up catalogue', () => {
  test('is the same for the same seed, whatever was asked before, and another for another', () => {
    const again = createWorld({ tracks: 6_000, seed: 1, years });
    for (const index of [5_999, 17, 3_000, 17]) expect(again.track(index)).toEqual(tracks[index]);
    const other = createWorld({ tracks: 6_000, seed: 2, years });
    const same = tracks.filter(({ id, title }, index) => {
      const { id: otherId, title: otherTitle } = other.track(index);
      return id === otherId || title === otherTitle;
    });
    expect(share(same.length)).toBeLessThan(0.02);
  });

  test('has ids as Spotify’s, each of one track, which lead back to it', () => {
    expect(new Set(tracks.map(({ id }) => id)).size).toBe(tracks.length);
    for (const { id, index, album, artists } of tracks) {
      expect(id).toMatch(/^[0-9A-Za-z]{22}$/);
      expect(world.find(id)).toBe(index);
      expect(world.find(album.id)).toBeNull();
      expect(world.find(artists[0]!.id)).toBeNull();
    }
    const id = tracks[0]!.id;
    for (const none of ['', 'x', `${id}x`, id.slice(1), `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}x`])
      expect(world.find(none)).toBeNull();
    // Of the right form, but beyond the catalogue: an id of a larger world.
    const larger = createWorld({ tracks: 6_001, seed: 1, years });
    expect(world.find(larger.track(6_000).id)).toBeNull();
    expect(larger.find(larger.track(6_000).id)).toBe(6_000);
  });

  test('has recordings on several albums, under one code and with one sound', () => {
    const byRecording = groupByRecording();
    const several = [...byRecording.values()].filter((releases) => releases.length > 1);
    expect(share(several.flat().length)).toBeGreaterThan(0.02);
    expect(share(several.flat().length)).toBeLessThan(0.2);
    for (const releases of several) {
      const [first] = releases;
      expect(first!.index).toBe(first!.recording);
      for (const key of ['isrc', 'title', 'hasPreview', 'durationMs', 'explicit'] as const) {
        expect(new Set(releases.map((release) => release[key])).size, key).toBe(1);
      }
      expect(new Set(releases.map(({ album }) => album.id)).size).toBe(releases.length);
      const popularity = releases.map((release) => release.popularity);
      expect(Math.max(...popularity) - Math.min(...popularity)).toBeLessThanOrEqual(8);
    }
    expect(new Set(tracks.map(({ isrc }) => isrc)).size).toBe(byRecording.size);
    for (const { isrc, recording } of tracks.slice(0, 500)) {
      expect(isrc).toMatch(/^XXS\d{9}$/);
      expect(world.findIsrc(isrc)).toBe(recording);
      expect(world.findIsrc(isrc.toLowerCase())).toBe(recording);
    }
    expect(world.findIsrc('XXS009999999')).toBeNull();
    expect(world.findIsrc('')).toBeNull();
  });

  test('lacks a preview of about one track in five', () => {
    expect(share(tracks.filter(({ hasPreview }) => !hasPreview).length)).toBeCloseTo(0.2, 1);
  });

  test('is popular as the real one: few songs are heard by many', () => {
    const sorted = tracks.map(({ popularity }) => popularity).sort((a, b) => a - b);
    const at = (quantile: number) => sorted[Math.floor(quantile * sorted.length)]!;
    expect(sorted[0]).toBeGreaterThanOrEqual(0);
    expect(sorted.at(-1)).toBeLessThanOrEqual(100);
    expect(at(0.5)).toBeGreaterThan(18);
    expect(at(0.5)).toBeLessThan(35);
    expect(share(sorted.filter((value) => value >= 80).length)).toBeLessThan(0.01);
    expect(share(sorted.filter((value) => value >= 60).length)).toBeGreaterThan(0.01);
    expect(sorted.every(Number.isInteger)).toBe(true);
  });

  test('has artists with one song and artists with very many, and guests', () => {
    const songs = new Map<string, number>();
    for (const { artists } of tracks) songs.set(artists[0]!.id, (songs.get(artists[0]!.id) ?? 0) + 1);
    const counts = [...songs.values()].sort((a, b) => a - b);
    expect(counts[Math.floor(counts.length / 2)]).toBeGreaterThanOrEqual(3);
    expect(counts[Math.floor(counts.length / 2)]).toBeLessThanOrEqual(8);
    expect(counts[0]).toBe(1);
    expect(counts.at(-1)).toBeGreaterThan(40);
    expect(share(tracks.filter(({ artists }) => artists.length > 1).length)).toBeCloseTo(0.2, 1);
    for (const { artists } of tracks) expect(new Set(artists.map(({ id }) => id)).size).toBe(artists.length);
  });

  test('has names with accents, in other alphabets, with digits and of signs', () => {
    const random = createRandom(1, 'names');
    const names = Array.from({ length: 30_000 }, () => inventName(random));
    for (const kind of [/[áéö]/, /[а-я]/, /[α-ω]/, /[ア-ロ]/, /^\d+$/, /^[^\p{L}\p{N}]+$/u, /^Lil /]) {
      expect(
        names.some((name) => kind.test(name)),
        String(kind),
      ).toBe(true);
    }
  });

  test('was released within its years, on days that are known more or less well', () => {
    const precisions = new Set(tracks.map(({ album }) => album.releaseDatePrecision));
    expect(precisions).toEqual(new Set(['day', 'month', 'year']));
    for (const { album } of tracks) {
      expect(album.releaseDate).toMatch(
        { year: /^\d{4}$/, month: /^\d{4}-\d{2}$/, day: /^\d{4}-\d{2}-\d{2}$/ }[album.releaseDatePrecision],
      );
      expect(Number(album.releaseDate.slice(0, 4))).toBeGreaterThanOrEqual(2019);
      expect(Number(album.releaseDate.slice(0, 4))).toBeLessThanOrEqual(2021);
    }
  });

  test('is known to Deezer for the most part, with ranks that follow popularity', () => {
    const known = tracks.map(({ recording }) => world.deezer(recording));
    expect(share(known.filter((track) => track === null).length)).toBeCloseTo(0.15, 1);
    expect(share(known.filter((track) => track && !track.hasPreview).length)).toBeCloseTo(0.05, 1);
    const mean = (of: typeof tracks) => {
      const ranks = of.flatMap(({ recording }) => world.deezer(recording)?.rank ?? []);
      return ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
    };
    const sorted = [...tracks].sort((a, b) => a.popularity - b.popularity);
    expect(mean(sorted.slice(-1_000))).toBeGreaterThan(3 * mean(sorted.slice(0, 1_000)));
    for (const track of known) if (track) expect(track.rank).toBeLessThanOrEqual(1_000_000);
  });
});

function groupByRecording(): Map<number, typeof tracks> {
  const groups = new Map<number, typeof tracks>();
  for (const track of tracks) groups.set(track.recording, [...(groups.get(track.recording) ?? []), track]);
  return groups;
}
