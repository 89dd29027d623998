import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decibelsOfLevels, levelStepDb, levelsOfPower } from '../../../shared/audio/levels.ts';

const RANGE_DB = 80;

function exactDecibels(power: Float32Array): number[] {
  const decibels = Array.from(power, (cell) => 10 * Math.log10(Math.max(cell, 1e-10)));
  const most = Math.max(...decibels);
  return decibels.map((value) => Math.max(value - most, -RANGE_DB));
}

describe('levelsOfPower', () => {
  it('loses at most half a level, for any power', () => {
    fc.assert(
      fc.property(
        fc.float32Array({ min: 0, max: Math.fround(1e9), noNaN: true, minLength: 1, maxLength: 64 }),
        (power) => {
          const { levels } = levelsOfPower(power, 1, power.length, RANGE_DB);
          const kept = decibelsOfLevels(levels, RANGE_DB);
          exactDecibels(power).forEach((exact, i) => {
            expect(Math.abs(kept[i]! - exact)).toBeLessThan(levelStepDb(RANGE_DB) / 2 + 0.001);
          });
        },
      ),
    );
  });

  it('gives 255 to the maximum and 0 to what is 80 dB or more below', () => {
    const power = Float32Array.of(1, 1e-2, 1e-8, 1e-9, 0);
    const { levels, maxDb } = levelsOfPower(power, 1, power.length, RANGE_DB);
    expect([...levels]).toEqual([255, 191, 0, 0, 0]);
    expect(maxDb).toBeCloseTo(0, 9);
  });

  it('is the same for a clip ten times as loud, but for maxDb', () => {
    const power = Float32Array.from({ length: 256 }, (_, i) => 1e-6 * 1.07 ** i);
    const quiet = levelsOfPower(power, 2, 128, RANGE_DB);
    const loud = levelsOfPower(
      power.map((cell) => 128 * cell),
      2,
      128,
      RANGE_DB,
    );
    expect(loud.levels).toEqual(quiet.levels);
    expect(loud.maxDb - quiet.maxDb).toBeCloseTo(10 * Math.log10(128), 6);
  });

  it('is all maximum for silence, as power_to_db of librosa is all 0 dB', () => {
    const { levels, maxDb } = levelsOfPower(new Float32Array(4), 2, 2, RANGE_DB);
    expect([...levels]).toEqual([255, 255, 255, 255]);
    expect(maxDb).toBeCloseTo(-100, 9);
  });

  it('refuses a shape that does not fit', () => {
    expect(() => levelsOfPower(new Float32Array(5), 2, 2, RANGE_DB)).toThrow(RangeError);
  });
});

describe('decibelsOfLevels', () => {
  it('writes where it is told to', () => {
    const into = new Float32Array(3);
    expect(decibelsOfLevels(Uint8Array.of(255, 0, 51), RANGE_DB, into)).toBe(into);
    expect([...into]).toEqual([0, -80, -64]);
  });
});
