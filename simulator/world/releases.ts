/** Who released what and when: the skeleton of a catalogue, in arrays, so that a million tracks are some MB. */
import { createRandom, type Random } from '../random.ts';
import { drawStyle, popularityOf } from '../style.ts';
import { inventName } from './artist-names.ts';

/** No guest in this place. */
export const nobody = 0xffffffff;
const guestShares = { one: 0.17, two: 0.04 };
/** Chance that a song comes out again later, on an album of its own: the same recording. */
const reissueShare = 0.06;
const singleShare = 0.5;
const dayMs = 86_400_000;

export interface Releases {
  artistNames: string[];
  /** By artist: the chance that a song is of the kind that the planted rule favours. */
  modern: number[];
  /** By track: its artists' indices. */
  artist: Uint32Array;
  firstGuest: Uint32Array;
  secondGuest: Uint32Array;
  /** By track: index of its album. */
  album: Uint32Array;
  /** By track: index of the track in which its recording came out first. */
  recording: Uint32Array;
  popularity: Uint8Array;
  /** By album: days since 1 January of the first year. */
  albumDay: Uint32Array;
  albumArtist: Uint32Array;
  albumSize: Uint16Array;
  /** By album: its first track; the others follow. */
  albumStart: Uint32Array;
  /** Milliseconds since 1970 of day 0. */
  firstDay: number;
}

export interface ReleaseOptions {
  tracks: number;
  seed: number;
  years: readonly [from: number, to: number];
}

/** What a recording sounds like, from which both its audio and its popularity are made. */
export function recordingChance(seed: number, recording: number): Random {
  return createRandom(seed, `recording ${recording}`);
}

/** Make the skeleton: artists with one or many songs, singles and albums, guests, reissues. */
export function planReleases({ tracks, seed, years }: ReleaseOptions): Releases {
  const random = createRandom(seed, 'releases');
  const firstDay = Date.UTC(years[0], 0, 1);
  const days = (Date.UTC(years[1] + 1, 0, 1) - firstDay) / dayMs;
  const perTrack = () => new Uint32Array(tracks);
  const made: Releases = {
    ...{ artistNames: [], modern: [] },
    ...{ artist: perTrack(), firstGuest: perTrack().fill(nobody), secondGuest: perTrack().fill(nobody) },
    ...{ album: perTrack(), recording: perTrack(), popularity: new Uint8Array(tracks) },
    ...{ albumDay: perTrack(), albumArtist: perTrack(), albumSize: new Uint16Array(tracks) },
    ...{ albumStart: perTrack(), firstDay },
  };
  let albums = 0;
  let next = 0;
  while (next < tracks) {
    const artist = made.artistNames.push(inventName(random)) - 1;
    const fame = random.normal();
    made.modern.push(random.between(0.3, 0.7));
    // Few have very many songs: the logarithm is normal, the median five.
    const last = Math.min(tracks, next + Math.max(1, Math.round(Math.exp(1.6 + random.normal()))));
    const first = next;
    while (next < last) {
      const album = albums++;
      const size = random.chance(singleShare) ? 1 : Math.min(last - next, random.whole(3, 14));
      made.albumStart[album] = next;
      made.albumSize[album] = size;
      made.albumArtist[album] = artist;
      made.albumDay[album] = random.whole(0, days - 1);
      for (const end = next + size; next < end; next++) {
        made.artist[next] = artist;
        made.album[next] = album;
        const again = size === 1 && next > first && random.chance(reissueShare * 2);
        made.recording[next] = again ? made.recording[random.whole(first, next - 1)]! : next;
        if (!again) addSound(next, fame);
        else copyRecording(made, next, random);
      }
    }
  }
  return made;

  function addSound(track: number, fame: number): void {
    const chance = random.unit();
    if (chance < guestShares.one + guestShares.two) made.firstGuest[track] = guest(track);
    if (chance < guestShares.two) made.secondGuest[track] = guest(track);
    const sound = recordingChance(seed, track);
    made.popularity[track] = popularityOf(drawStyle(sound, made.modern.at(-1)!), fame, sound);
  }

  /** Somebody who has songs already, those with many more often: a track is drawn, not an artist. */
  function guest(track: number): number {
    const other = track === 0 ? nobody : made.artist[random.whole(0, track - 1)]!;
    return other === made.artist[track] || other === made.firstGuest[track] ? nobody : other;
  }
}

/** The same recording has the same guests and about the same popularity. */
function copyRecording(made: Releases, track: number, random: Random): void {
  const first = made.recording[track]!;
  made.firstGuest[track] = made.firstGuest[first]!;
  made.secondGuest[track] = made.secondGuest[first]!;
  made.popularity[track] = Math.max(0, made.popularity[first]! - random.whole(0, 8));
}
