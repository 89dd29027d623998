/** The simulated catalogue: a skeleton in arrays, everything else made from the seed when asked for. */
import { encodeTag } from '../id3.ts';
import { encodeMp3 } from '../mp3.ts';
import { musicRate, synthesise } from '../music.ts';
import { inventTitle } from '../names.ts';
import { createRandom } from '../random.ts';
import { drawStyle, type Style } from '../style.ts';
import { hash32, hashUnit, indexOfId, spotifyId, streams } from './hash.ts';
import { nobody, planReleases, type Releases, recordingChance } from './releases.ts';
import { Search } from './search.ts';
import type {
  DeezerTrack,
  Operators,
  SearchAnswer,
  World,
  WorldAlbum,
  WorldArtist,
  WorldTrack,
} from './types.ts';

export interface WorldOptions {
  /** 1 to 1,000,000 */
  tracks: number;
  seed: number;
  /** First and last year of release. */
  years: readonly [from: number, to: number];
}

/** Kinds of ids: kept apart by their first character. */
const kinds = { track: 1, album: 2, artist: 3 } as const;
const noPreviewShare = 0.2;
const deezer = { unknownShare: 0.15, noPreviewShare: 0.05 };
/** Share of albums whose release is known to the year, or to the month, only. */
const vague = { year: 0.04, month: 0.02 };
const dayMs = 86_400_000;

/** Make a world; some seconds for a million tracks, and some 150 MB. */
export function createWorld(options: WorldOptions): World {
  return new SimulatedWorld(options);
}

class SimulatedWorld implements World {
  readonly tracks: number;
  readonly seed: number;
  readonly #releases: Releases;
  readonly #search: Search;

  constructor(options: WorldOptions) {
    this.tracks = options.tracks;
    this.seed = options.seed;
    this.#releases = planReleases(options);
    // By day a year is found without making a date of each track.
    const yearOfDay = yearsByDay(this.#releases.firstDay, options.years);
    const { album, albumDay } = this.#releases;
    this.#search = new Search({
      seed: options.seed,
      releases: this.#releases,
      yearOf: (track) => yearOfDay[albumDay[album[track]!]!]!,
      titleOf: (track) => this.#title(track),
      albumTitleOf: (track) => this.#album(album[track]!).name,
      isrcOf: (track) => this.#isrc(this.#releases.recording[track]!),
    });
  }

  track(index: number): WorldTrack {
    const { album, albumStart, recording, popularity } = this.#releases;
    const own = recording[index]!;
    return {
      index,
      id: spotifyId(this.seed, kinds.track, index),
      title: this.#title(index),
      artists: this.#artistsOf(index),
      album: this.#album(album[index]!),
      trackNumber: index - albumStart[album[index]!]! + 1,
      durationMs: 90_000 + Math.floor(180_000 * hashUnit(this.seed, streams.duration, own)),
      explicit: hashUnit(this.seed, streams.duration + 20, own) < 0.6,
      isrc: this.#isrc(own),
      popularity: popularity[index]!,
      hasPreview: hashUnit(this.seed, streams.preview, own) >= noPreviewShare,
      recording: own,
    };
  }

  find(id: string): number | null {
    const index = indexOfId(this.seed, kinds.track, id);
    return index !== null && index < this.tracks ? index : null;
  }

  findIsrc(isrc: string): number | null {
    const match = /^XXS(\d{2})\d{2}(\d{5})$/.exec(isrc.toUpperCase());
    const index = match ? Number(match[1]! + match[2]!) : Number.NaN;
    if (!(index < this.tracks) || this.#isrc(index) !== isrc.toUpperCase()) return null;
    return this.#releases.recording[index] === index ? index : null;
  }

  deezer(recording: number): DeezerTrack | null {
    const chance = hashUnit(this.seed, streams.deezer, recording);
    if (chance < deezer.unknownShare) return null;
    const popularity = this.#releases.popularity[recording]!;
    const luck = hashUnit(this.seed, streams.deezer + 20, recording) - 0.5;
    return {
      id: 100_000_000 + recording,
      rank: Math.max(0, Math.round((popularity + 10 * luck) * 9_500)),
      hasPreview: chance >= deezer.unknownShare + deezer.noPreviewShare,
    };
  }

  search(q: string, { market, operators }: { market: string | null; operators: Operators }): SearchAnswer {
    return this.#search.ask(q, market, operators);
  }

  renderPreview(recording: number, seconds: number): Buffer {
    const track = this.track(recording);
    const samples = synthesise({
      seed: hash32(this.seed, streams.song, recording) & 0x7fffffff,
      style: this.style(recording),
      seconds,
    });
    const { name: album, releaseDate } = track.album;
    const tag = encodeTag({
      ...{ title: track.title, artists: track.artists.map(({ name }) => name), album, genre: 'Hip-Hop' },
      ...{ releaseDate, isrc: track.isrc },
    });
    return Buffer.concat([tag, encodeMp3(samples, musicRate)]);
  }

  style(recording: number): Style {
    return drawStyle(
      recordingChance(this.seed, recording),
      this.#releases.modern[this.#releases.artist[recording]!]!,
    );
  }

  #artistsOf(track: number): WorldArtist[] {
    const { artist, firstGuest, secondGuest } = this.#releases;
    return [artist[track]!, firstGuest[track]!, secondGuest[track]!]
      .filter((index) => index !== nobody)
      .map((index) => this.#artist(index));
  }

  #artist(index: number): WorldArtist {
    return {
      id: spotifyId(this.seed, kinds.artist, index),
      name: this.#releases.artistNames[index]!,
    };
  }

  #album(index: number): WorldAlbum {
    const { albumDay, albumSize, albumStart, albumArtist, recording, firstDay } = this.#releases;
    const size = albumSize[index]!;
    const start = albumStart[index]!;
    const day = new Date(firstDay + albumDay[index]! * dayMs).toISOString().slice(0, 10);
    const chance = hashUnit(this.seed, streams.day, index);
    const precision = chance < vague.year ? 'year' : chance < vague.year + vague.month ? 'month' : 'day';
    const again = recording[start] !== start;
    return {
      id: spotifyId(this.seed, kinds.album, index),
      // A single bears its song's name; a reissue is part of a collection.
      name: again
        ? 'The Collection'
        : size === 1
          ? this.#title(start)
          : inventTitle(createRandom(this.seed, `album ${index}`)),
      type: again ? 'compilation' : size === 1 ? 'single' : 'album',
      releaseDate: day.slice(0, { year: 4, month: 7, day: 10 }[precision]),
      releaseDatePrecision: precision,
      totalTracks: again ? size + 11 : size,
      artists: [this.#artist(albumArtist[index]!)],
    };
  }

  #title(track: number): string {
    const own = this.#releases.recording[track]!;
    return inventTitle(createRandom(this.seed, `title ${own}`));
  }

  /** XX is a country code that ISO 3166 leaves to users: no real recording has it. */
  #isrc(recording: number): string {
    const digits = String(recording).padStart(7, '0');
    const year = String(hash32(this.seed, streams.isrc, recording) % 100).padStart(2, '0');
    return `XXS${digits.slice(0, 2)}${year}${digits.slice(2)}`;
  }
}

function yearsByDay(firstDay: number, [from, to]: readonly [number, number]): Uint16Array {
  const days = (Date.UTC(to + 1, 0, 1) - firstDay) / dayMs;
  const years = new Uint16Array(days);
  for (let year = from; year <= to; year++) {
    const start = (Date.UTC(year, 0, 1) - firstDay) / dayMs;
    years.fill(year, start, (Date.UTC(year + 1, 0, 1) - firstDay) / dayMs);
  }
  return years;
}
