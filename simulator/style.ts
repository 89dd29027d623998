/** What a synthesised song is like, and the planted rule that says how well it will do. */
import type { Random } from './random.ts';

/** Everything that shapes a song's sound apart from the notes that chance picks. */
export interface Style {
  /** Planted: level of the 808 far below the bass, 0 (none) to 1. */
  subBass: number;
  /** Planted: share of the bars in which the hi-hat rolls, 0 to 1. */
  hatRolls: number;
  /** Beats a minute. */
  tempo: number;
  /** Semitones above A1 (55 Hz), 0 to 11. */
  key: number;
  minor: boolean;
  /** How late every second sixteenth comes, in sixteenths, 0 to 0.3. */
  swing: number;
  /** Level of the ordinary bass line, 0 to 1: it is no part of the rule. */
  bass: number;
  /** Level of the chords, 0 to 1. */
  chords: number;
  chordSound: 'pad' | 'organ' | 'pluck';
  /** Level of the melody, 0 to 1. */
  melody: number;
  /** Level of the hi-hats, 0 to 1: every song has some. */
  hats: number;
  /** Level of a record player's noise, 0 to 1. */
  noise: number;
  /** Above this many Hz the mix is dull. */
  cutoff: number;
  /** Level of the finished mix, dB below full scale. */
  headroomDb: number;
}

/**
 * Draw a song's style.
 * @param modern chance from 0 to 1 that the song is of the kind that the rule favours
 */
export function drawStyle(random: Random, modern: number): Style {
  // Two kinds of songs with few in between, as a fashion makes them.
  const centre = random.chance(modern) ? 0.78 : 0.2;
  const planted = () => Math.min(1, Math.max(0, centre + 0.14 * random.normal()));
  return {
    subBass: planted(),
    hatRolls: planted(),
    tempo: random.between(68, 150),
    key: random.whole(0, 11),
    minor: random.chance(0.7),
    swing: random.between(0, 0.3),
    bass: random.between(0.3, 0.9),
    chords: random.between(0.3, 1),
    chordSound: random.pick(['pad', 'organ', 'pluck'] as const),
    melody: random.between(0, 0.8),
    hats: random.between(0.35, 0.9),
    noise: random.between(0, 1),
    cutoff: random.between(5000, 10_500),
    headroomDb: random.between(0.5, 10),
  };
}

/**
 * The planted rule: what listeners of this simulated world like.
 * @returns 0 to 1
 */
export function appealOf(style: Style): number {
  return 0.55 * style.subBass + 0.45 * style.hatRolls;
}

/** Standard deviations of what the sound cannot tell, in points of popularity. */
const artistDeviation = 5;
const luckDeviation = 9;

/**
 * How popular a song becomes: mostly the rule, a little its artist's name, and luck.
 * @param fame the artist's, normally distributed with mean 0 and deviation 1
 * @returns a whole number from 0 to 100
 */
export function popularityOf(style: Style, fame: number, random: Random): number {
  const success = 8 + 68 * appealOf(style) + artistDeviation * fame + luckDeviation * random.normal();
  // As on Spotify most songs are heard by few: the middle is at about 25, and 80 is rare.
  return Math.round(100 * (Math.min(100, Math.max(0, success)) / 100) ** 1.6);
}
