/**
 * What taken away segments are filled with: the sound that is typical of the data set. In each band it has
 * the level, the spread over time and the speed of change that the data set's tracks have on average, which
 * standardised features read as 0, neither for nor against. Silence would be a loud statement, and so would
 * a constant: no music stands still.
 */
import type { MelSpectrogramParameters } from '../../audio/mel.ts';
import { spectrogramStatistics } from '../features/statistics.ts';
import { normal, randomStream } from '../random.ts';
import { rangeDb, type Spectrogram } from '../spectrograms.ts';
import { bandCentres } from './grid.ts';

/** Means over tracks of each band's statistics in dB: see `spectrogramStatistics`. */
export interface TypicalSound {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Standard deviation of the difference from frame to frame. */
  readonly difference: readonly number[];
}

/** Average the statistics of tracks, at least one. */
export function typicalSound(spectrograms: Iterable<Spectrogram>): TypicalSound {
  let sums = new Float64Array();
  let count = 0;
  for (const spectrogram of spectrograms) {
    const statistics = spectrogramStatistics(spectrogram);
    if (count++ === 0) sums = new Float64Array(statistics.length);
    for (let i = 0; i < statistics.length; i++) sums[i]! += statistics[i]!;
  }
  if (count === 0) throw new Error('a typical sound needs at least one track');
  const bands = sums.length / 3;
  const part = (index: number) =>
    Array.from(sums.subarray(index * bands, (index + 1) * bands), (sum) => sum / count);
  return { mean: part(0), deviation: part(1), difference: part(2) };
}

/** Correlation of a frame with the one before, within what a spread and a difference can say. */
function persistence(deviation: number, difference: number): number {
  if (deviation <= 0) return 0;
  return Math.max(0, Math.min(0.999, 1 - (difference / deviation) ** 2 / 2));
}

/** Noise of deviation 1 in which each value is like the one before. */
function* wander(count: number, correlation: number, seed: number, band: number): Generator<number> {
  const random = randomStream(seed, 'typical sound', band);
  let value = normal(random);
  for (let i = 0; i < count; i++) {
    yield value;
    value = correlation * value + Math.sqrt(1 - correlation ** 2) * normal(random);
  }
}

/** Make levels of the typical sound: [bands, frames], as a spectrogram has them. */
export function typicalLevels(
  { mean, deviation, difference }: TypicalSound,
  frames: number,
  seed: number,
): Uint8Array {
  const levels = new Uint8Array(mean.length * frames);
  for (const [band, middle] of mean.entries()) {
    let cell = band * frames;
    const correlation = persistence(deviation[band]!, difference[band]!);
    for (const value of wander(frames, correlation, seed, band)) {
      const level = (1 + (middle + deviation[band]! * value) / rangeDb) * 255;
      levels[cell++] = Math.max(0, Math.min(255, Math.round(level)));
    }
  }
  return levels;
}

/** A log-mel spectrogram, shape [frames][bands], and what it was made with. */
export interface LogMel {
  readonly values: Float32Array;
  readonly parameters: MelSpectrogramParameters & { readonly most: number };
}

/**
 * Make the same sound on the scale of a log-mel spectrogram of a song: the mean of the song's band, moved by
 * what parts the typical mean from the song's own in the spectrogram at that frequency.
 *
 * @returns shape [frames][bands].
 */
export function typicalLogMel(
  { values, parameters }: LogMel,
  spectrogram: Spectrogram,
  spectrogramParameters: MelSpectrogramParameters,
  typical: TypicalSound,
  seed: number,
): Float32Array {
  const { bands, most } = parameters;
  const frames = values.length / bands;
  const own = spectrogramStatistics(spectrogram);
  const at = bandCentres(spectrogramParameters);
  const pace =
    parameters.hop / parameters.sampleRate / (spectrogramParameters.hop / spectrogramParameters.sampleRate);
  const correlations = typical.deviation.map(
    (deviation, band) => persistence(deviation, typical.difference[band]!) ** pace,
  );
  const moves = typical.mean.map((db, band) => db - own[band]!);
  const filled = new Float32Array(values.length);
  for (const [band, hz] of bandCentres(parameters).entries()) {
    let sum = 0;
    for (let frame = 0; frame < frames; frame++) sum += values[frame * bands + band]!;
    // log10 of power: a tenth of decibels.
    const middle = sum / frames + interpolate(hz, at, moves) / 10;
    const spread = interpolate(hz, at, typical.deviation) / 10;
    let frame = 0;
    for (const value of wander(frames, interpolate(hz, at, correlations), seed, band)) {
      filled[frame++ * bands + band] = Math.max(0, Math.min(most, middle + spread * value));
    }
  }
  return filled;
}

/** Read a curve between its points, and flat beyond them. */
function interpolate(x: number, at: readonly number[], values: readonly number[]): number {
  const after = at.findIndex((point) => point >= x);
  if (after === -1) return values.at(-1)!;
  if (after === 0) return values[0]!;
  const share = (x - at[after - 1]!) / (at[after]! - at[after - 1]!);
  return values[after - 1]! * (1 - share) + values[after]! * share;
}
