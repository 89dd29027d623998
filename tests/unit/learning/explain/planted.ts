/** Short songs with a rule in them, made up as spectrograms. */
import type { PlantedSong } from '../../../../bench/explain/model.ts';
import { type SpectrogramParameters, spectrogramParameters } from '../../../../shared/audio/parameters.ts';
import { bandCentres } from '../../../../shared/learning/explain/grid.ts';
import { normal, type Random, uniform } from '../../../../shared/learning/random.ts';

export const parameters: SpectrogramParameters = spectrogramParameters({ seconds: 12 });
const { bands } = parameters;
const frames = 1 + Math.floor((parameters.seconds * parameters.sampleRate) / parameters.hop);
export const shape = { bands, frames };
const framesPerSecond = parameters.sampleRate / parameters.hop;
const centres = bandCentres(parameters);

/** Popular songs are louder between two frequencies, or have an event somewhere. */
export type Rule =
  | { readonly kind: 'band'; readonly fromHz: number; readonly toHz: number }
  | { readonly kind: 'moment'; readonly seconds: number };

/** How much louder that is, in levels. */
const planted = 60;

/** Noise around a curve that differs from song to song, swelling and fading. */
export function plantedSong(rule: Rule, popular: boolean, random: Random): PlantedSong {
  const levels = new Uint8Array(bands * frames);
  const tilt = 30 + 10 * normal(random);
  const swell = 4 + 8 * uniform(random);
  const loudness = 120 + 10 * normal(random);
  const momentAt = uniform(random) * (parameters.seconds - 2);
  const first = Math.round(momentAt * framesPerSecond);
  const last = first + Math.round((rule.kind === 'moment' ? rule.seconds : 0) * framesPerSecond);
  for (let band = 0; band < bands; band++) {
    const colour = 6 * normal(random);
    const inBand = rule.kind === 'band' && centres[band]! >= rule.fromHz && centres[band]! < rule.toHz;
    for (let frame = 0; frame < frames; frame++) {
      const extra = popular && (inBand || (frame >= first && frame < last)) ? planted : 0;
      const wave = swell * Math.sin(frame / 40 + band / 20);
      const level = loudness - (tilt * band) / bands + colour + wave + extra + 12 * normal(random);
      levels[band * frames + frame] = Math.max(0, Math.min(255, level));
    }
  }
  return { recording: { levels, frames, embedding: null, facts: null }, popular, momentAt, tagger: null };
}
