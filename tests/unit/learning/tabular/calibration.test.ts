import { describe, expect, it } from 'vitest';
import { normal, randomStream, uniform } from '../../../../shared/learning/random.ts';
import { sigmoid } from '../../../../shared/learning/sigmoid.ts';
import { calibrated, fitCalibration } from '../../../../shared/learning/tabular/calibration.ts';

function overconfident(count: number, factor: number) {
  const random = randomStream('overconfident');
  const truth = Array.from({ length: count }, () => 1.5 * normal(random));
  const labels = truth.map((logit): 0 | 1 => (uniform(random) < sigmoid(logit) ? 1 : 0));
  return { logits: truth.map((logit) => factor * logit), labels };
}

describe('fitCalibration', () => {
  it.each([0.5, 4])('undoes log odds that are %f times too large', async (factor) => {
    const { logits, labels } = overconfident(5000, factor);
    expect((await fitCalibration(logits, labels)).slope * factor).toBeCloseTo(1, 1);
  });

  it('never turns a ranking round, and says little where the ranking is worth nothing', async () => {
    const { logits, labels } = overconfident(500, -2);
    const calibration = await fitCalibration(logits, labels);
    expect(calibration.slope).toBeGreaterThan(0);
    expect(calibrated(calibration, 3)).toBeLessThan(0.65);
    expect(calibrated(calibration, 3)).toBeGreaterThan(0.5);
  });

  it('claims no certainty on few songs that happen to be parted', async () => {
    const calibration = await fitCalibration([-3, -2, -1, 1, 2, 3], [0, 0, 0, 1, 1, 1]);
    expect(calibrated(calibration, 2)).toBeLessThan(0.95);
    expect(calibrated(calibration, 2)).toBeGreaterThan(0.5);
  });
});
