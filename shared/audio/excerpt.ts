import type { SpectrogramParameters } from './parameters.ts';

/** A clip this much longer than the wanted stretch still counts as a clip and not as a full song. */
const CLIP_TOLERANCE = 1.2;

/** The part of a signal that is looked at, in samples. */
export interface ExcerptRange {
  start: number;
  end: number;
}

/**
 * Find the stretch of a signal to look at: at most `seconds` long, all of it when it is shorter.
 *
 * - `first`: the start, `middle`: the middle.
 * - `loudest`: the window with the highest mean square; of equals, the first.
 * - `auto`: the first `seconds` of whatever is up to 1.2 times as long, for that is a clip already
 *   cut by somebody (a preview of 30.04 s); the loudest window of anything longer, for that is a full
 *   song, and it will be judged by a model that learned from previews. Streaming services cut previews
 *   around the hook, and the hook tends to be the fullest, loudest part: loudness is the closest stand-in
 *   that costs nothing. The first half minute, an intro, is what a preview hardly ever shows.
 *
 * @param signal mono samples at the parameters' sample rate
 */
export function findExcerpt(
  signal: Float32Array,
  parameters: Pick<SpectrogramParameters, 'seconds' | 'excerpt' | 'sampleRate' | 'hop'>,
): ExcerptRange {
  const wanted = Math.floor(parameters.seconds * parameters.sampleRate);
  if (signal.length <= wanted) return { start: 0, end: signal.length };
  const start = excerptStart(signal, wanted, parameters);
  return { start, end: start + wanted };
}

function excerptStart(
  signal: Float32Array,
  wanted: number,
  { excerpt, hop }: Pick<SpectrogramParameters, 'excerpt' | 'hop'>,
): number {
  switch (excerpt) {
    case 'first':
      return 0;
    case 'middle':
      return Math.floor((signal.length - wanted) / 2);
    case 'loudest':
      return loudestStart(signal, wanted, hop);
    case 'auto':
      return signal.length <= CLIP_TOLERANCE * wanted ? 0 : loudestStart(signal, wanted, hop);
  }
}

/** Start of the window with the highest sum of squares, to the nearest `step` samples. */
function loudestStart(signal: Float32Array, wanted: number, step: number): number {
  let energy = sumOfSquares(signal, 0, wanted);
  let most = energy;
  let best = 0;
  for (let start = step; start + wanted <= signal.length; start += step) {
    energy += sumOfSquares(signal, start + wanted - step, start + wanted);
    energy -= sumOfSquares(signal, start - step, start);
    // A hair above, so that the rounding of a running sum does not move the window of an even signal.
    if (energy > most * (1 + 1e-9)) {
      most = energy;
      best = start;
    }
  }
  return best;
}

/** Sum of the squares of the samples `from` (included) to `to` (not included). */
export function sumOfSquares(signal: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += signal[i]! * signal[i]!;
  return sum;
}
