import { createHash } from 'node:crypto';

/** Which part of a long recording is looked at. {@link findExcerpt} says how and why. */
export type Excerpt = 'auto' | 'first' | 'middle' | 'loudest';

/**
 * Everything that decides what a spectrogram's numbers mean. Plain JSON: two spectrograms may be
 * compared, or learned from together, exactly when these are equal.
 *
 * The values are the defaults of `librosa.feature.melspectrogram` 0.11 (power 2, periodic Hann window,
 * frames centred with zero padding, Slaney's mel scale and area norm), with which the golden values of
 * the tests were made.
 */
export interface SpectrogramParameters {
  /** Version of the computation itself: raised whenever the same parameters would give other numbers. */
  version: number;
  /** Samples a second, in hertz, of the mono signal that is analysed. */
  sampleRate: number;
  /** Samples a frame (93 ms at 22,050 Hz), and length of its Fourier transform. A power of two. */
  fftSize: number;
  /** Samples from one frame's centre to the next (23 ms at 22,050 Hz). */
  hop: number;
  /** Mel bands. */
  bands: number;
  /** Lowest frequency of the lowest band, in hertz. */
  minHz: number;
  /** Highest frequency of the highest band, in hertz; at most half of `sampleRate`. */
  maxHz: number;
  /** Longest stretch of the recording that is looked at, in seconds, 1 to 600. */
  seconds: number;
  /** Which stretch that is. */
  excerpt: Excerpt;
  /** Decibels below the clip's maximum at which levels end: whatever is quieter counts as this quiet. */
  dynamicRangeDb: number;
}

/**
 * Complete the two choices that a person has to the full set of parameters.
 *
 * @param choices.seconds longest stretch to look at, in seconds, 1 to 600; default 30, a preview's length
 * @param choices.excerpt which stretch of a longer recording; default `auto`
 * @throws RangeError when `seconds` is outside 1 to 600
 */
export function spectrogramParameters(
  choices: { seconds?: number; excerpt?: Excerpt } = {},
): SpectrogramParameters {
  const seconds = choices.seconds ?? 30;
  if (!(seconds >= 1 && seconds <= 600)) throw new RangeError(`seconds must be 1 to 600, not ${seconds}`);
  return {
    version: 1,
    sampleRate: 22_050,
    fftSize: 2_048,
    hop: 512,
    bands: 128,
    minHz: 0,
    maxHz: 11_025,
    seconds,
    excerpt: choices.excerpt ?? 'auto',
    dynamicRangeDb: 80,
  };
}

/**
 * Name a set of parameters by its content, whatever the order of its keys.
 * @returns 16 hexadecimal characters: the first 64 bits of the SHA-256 of its canonical JSON
 */
export function parametersHash(parameters: SpectrogramParameters): string {
  const canonical = JSON.stringify(
    Object.fromEntries(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
  return createHash('sha256').update(canonical).digest('hex').slice(0, 16);
}
