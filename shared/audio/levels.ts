/**
 * A mel spectrogram as it is kept: decibels below the clip's own maximum, 8 bits a cell.
 * Comparing clips by shape and not by loudness is what the learning wants (mastering sets loudness),
 * and `maxDb` keeps what is needed to undo it.
 */
export interface Spectrogram {
  /** Mel bands, lowest first. */
  bands: number;
  /** Frames, one each hop, of the true length of the sound: a short clip has few. */
  frames: number;
  /** Decibels (10 log10 of power) of the loudest cell; at least -100. */
  maxDb: number;
  /** Shape [bands][frames], band after band: 255 is the maximum, 0 is `dynamicRangeDb` or more below it. */
  levels: Uint8Array;
}

/** Power at and below which all is equally quiet (-100 dB), as in `librosa.power_to_db`. */
const LEAST_POWER = 1e-10;
const MOST_LEVEL = 255;
const DB_PER_OCTAVE = 10 * Math.log10(2);

// A float32 is (1 + fraction) x 2^exponent, so its logarithm to base 2 is the exponent, which lies open in
// its bits, plus log2(1 + fraction), which is looked up by the leading bits of the fraction.
// Half a table step is 0.0005 dB; Math.log10 for each cell takes ten times as long.
const FRACTION_BITS = 23;
const TABLE_BITS = 12;
const EXPONENT_BIAS = 127;
const TABLE_SHIFT = FRACTION_BITS - TABLE_BITS;
const TABLE_MASK = 2 ** TABLE_BITS - 1;
const LOG2_TABLE = Float64Array.from({ length: 2 ** TABLE_BITS }, (_, i) =>
  Math.log2(1 + (i + 0.5) / 2 ** TABLE_BITS),
);

/** Decibels from one level to the next. */
export function levelStepDb(dynamicRangeDb: number): number {
  return dynamicRangeDb / MOST_LEVEL;
}

/**
 * Quantise mel power to 8-bit levels on the decibel scale, relative to its own maximum.
 *
 * What 8 bits cost at 80 dB, measured over 40 real clips by `npm run bench -- storage`: 0.075 dB in the
 * mean and 0.157 dB at most, half a level. float16 at twice the bytes: 0.007 dB and 0.031 dB. Frames of
 * music differ from each other by whole decibels, so half the bytes are worth more than the rest.
 *
 * @param power shape [bands][frames], band after band, 0 and up
 * @param dynamicRangeDb decibels below the maximum at which levels end
 * @throws RangeError when `power` is not bands x frames cells
 */
export function levelsOfPower(
  power: Float32Array,
  bands: number,
  frames: number,
  dynamicRangeDb: number,
): Spectrogram {
  if (power.length !== bands * frames) throw new RangeError(`${power.length} cells, not ${bands}x${frames}`);
  let most = LEAST_POWER;
  for (let i = 0; i < power.length; i++) if (power[i]! > most) most = power[i]!;
  const maxDb = 10 * Math.log10(most);
  const levelsPerOctave = DB_PER_OCTAVE / levelStepDb(dynamicRangeDb);
  // Half a level more, so that cutting off the fraction rounds to the nearest.
  const offset = MOST_LEVEL + 0.5 - (maxDb / DB_PER_OCTAVE + EXPONENT_BIAS) * levelsPerOctave;
  const scaledTable = LOG2_TABLE.map((log2) => log2 * levelsPerOctave + offset);
  const bits = new Int32Array(power.buffer, power.byteOffset, power.length);
  const levels = new Uint8Array(power.length);
  const leastBits = new Int32Array(Float32Array.of(LEAST_POWER).buffer)[0]!;
  for (let i = 0; i < bits.length; i++) {
    // Floats above 0 are in the order of their bits.
    const cell = Math.max(bits[i]!, leastBits);
    const fraction = (cell >> TABLE_SHIFT) & TABLE_MASK;
    const level = (cell >> FRACTION_BITS) * levelsPerOctave + scaledTable[fraction]!;
    levels[i] = level > 0 ? Math.min(level, MOST_LEVEL) : 0;
  }
  return { bands, frames, maxDb, levels };
}

/**
 * Expand levels to decibels relative to the clip's maximum.
 *
 * @param dynamicRangeDb the one that the levels were made with
 * @param into where to write, so that a training loop need not allocate; default a new array
 * @returns the same shape as `levels`, each -dynamicRangeDb to 0
 */
export function decibelsOfLevels(
  levels: Uint8Array,
  dynamicRangeDb: number,
  into: Float32Array = new Float32Array(levels.length),
): Float32Array {
  const step = levelStepDb(dynamicRangeDb);
  const table = Float32Array.from({ length: MOST_LEVEL + 1 }, (_, level) => (level - MOST_LEVEL) * step);
  for (let i = 0; i < levels.length; i++) into[i] = table[levels[i]!]!;
  return into;
}
