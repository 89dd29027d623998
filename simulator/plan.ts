/** Decide what a simulated catalogue holds, before a note is played. */
import type { SongTags } from './id3.ts';
import { inventArtist, inventTitle } from './names.ts';
import { createRandom, type Random } from './random.ts';
import { drawStyle, popularityOf, type Style } from './style.ts';

export interface PlannedTrack {
  /** File name, without folder. */
  file: string;
  tags: SongTags;
  /** 0 to 100 */
  popularity: number;
  /** What the song is played from: two releases of one recording have the same. */
  songSeed: number;
  style: Style;
}

export interface PlanOptions {
  /** How many tracks, releases of one recording counted each. */
  tracks: number;
  seed: number;
  /** Keeps worlds of one seed apart: no artist and no ISRC of one is in another. */
  world: 'catalogue' | 'unheard';
  /** Chance that a song comes out again on another album: the same recording, the same ISRC. */
  reissues: number;
}

interface Artist {
  name: string;
  /** Adds to every song's popularity; mean 0, deviation 1. */
  fame: number;
  /** Chance of a song of the kind that the rule favours. */
  modern: number;
  album: string;
}

const songsOfAnArtist = { least: 1, most: 5 };
const firstDay = Date.UTC(2019, 0, 1);
const days = 3 * 365; // 2019 to 2021
const dayMs = 86_400_000;

/** Plan tracks: artists with several songs each, some recordings released twice. */
export function planTracks({ tracks, seed, world, reissues }: PlanOptions): PlannedTrack[] {
  const random = createRandom(seed, world);
  const names = new Set<string>();
  const planned: PlannedTrack[] = [];
  for (let song = 0; planned.length < tracks; ) {
    const artist = inventSomebody(random, world, names);
    const songs = random.whole(songsOfAnArtist.least, songsOfAnArtist.most);
    for (let index = 0; index < songs && planned.length < tracks; index++, song++) {
      const track = planTrack(random, artist, { world, song, number: planned.length });
      planned.push(track);
      if (random.chance(reissues) && planned.length < tracks) {
        planned.push(reissueOf(track, random, planned.length));
      }
    }
  }
  return planned;
}

function inventSomebody(random: Random, world: PlanOptions['world'], names: Set<string>): Artist {
  return {
    name: inventArtist(random, world, names),
    fame: random.normal(),
    modern: random.between(0.3, 0.7),
    album: inventTitle(random),
  };
}

function planTrack(
  random: Random,
  artist: Artist,
  at: { world: PlanOptions['world']; song: number; number: number },
): PlannedTrack {
  const style = drawStyle(random, artist.modern);
  const release = new Date(firstDay + random.whole(0, days - 1) * dayMs);
  const world = at.world === 'catalogue' ? 'SIM' : 'UNH';
  const year = String(release.getUTCFullYear()).slice(2);
  return {
    file: fileName(at.number),
    tags: {
      title: inventTitle(random),
      artists: [artist.name],
      album: artist.album,
      genre: 'Hip-Hop',
      releaseDate: dateText(release),
      // XX is a country code that ISO 3166 leaves to users: no real recording has it.
      isrc: `XX${world}${year}${String(at.song % 100_000).padStart(5, '0')}`,
    },
    popularity: popularityOf(style, artist.fame, random),
    songSeed: random.whole(0, 2 ** 31 - 1),
    style,
  };
}

function reissueOf(track: PlannedTrack, random: Random, number: number): PlannedTrack {
  const first = Date.parse(track.tags.releaseDate);
  const last = firstDay + (days - 1) * dayMs;
  const release = new Date(Math.min(last, first + random.whole(30, 300) * dayMs));
  return {
    ...track,
    file: fileName(number),
    tags: { ...track.tags, album: `${track.tags.album} (Deluxe)`, releaseDate: dateText(release) },
    popularity: Math.max(0, track.popularity - random.whole(0, 8)),
  };
}

function fileName(number: number): string {
  return `${String(number + 1).padStart(4, '0')}.mp3`;
}

function dateText(date: Date): string {
  return date.toISOString().slice(0, 10);
}
