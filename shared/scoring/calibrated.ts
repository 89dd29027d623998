/** Probabilities rounded to what the calibration of their model carries. */

/** `about 6 in 10`. */
export interface RoundedShare {
  readonly count: number;
  readonly of: number;
  readonly words: string;
}

/** Where a calibration was not measured, halves are the finest that is told. */
export const unknownCalibration = 0.25;

/** Steps that people can picture, finest first. */
const steps = [10, 5, 4, 3, 2] as const;

/**
 * Round a probability to steps no finer than the model's calibration error: rounding to 1 in m moves a
 * number by up to 1/(2m), so that m at most 1/(2 error) adds no precision that was not there.
 *
 * @param calibrationError mean distance of what was said from what was true, 0 to 1
 * @returns null where not even halves are carried
 */
export function roundedShare(probability: number, calibrationError: number): RoundedShare | null {
  const of = steps.find((step) => 1 / (2 * step) >= calibrationError);
  if (of === undefined) return null;
  const count = Math.round(probability * of);
  // Nothing is certain: neither none nor all of them.
  if (count === 0) return { count, of, words: `fewer than 1 in ${of}` };
  if (count === of) return { count, of, words: `more than ${of - 1} in ${of}` };
  return { count, of, words: 2 * count === of ? 'about half' : `about ${count} in ${of}` };
}

/** A share of so many that was rounded to a count, in words: `about 6 in 7`; nothing is certain. */
export function aboutIn(count: number, of: number): string {
  return count === 0 ? 'hardly any' : count === of ? 'nearly all' : `about ${count} in ${of}`;
}
