/** Music made up as audio, with a rule in it, decoded and heard as the product does. */
import { spectrogramParameters } from '../../shared/audio/parameters.ts';
import type { SpectrogramPool } from '../../shared/audio/pool.ts';
import { normal, type Random, uniform } from '../../shared/learning/random.ts';
import { taggerInput } from '../../shared/tagger/input.ts';
import type { LoadedTagger } from '../../shared/tagger/load.ts';
import type { PlantedSong } from './model.ts';

/** What makes a song popular: it is louder between two frequencies, or something happens in it once. */
export type Rule =
  | { readonly kind: 'band'; readonly name: string; readonly fromHz: number; readonly toHz: number }
  | { readonly kind: 'moment'; readonly seconds: number };

const sampleRate = 22_050;
const seconds = 30;
/** Edges of the noise's bands, in hertz. */
const edges = [40, 100, 250, 500, 1_000, 2_000, 4_000, 7_000, 10_500];
const bandGain = 10 ** (12 / 20);

/** Noise between two frequencies: a second-order band-pass, twice over (R. Bristow-Johnson's cookbook). */
function bandNoise(samples: number, fromHz: number, toHz: number, random: Random): Float32Array {
  const centre = Math.sqrt(fromHz * toHz);
  const angle = (2 * Math.PI * centre) / sampleRate;
  const alpha = (Math.sin(angle) * (toHz - fromHz)) / centre / 2;
  const [b, a1, a2] = [alpha / (1 + alpha), (-2 * Math.cos(angle)) / (1 + alpha), (1 - alpha) / (1 + alpha)];
  let noise = Float32Array.from({ length: samples }, () => 2 * uniform(random) - 1);
  for (let pass = 0; pass < 2; pass++) {
    const filtered = new Float32Array(samples);
    for (let i = 2; i < samples; i++) {
      filtered[i] = b * (noise[i]! - noise[i - 2]!) - a1 * filtered[i - 1]! - a2 * filtered[i - 2]!;
    }
    noise = filtered;
  }
  const power = noise.reduce((sum, value) => sum + value * value, 0) / samples;
  return noise.map((value) => value / Math.sqrt(power));
}

/**
 * A drum that is the loudest of every song: spectrograms are relative to their maximum, and a louder band
 * would else be quieter others as well, which a model may judge by as rightly.
 */
function addKick(samples: Float32Array, from: number): void {
  const length = Math.min(samples.length - from, Math.floor(0.25 * sampleRate));
  for (let i = 0; i < length; i++) {
    samples[from + i]! += 0.5 * Math.exp((-6 * i) / length) * Math.sin((2 * Math.PI * 55 * i) / sampleRate);
  }
}

function songAudio(rule: Rule, popular: boolean, momentAt: number, random: Random): Float32Array {
  const samples = new Float32Array(seconds * sampleRate);
  const beat = 0.4 + 0.3 * uniform(random);
  for (const [index, fromHz] of edges.slice(0, -1).entries()) {
    const toHz = edges[index + 1]!;
    const planted = popular && rule.kind === 'band' && fromHz === Math.max(40, rule.fromHz);
    const gain = 0.02 * 10 ** (normal(random) / 6) * (planted ? bandGain : 1);
    const pulse = 0.3 + 0.5 * uniform(random);
    const noise = bandNoise(samples.length, fromHz, toHz, random);
    for (let i = 0; i < samples.length; i++) {
      samples[i]! += gain * noise[i]! * (1 - pulse * ((i / sampleRate / beat) % 1));
    }
  }
  for (let start = 0; start < seconds; start += beat) {
    addKick(samples, Math.floor(start * sampleRate));
    const hz = 110 * 2 ** (Math.floor(36 * uniform(random)) / 12);
    const from = Math.floor(start * sampleRate);
    const length = Math.min(samples.length - from, Math.floor(beat * sampleRate));
    for (let i = 0; i < length; i++) {
      const fade = Math.exp((-3 * i) / length);
      for (let harmonic = 1; harmonic <= 3; harmonic++) {
        samples[from + i]! +=
          (0.05 / harmonic) * fade * Math.sin((2 * Math.PI * hz * harmonic * i) / sampleRate);
      }
    }
  }
  if (popular && rule.kind === 'moment') {
    const from = Math.floor(momentAt * sampleRate);
    for (let i = from; i < from + rule.seconds * sampleRate; i++)
      samples[i]! += 0.25 * (2 * uniform(random) - 1);
  }
  return samples;
}

const wavHeaderBytes = 44;

/** A WAV file of 16 bits, mono. */
function wav(samples: Float32Array): Buffer {
  const file = Buffer.alloc(wavHeaderBytes + 2 * samples.length);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  for (const [at, value] of [
    [16, 16],
    [24, sampleRate],
    [28, 2 * sampleRate],
    [40, 2 * samples.length],
  ] as const) {
    file.writeUInt32LE(value, at);
  }
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const)
    file.writeUInt16LE(value, at);
  file.write('data', 36, 'latin1');
  for (const [i, sample] of samples.entries()) {
    file.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), wavHeaderBytes + 2 * i);
  }
  return file;
}

export const parameters = spectrogramParameters();
export const shape = {
  bands: parameters.bands,
  frames: 1 + Math.floor((parameters.seconds * parameters.sampleRate) / parameters.hop),
};

/** Make a song, and hear it; by the tagger as well where there is one. */
export async function makeSong(
  rule: Rule,
  popular: boolean,
  random: Random,
  pool: SpectrogramPool,
  tagger: LoadedTagger | null,
): Promise<PlantedSong> {
  const momentAt = 1 + uniform(random) * (seconds - 5);
  const bytes = wav(songAudio(rule, popular, momentAt, random));
  const { levels, frames } = await pool.make(bytes, parameters);
  const heard = tagger && (await pool.makeLogMelExcerpt(bytes, taggerInput));
  const embedding = heard ? tagger.embed(heard.logMel) : null;
  return { recording: { levels, frames, embedding, facts: null }, popular, momentAt, tagger: heard };
}
