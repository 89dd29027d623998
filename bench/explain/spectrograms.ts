/** Songs with a rule in them, made up as spectrograms: quick to make, for models that ask for nothing else. */
import type { SpectrogramParameters } from '../../shared/audio/parameters.ts';
import { bandCentres } from '../../shared/learning/explain/grid.ts';
import { normal, type Random, uniform } from '../../shared/learning/random.ts';
import type { PlantedSong } from './model.ts';
import type { Rule } from './songs.ts';

/** Bands and frames of a song that is as long as the parameters have it. */
export function shapeOf({ bands, seconds, sampleRate, hop }: SpectrogramParameters) {
  return { bands, frames: 1 + Math.floor((seconds * sampleRate) / hop) };
}

/** How much louder that is, in levels. */
const planted = 60;

/** Noise around a curve that differs from song to song, swelling and fading. */
export function plantedSong(
  rule: Rule,
  popular: boolean,
  random: Random,
  parameters: SpectrogramParameters,
): PlantedSong {
  const { bands, frames } = shapeOf(parameters);
  const centres = bandCentres(parameters);
  const framesPerSecond = parameters.sampleRate / parameters.hop;
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
