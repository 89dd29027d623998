/** Play a song: a beat with bass, chords and melody, the same for the same seed and style. */
import {
  lowPassInPlace,
  makeWavetable,
  mixIn,
  renderHat,
  renderKick,
  renderNoise,
  renderSnare,
  renderSub,
  renderTone,
} from './instruments.ts';
import { createRandom, type Random } from './random.ts';
import type { Style } from './style.ts';

/** Hz; what the spectrogram stage resamples to, so that nothing is lost and nothing is made in vain. */
export const musicRate = 22_050;

export interface SongOptions {
  seed: number;
  style: Style;
  seconds: number;
}

const chordTables = {
  pad: makeWavetable([1, 0.5, 0.25, 0.12, 0.06]),
  organ: makeWavetable([1, 0.8, 0.1, 0.6, 0, 0, 0, 0.3]),
  pluck: makeWavetable([1, 0.7, 0.5, 0.35, 0.25, 0.2, 0.15, 0.1]),
};
const bassTable = makeWavetable([1, 0.6, 0.35, 0.2, 0.1]);
const leadTable = makeWavetable([1, 0.3, 0.45, 0.1, 0.2]);

const stepsInBar = 16;
const minorScale = [0, 2, 3, 5, 7, 8, 10];
const majorScale = [0, 2, 4, 5, 7, 9, 11];
/** Roots of four bars, as degrees of the scale. */
const progressions = [
  [0, 5, 3, 4],
  [0, 3, 5, 4],
  [0, 5, 2, 6],
  [0, 0, 5, 3],
  [0, 2, 3, 4],
];

interface Band {
  mix: Float32Array;
  style: Style;
  random: Random;
  /** Samples of a sixteenth. */
  step: number;
  progression: number[];
}

/**
 * Synthesise a song.
 * @returns mono samples at `musicRate`, within -1 and 1
 */
export function synthesise({ seed, style, seconds }: SongOptions): Float32Array {
  const random = createRandom(seed, 'song');
  const band: Band = {
    mix: new Float32Array(Math.round(seconds * musicRate)),
    style,
    random,
    step: ((60 / style.tempo) * musicRate) / 4,
    progression: random.pick(progressions),
  };
  playChords(band);
  playBass(band);
  playMelody(band);
  playDrums(band);
  playSub(band);
  playHats(band);
  master(band);
  return band.mix;
}

/** Hz of a degree of the song's scale. @param octave 0 begins at 55 Hz */
function pitch(style: Style, degree: number, octave: number): number {
  const scale = style.minor ? minorScale : majorScale;
  const semitone = style.key + scale[degree % 7]! + 12 * (octave + Math.floor(degree / 7));
  // Keys above D drop an octave, so that all songs keep to the same register.
  return 55 * 2 ** ((semitone - (style.key > 5 ? 12 : 0)) / 12);
}

function barsOf({ mix, step }: Band): number {
  return Math.ceil(mix.length / (step * stepsInBar));
}

/** Where a sixteenth begins, in samples; every second one comes late by the swing. */
function startOf({ step, style }: Band, bar: number, sixteenth: number): number {
  const late = sixteenth % 2 === 1 ? style.swing : 0;
  return (bar * stepsInBar + sixteenth + late) * step;
}

function playChords(band: Band): void {
  const { style, mix, step } = band;
  const seconds = (stepsInBar * step) / musicRate;
  const isPluck = style.chordSound === 'pluck';
  const stabs = isPluck ? [0, 6, 11] : [0];
  const rendered = new Map<number, Float32Array>();
  for (let bar = 0; bar < barsOf(band); bar++) {
    const root = band.progression[bar % 4]!;
    let chord = rendered.get(root);
    if (!chord) {
      chord = new Float32Array(Math.round(seconds * musicRate));
      for (const third of [0, 2, 4, 6]) {
        const note = renderTone(musicRate, {
          table: chordTables[style.chordSound],
          frequency: pitch(style, root + third, 2),
          seconds,
          attackSeconds: isPluck ? 0.005 : 0.08,
          decaySeconds: isPluck ? 0.35 : 4,
        });
        mixIn(chord, note, 0, 0.25);
      }
      rendered.set(root, chord);
    }
    for (const sixteenth of stabs) mixIn(mix, chord, startOf(band, bar, sixteenth), 0.32 * style.chords);
  }
}

function playBass(band: Band): void {
  const { style, random, mix, step } = band;
  const rhythm = Array.from({ length: 8 }, (_, index) => index === 0 || random.chance(0.45));
  for (let bar = 0; bar < barsOf(band); bar++) {
    const note = renderTone(musicRate, {
      table: bassTable,
      frequency: pitch(style, band.progression[bar % 4]!, 1),
      seconds: (2 * step) / musicRate,
      attackSeconds: 0.006,
      decaySeconds: 0.4,
    });
    for (const [eighth, plays] of rhythm.entries()) {
      if (plays) mixIn(mix, note, startOf(band, bar, eighth * 2), 0.4 * style.bass);
    }
  }
}

function playMelody(band: Band): void {
  const { style, random, mix, step } = band;
  const motif = Array.from({ length: stepsInBar }, () => (random.chance(0.3) ? random.whole(0, 9) : null));
  const rendered = new Map<number, Float32Array>();
  for (let bar = 0; bar < barsOf(band); bar++) {
    // A phrase of two bars in four leaves room for the beat.
    if (bar % 4 >= 2) continue;
    for (const [sixteenth, degree] of motif.entries()) {
      if (degree === null) continue;
      let note = rendered.get(degree);
      if (!note) {
        note = renderTone(musicRate, {
          table: leadTable,
          frequency: pitch(style, degree, 3),
          seconds: (3 * step) / musicRate,
          attackSeconds: 0.01,
          decaySeconds: 0.2,
        });
        rendered.set(degree, note);
      }
      mixIn(mix, note, startOf(band, bar, sixteenth), 0.2 * style.melody);
    }
  }
}

function playDrums(band: Band): void {
  const { random, mix } = band;
  const kick = renderKick(musicRate, random.between(48, 62));
  const snare = renderSnare(musicRate, random, random.between(170, 230));
  const kicks = Array.from({ length: stepsInBar }, (_, index) => index === 0 || random.chance(0.14));
  for (let bar = 0; bar < barsOf(band); bar++) {
    for (const [sixteenth, plays] of kicks.entries()) {
      if (plays) mixIn(mix, kick, startOf(band, bar, sixteenth), 0.75);
    }
    for (const beat of [4, 12]) mixIn(mix, snare, startOf(band, bar, beat), 0.45);
  }
}

/** The planted sound, an octave and more below the bass line: 37 to 75 Hz. */
function playSub(band: Band): void {
  const { style, random, mix, step } = band;
  const rhythm = random.pick([
    [0, 10],
    [0, 7, 10],
    [0, 6, 12],
  ]);
  for (let bar = 0; bar < barsOf(band); bar++) {
    let frequency = pitch(style, band.progression[bar % 4]!, 0);
    if (frequency > 75) frequency /= 2;
    const boom = renderSub(musicRate, frequency, (6 * step) / musicRate);
    for (const sixteenth of rhythm) mixIn(mix, boom, startOf(band, bar, sixteenth), 0.75 * style.subBass);
  }
}

/** Eighths throughout; in the bars that roll, a half of the bar in thirty-seconds or triplets of them. */
function playHats(band: Band): void {
  const { style, random, mix, step } = band;
  const closed = renderHat(musicRate, random, 0.022);
  const open = renderHat(musicRate, random, 0.13);
  const level = 0.35 * style.hats;
  for (let bar = 0; bar < barsOf(band); bar++) {
    const rolls = random.unit() < style.hatRolls;
    const rollStart = random.pick([4, 8]);
    const strokesInStep = random.pick([2, 3]);
    for (let eighth = 0; eighth < 8; eighth++) {
      const sixteenth = eighth * 2;
      const inRoll = rolls && sixteenth >= rollStart && sixteenth < rollStart + 8;
      if (!inRoll) mixIn(mix, closed, startOf(band, bar, sixteenth), level);
    }
    if (rolls) {
      for (let stroke = 0; stroke < 8 * strokesInStep; stroke++) {
        const at = (bar * stepsInBar + rollStart + stroke / strokesInStep) * step;
        mixIn(mix, closed, at, level * (0.7 + 0.5 * ((stroke % 8) / 8)));
      }
    }
    if (random.chance(0.3)) mixIn(mix, open, startOf(band, bar, 14), level * 0.8);
  }
}

/** Noise, tone and loudness of the finished record. */
function master({ mix, style, random }: Band): void {
  const hiss = renderNoise(random, musicRate);
  const hissGain = 0.012 * style.noise;
  for (let index = 0; index < mix.length; index++) mix[index]! += hiss[index % musicRate]! * hissGain;
  lowPassInPlace(mix, musicRate, style.cutoff);
  let peak = 1e-9;
  for (let index = 0; index < mix.length; index++) peak = Math.max(peak, Math.abs(mix[index]!));
  const gain = 10 ** (-style.headroomDb / 20) / peak;
  for (let index = 0; index < mix.length; index++) mix[index]! *= gain;
}
