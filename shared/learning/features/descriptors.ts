/** What musicians would say of a recording's sound, from its spectrogram: a few numbers, each with a name. */
import { spectrogramParameters } from '../../audio/parameters.ts';
import { rangeDb, type Spectrogram } from '../spectrograms.ts';

/** Names and units of the descriptors, in their order. Bands are counted from the lowest. */
export const descriptorNames = [
  'tempo (beats a minute)',
  'beat clarity (0 to 1)',
  'onset strength (dB a frame)',
  'loudness range (dB)',
  'loudness below its peak (dB)',
  'spectral centroid (band)',
  'spectral centroid, spread over time (bands)',
  'spectral width (bands)',
  'spectral rolloff 85 % (band)',
  'spectral flatness (dB)',
  'share of the lowest eighth of the bands (0 to 1)',
] as const;

const { sampleRate, hop } = spectrogramParameters();
const framesPerMinute = (60 * sampleRate) / hop;
/** The slowest and the fastest beat looked for, in beats a minute, and what people feel most easily. */
const slowest = 50;
const fastest = 210;
const preferred = 115;

/** dB of a level, relative to the clip's maximum. */
const dbOf = Float64Array.from({ length: 256 }, (_, level) => (level / 255 - 1) * rangeDb);
const powerOf = dbOf.map((db) => 10 ** (db / 10));

/** What is known of each frame. */
interface Frames {
  /** Sum of the bands' power, in dB. */
  readonly loudness: Float64Array;
  readonly centroid: Float64Array;
  readonly width: Float64Array;
  readonly rolloff: Float64Array;
  readonly flatness: Float64Array;
  readonly low: Float64Array;
  /** Mean rise over the bands since the frame before, in dB. */
  readonly onset: Float64Array;
}

/** Sums over the bands of each frame, gathered band after band, as the levels lie in memory. */
function framesOf({ levels, frames }: Spectrogram, bands: number): Frames {
  const make = () => new Float64Array(frames);
  const [power, weighted, db, low, rise, spread, below, rolloff] = Array.from({ length: 8 }, make) as [
    ...[Float64Array, Float64Array, Float64Array, Float64Array],
    ...[Float64Array, Float64Array, Float64Array, Float64Array],
  ];
  for (let band = 0, cell = 0; band < bands; band++) {
    const isLow = band < bands / 8;
    let before = dbOf[levels[cell]!]!;
    for (let frame = 0; frame < frames; frame++, cell++) {
      const level = levels[cell]!;
      const share = powerOf[level]!;
      const now = dbOf[level]!;
      power[frame]! += share;
      weighted[frame]! += band * share;
      db[frame]! += now;
      if (isLow) low[frame]! += share;
      if (now > before) rise[frame]! += now - before;
      before = now;
    }
  }
  const centroid = weighted.map((sum, frame) => sum / power[frame]!);
  for (let band = 0, cell = 0; band < bands; band++) {
    for (let frame = 0; frame < frames; frame++, cell++) {
      const share = powerOf[levels[cell]!]!;
      const distance = band - centroid[frame]!;
      spread[frame]! += share * distance * distance;
      if (below[frame]! < 0.85 * power[frame]!) rolloff[frame] = band;
      below[frame]! += share;
    }
  }
  return {
    ...{ centroid, rolloff },
    loudness: power.map((sum) => 10 * Math.log10(sum)),
    low: low.map((sum, frame) => sum / power[frame]!),
    onset: rise.map((sum) => sum / bands),
    width: spread.map((sum, frame) => Math.sqrt(sum / power[frame]!)),
    flatness: db.map((sum, frame) => sum / bands - 10 * Math.log10(power[frame]! / bands)),
  };
}

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/**
 * Find the beat: the lag at which the onsets are most like themselves, slow and fast ones counting less
 * (a log-normal weight, as D. Ellis, "Beat tracking by dynamic programming", 2007).
 */
function beatOf(onsets: Float64Array): { tempo: number; clarity: number } {
  const mean = meanOf(onsets);
  const centred = onsets.map((value) => value - mean);
  const energy = centred.reduce((sum, value) => sum + value * value, 0);
  const shortest = Math.floor(framesPerMinute / fastest);
  const longest = Math.min(Math.ceil(framesPerMinute / slowest), onsets.length - 1);
  let best = { tempo: preferred, clarity: 0, weighted: 0 };
  if (energy === 0) return best;
  for (let lag = shortest; lag <= longest; lag++) {
    let sum = 0;
    for (let i = lag; i < centred.length; i++) sum += centred[i]! * centred[i - lag]!;
    const clarity = Math.max(0, sum / energy);
    const tempo = framesPerMinute / lag;
    const weighted = clarity * Math.exp(-0.5 * (Math.log2(tempo / preferred) / 0.9) ** 2);
    if (weighted > best.weighted) best = { tempo, clarity, weighted };
  }
  return best;
}

/**
 * Describe a recording's sound.
 *
 * @returns float64 in the order of `descriptorNames`; all are finite, also of a single frame.
 */
export function spectrogramDescriptors(spectrogram: Spectrogram): Float64Array {
  const bands = spectrogram.levels.length / spectrogram.frames;
  const frames = framesOf(spectrogram, bands);
  const loudness = Float64Array.from(frames.loudness).sort();
  const quantile = (fraction: number) => loudness[Math.round(fraction * (loudness.length - 1))]!;
  const centroid = meanOf(frames.centroid);
  const beat = beatOf(frames.onset);
  return Float64Array.of(
    ...[beat.tempo, beat.clarity, meanOf(frames.onset)],
    ...[quantile(0.95) - quantile(0.1), meanOf(loudness) - loudness.at(-1)!],
    ...[centroid, Math.sqrt(meanOf(frames.centroid.map((value) => (value - centroid) ** 2)))],
    ...[meanOf(frames.width), meanOf(frames.rolloff), meanOf(frames.flatness), meanOf(frames.low)],
  );
}
