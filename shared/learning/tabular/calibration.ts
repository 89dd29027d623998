import { sigmoid } from '../sigmoid.ts';
import { minimise } from './lbfgs.ts';

/**
 * Turns a model's log odds into a probability that means what it says: σ(slope x logit). Nothing is added:
 * the models' mean is right by how they are fitted, and what is estimated for it on few songs is noise.
 */
export interface Calibration {
  readonly slope: number;
}

export const uncalibrated: Calibration = { slope: 1 };

/** How much evidence there must be for another slope than 1, as so many songs' worth of loss. */
const priorSongs = 4;

/**
 * Fit a calibration to log odds of songs that the model had not seen (as J. Platt, "Probabilistic outputs
 * for support vector machines", 1999, with his smoothed targets against overconfidence on few songs).
 *
 * @returns a slope above 0: a calibration never turns a ranking round.
 */
export async function fitCalibration(
  logits: readonly number[],
  labels: readonly (0 | 1)[],
): Promise<Calibration> {
  const positives = labels.filter((label) => label === 1).length;
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return uncalibrated;
  const target = [1 / (negatives + 2), (positives + 1) / (positives + 2)] as const;
  // Over the slope's logarithm, with a normal prior around 0.
  const objective = (x: Float64Array, gradient: Float64Array): number => {
    const slope = Math.exp(x[0]!);
    let value = (priorSongs * x[0]! ** 2) / 2;
    let pull = priorSongs * x[0]!;
    for (const [i, logit] of logits.entries()) {
      const z = slope * logit;
      const wanted = target[labels[i]!];
      value += Math.max(z, 0) - wanted * z + Math.log1p(Math.exp(-Math.abs(z)));
      pull += (sigmoid(z) - wanted) * z;
    }
    gradient[0] = pull / logits.length;
    return value / logits.length;
  };
  const [logSlope] = await minimise(objective, Float64Array.of(0), 1e-9, 500);
  return { slope: Math.exp(logSlope!) };
}

/** Compute the calibrated probability, 0 to 1. */
export function calibrated({ slope }: Calibration, logit: number): number {
  return sigmoid(slope * logit);
}
