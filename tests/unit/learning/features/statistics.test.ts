import { describe, expect, it } from 'vitest';
import { spectrogramStatistics } from '../../../../shared/learning/features/statistics.ts';
import { fitNormalisation } from '../../../../shared/learning/normalisation.ts';
import { memorySource, type Spectrogram } from '../../../../shared/learning/spectrograms.ts';

const db = (level: number) => (level / 255 - 1) * 80;
const step = 80 / 255;

describe('spectrogramStatistics', () => {
  it('gives means, deviations and deviations of the difference, band by band', () => {
    // Band 0: 0, 255, 255, 0; differences 255, 0, -255. Band 1: constant.
    const statistics = spectrogramStatistics({
      levels: Uint8Array.of(0, 255, 255, 0, 51, 51, 51, 51),
      frames: 4,
    });
    expect(statistics).toHaveLength(6);
    expect(statistics[0]).toBeCloseTo(-40, 10);
    expect(statistics[1]).toBeCloseTo(db(51), 10);
    expect(statistics[2]).toBeCloseTo(40, 10);
    expect(statistics[3]).toBeCloseTo(0, 10);
    expect(statistics[4]).toBeCloseTo(Math.sqrt((80 * 80 * 2) / 3), 10);
    expect(statistics[5]).toBeCloseTo(0, 10);
  });

  it('works on a single frame', () => {
    expect([...spectrogramStatistics({ levels: Uint8Array.of(255, 0), frames: 1 })]).toEqual([
      0, -80, 0, 0, 0, 0,
    ]);
  });
});

describe('fitNormalisation', () => {
  const clips: Spectrogram[] = [
    { levels: Uint8Array.of(0, 100, 200, 7, 7, 7), frames: 3 },
    { levels: Uint8Array.of(255, 7), frames: 1 },
    { levels: Uint8Array.of(9, 9, 200, 200), frames: 2 },
  ];
  const source = memorySource(clips, { bands: 2, frames: 3 });

  it('weighs every true frame alike, over the given tracks alone', async () => {
    const { mean, deviation } = await fitNormalisation(source, [0, 1]);
    const levels = [0, 100, 200, 255];
    const average = levels.reduce((a, b) => a + b) / 4;
    const spread = Math.sqrt(levels.reduce((sum, level) => sum + (level - average) ** 2, 0) / 4);
    expect(mean[0]).toBeCloseTo(db(average), 9);
    expect(deviation[0]).toBeCloseTo(spread * step, 9);
    expect(mean[1]).toBeCloseTo(db(7), 9);
  });

  it('does not blow up a constant band', async () => {
    expect((await fitNormalisation(source, [0, 1])).deviation[1]).toBe(0.5);
  });

  it('is the same to the bit in any order', async () => {
    expect(await fitNormalisation(source, [2, 0, 1])).toEqual(await fitNormalisation(source, [0, 1, 2]));
  });

  it('needs a track', async () => {
    await expect(fitNormalisation(source, [])).rejects.toThrow(/at least one/);
  });
});
