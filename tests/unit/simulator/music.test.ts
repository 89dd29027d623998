import { describe, expect, it } from 'vitest';
import { musicRate, synthesise } from '../../../simulator/music.ts';
import { createRandom } from '../../../simulator/random.ts';
import { appealOf, drawStyle, popularityOf, type Style } from '../../../simulator/style.ts';

const styleOf = (seed: number, planted: Partial<Style> = {}): Style => ({
  ...drawStyle(createRandom(seed, 'test'), 0.5),
  ...planted,
});

/** Power of a band in dB below the whole, by a plain Fourier sum at a few frequencies. */
function bandDb(samples: Float32Array, frequencies: readonly number[]): number {
  let total = 0;
  for (const sample of samples) total += sample * sample;
  let band = 0;
  for (const frequency of frequencies) {
    let real = 0;
    let imaginary = 0;
    const step = (2 * Math.PI * frequency) / musicRate;
    for (let index = 0; index < samples.length; index++) {
      real += samples[index]! * Math.cos(step * index);
      imaginary += samples[index]! * Math.sin(step * index);
    }
    band += (real * real + imaginary * imaginary) / samples.length;
  }
  return 10 * Math.log10(band / total);
}

/** How often the sound above some 5 kHz starts anew, in strokes a second. */
function strokesAboveFiveKilohertz(samples: Float32Array): number {
  const hop = 64;
  const envelope: number[] = [];
  for (let start = 2; start + hop < samples.length; start += hop) {
    let energy = 0;
    for (let index = start; index < start + hop; index++) {
      const edge = samples[index]! - 2 * samples[index - 1]! + samples[index - 2]!;
      energy += edge * edge;
    }
    envelope.push(Math.sqrt(energy / hop));
  }
  const loud = [...envelope].sort((a, b) => b - a)[Math.floor(envelope.length / 50)]!;
  let strokes = 0;
  for (let index = 4; index < envelope.length; index++) {
    if (envelope[index]! > 0.35 * loud && envelope[index]! > 2.2 * envelope[index - 4]!) strokes++;
  }
  return strokes / (samples.length / musicRate);
}

describe('synthesise', () => {
  it('plays the same song for the same seed, and another for another', () => {
    const play = (seed: number) => synthesise({ seed, style: styleOf(1), seconds: 4 });
    expect(play(5)).toEqual(play(5));
    expect(play(5)).not.toEqual(play(6));
    expect(play(5).length).toBe(4 * musicRate);
  });

  it('plays what it always played', () => {
    const samples = synthesise({ seed: 1, style: styleOf(1), seconds: 2 });
    // Loudness of each quarter second: another sound shows, the last bit of a platform's sine does not.
    const quarter = musicRate / 4;
    const loudness = Array.from({ length: 8 }, (_, index) => {
      const part = samples.subarray(Math.round(index * quarter), Math.round((index + 1) * quarter));
      return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
    });
    const golden = [0.126727, 0.062965, 0.061455, 0.038592, 0.039299, 0.06074, 0.072816, 0.108127];
    for (const [index, value] of loudness.entries()) expect(value).toBeCloseTo(golden[index]!, 4);
  });

  it('keeps within full scale, and is never silent for long', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const style = styleOf(seed);
      const samples = synthesise({ seed, style, seconds: 5 });
      const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      expect(20 * Math.log10(peak)).toBeCloseTo(-style.headroomDb, 3);
      for (let second = 0; second < 5; second++) {
        const part = samples.subarray(second * musicRate, (second + 1) * musicRate);
        expect(
          Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length),
        ).toBeGreaterThan(0.01);
      }
    }
  });

  it('makes the planted rule audible: more below 80 Hz', () => {
    const low = Array.from({ length: 24 }, (_, index) => 34 + 2 * index);
    const wins = Array.from({ length: 8 }, (_, index) => {
      const play = (subBass: number) =>
        synthesise({ seed: index, style: styleOf(index, { subBass }), seconds: 6 });
      return bandDb(play(0.9), low) - bandDb(play(0.1), low);
    });
    for (const decibels of wins) expect(decibels).toBeGreaterThan(1);
  });

  it('makes the planted rule audible: more strokes of the hi-hat', () => {
    for (let seed = 0; seed < 8; seed++) {
      const plain = { subBass: 0, melody: 0, chords: 0.3, noise: 0, cutoff: 10_000, hats: 0.9, tempo: 90 };
      const play = (hatRolls: number) =>
        synthesise({ seed, style: styleOf(seed, { ...plain, hatRolls }), seconds: 8 });
      expect(strokesAboveFiveKilohertz(play(1))).toBeGreaterThan(1.25 * strokesAboveFiveKilohertz(play(0)));
    }
  });
});

describe('popularityOf', () => {
  it('follows the rule, and luck, within 0 to 100', () => {
    const random = createRandom(3);
    const songs = Array.from({ length: 3000 }, () => {
      const style = drawStyle(random, 0.5);
      return { appeal: appealOf(style), popularity: popularityOf(style, random.normal(), random) };
    });
    for (const { appeal, popularity } of songs) {
      expect(appeal >= 0 && appeal <= 1).toBe(true);
      expect(Number.isInteger(popularity) && popularity >= 0 && popularity <= 100).toBe(true);
    }
    const sorted = songs.map(({ popularity }) => popularity).sort((a, b) => a - b);
    const median = sorted[1500]!;
    expect(median).toBeGreaterThan(15);
    expect(median).toBeLessThan(40);
    // ROC-AUC of an oracle that knows the rule: high, and not perfect.
    const popular = songs.filter(({ popularity }) => popularity >= median);
    const others = songs.filter(({ popularity }) => popularity < median);
    let won = 0;
    for (const a of popular) for (const b of others) if (a.appeal > b.appeal) won++;
    const auc = won / (popular.length * others.length);
    expect(auc).toBeGreaterThan(0.94);
    expect(auc).toBeLessThan(0.99);
  });
});
