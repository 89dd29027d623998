/** The sounds of a beat: each function renders one stroke or note, mono, amplitude about 1. */
import type { Random } from './random.ts';

/** One cycle of a tone, to be read at any pitch. */
export type Wavetable = Float32Array;

const tableSize = 2048;

/**
 * Make a tone of partials.
 * @param partials amplitude of the fundamental and of each overtone
 */
export function makeWavetable(partials: readonly number[]): Wavetable {
  const table = new Float32Array(tableSize);
  const sum = partials.reduce((total, amplitude) => total + amplitude, 0);
  for (let index = 0; index < tableSize; index++) {
    const phase = (2 * Math.PI * index) / tableSize;
    let value = 0;
    for (const [order, amplitude] of partials.entries()) value += amplitude * Math.sin((order + 1) * phase);
    table[index] = value / sum;
  }
  return table;
}

const sine = makeWavetable([1]);

export interface Tone {
  table: Wavetable;
  /** Hz */
  frequency: number;
  seconds: number;
  attackSeconds: number;
  /** Time in which the tone falls to 1/e. */
  decaySeconds: number;
}

/** Render a tone with an attack, an exponential decay and a short release. */
export function renderTone(rate: number, tone: Tone): Float32Array {
  const { table } = tone;
  const samples = new Float32Array(Math.max(1, Math.round(tone.seconds * rate)));
  const step = (tone.frequency / rate) * tableSize;
  const decay = Math.exp(-1 / (tone.decaySeconds * rate));
  let phase = 0;
  let level = 1;
  for (let index = 0; index < samples.length; index++) {
    samples[index] = table[Math.trunc(phase)]! * level;
    phase += step;
    if (phase >= tableSize) phase -= tableSize;
    level *= decay;
  }
  const attack = Math.min(samples.length, Math.round(tone.attackSeconds * rate));
  for (let index = 0; index < attack; index++) samples[index]! *= index / attack;
  const release = Math.min(samples.length, Math.round(0.01 * rate));
  for (let index = 0; index < release; index++) samples[samples.length - 1 - index]! *= index / release;
  return samples;
}

/** A bass drum: a sine that falls from 160 Hz to `floor` Hz and dies in a fifth of a second. */
export function renderKick(rate: number, floor: number): Float32Array {
  const samples = new Float32Array(Math.round(0.22 * rate));
  let phase = 0;
  for (let index = 0; index < samples.length; index++) {
    const seconds = index / rate;
    phase += ((floor + (160 - floor) * Math.exp(-seconds / 0.025)) / rate) * tableSize;
    samples[index] = sine[Math.floor(phase) & (tableSize - 1)]! * Math.exp(-seconds / 0.06);
  }
  return samples;
}

/** The boom of an 808: a long sine far below the bass, driven a little, so that its overtones are heard. */
export function renderSub(rate: number, frequency: number, seconds: number): Float32Array {
  const tone = renderTone(rate, { table: sine, frequency, seconds, attackSeconds: 0.004, decaySeconds: 0.7 });
  return tone.map((sample) => Math.tanh(1.8 * sample));
}

/** A snare: a drum's tone and a burst of noise. */
export function renderSnare(rate: number, random: Random, frequency: number): Float32Array {
  const noise = highPass(renderNoise(random, Math.round(0.2 * rate)), rate, 900);
  return noise.map((sample, index) => {
    const seconds = index / rate;
    const tone = sine[Math.floor((seconds * frequency * tableSize) % tableSize)]!;
    return 0.8 * sample * Math.exp(-seconds / 0.055) + 0.5 * tone * Math.exp(-seconds / 0.04);
  });
}

/** A hi-hat: noise above 6 kHz. @param decaySeconds 0.02 closed, 0.15 open */
export function renderHat(rate: number, random: Random, decaySeconds: number): Float32Array {
  const noise = highPass(renderNoise(random, Math.round(decaySeconds * 5 * rate)), rate, 6000);
  return noise.map((sample, index) => sample * Math.exp(-index / rate / decaySeconds));
}

/** White noise from -1 to 1. */
export function renderNoise(random: Random, length: number): Float32Array {
  return Float32Array.from({ length }, () => random.between(-1, 1));
}

function highPass(samples: Float32Array, rate: number, cutoff: number): Float32Array {
  const keep = Math.exp((-2 * Math.PI * cutoff) / rate);
  let low = 0;
  return samples.map((sample) => {
    low += (1 - keep) * (sample - low);
    return sample - low;
  });
}

/** Take away what is above `cutoff` Hz, 6 dB an octave, in place. */
export function lowPassInPlace(samples: Float32Array, rate: number, cutoff: number): void {
  const share = 1 - Math.exp((-2 * Math.PI * cutoff) / rate);
  let low = 0;
  for (let index = 0; index < samples.length; index++) {
    low += share * (samples[index]! - low);
    samples[index] = low;
  }
}

/** Add a sound to a mix at a time, cut off at its end. */
export function mixIn(mix: Float32Array, sound: Float32Array, start: number, gain: number): void {
  const from = Math.round(start);
  const length = Math.min(sound.length, mix.length - from);
  for (let index = Math.max(0, -from); index < length; index++) mix[from + index]! += sound[index]! * gain;
}
