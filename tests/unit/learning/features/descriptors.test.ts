import { describe, expect, it } from 'vitest';
import { descriptorNames, spectrogramDescriptors } from '../../../../shared/learning/features/descriptors.ts';

const bands = 32;

function clip(frames: number, level: (band: number, frame: number) => number) {
  const levels = new Uint8Array(bands * frames);
  for (let band = 0; band < bands; band++)
    for (let frame = 0; frame < frames; frame++) levels[band * frames + frame] = level(band, frame);
  return { levels, frames };
}

const named = (values: Float64Array) =>
  Object.fromEntries(descriptorNames.map((name, i) => [name.split(' (')[0]!, values[i]!]));

describe('spectrogramDescriptors', () => {
  it.each([86, 123, 172])('hears a beat of %i a minute, or its half or double', (tempo) => {
    const period = (60 * 22_050) / 512 / tempo;
    const found = named(spectrogramDescriptors(clip(1292, (_, frame) => (frame % period < 3 ? 240 : 120))));
    const ratio = Math.log2(found['tempo']! / tempo);
    expect(Math.abs(ratio - Math.round(ratio))).toBeLessThan(0.05);
    expect(Math.abs(ratio)).toBeLessThan(1.1);
    expect(found['beat clarity']).toBeGreaterThan(0.5);
  });

  it('tells bright from dark and noise from tone', () => {
    const at = (low: number, high: number) =>
      named(spectrogramDescriptors(clip(50, (band) => (band >= low && band < high ? 255 : 0))));
    const [dark, bright, all] = [at(0, 4), at(24, 28), at(0, bands)];
    expect(dark['spectral centroid']).toBeCloseTo(1.5, 3);
    expect(bright['spectral centroid']).toBeCloseTo(25.5, 3);
    expect(dark['share of the lowest eighth of the bands']).toBeCloseTo(1, 3);
    expect(bright['share of the lowest eighth of the bands']).toBeCloseTo(0, 3);
    expect(all['spectral flatness']).toBeCloseTo(0, 6);
    expect(dark['spectral flatness']).toBeLessThan(-40);
  });

  it('measures how loudness ranges', () => {
    const still = named(spectrogramDescriptors(clip(100, () => 200)));
    const loudThenSoft = named(spectrogramDescriptors(clip(100, (_, frame) => (frame < 50 ? 255 : 95.625))));
    expect(still['loudness range']).toBeCloseTo(0, 6);
    expect(loudThenSoft['loudness range']).toBeCloseTo((255 - 95) * (80 / 255), 6);
  });

  it('is finite on silence and on a single frame', () => {
    for (const frames of [1, 2, 500]) {
      expect(spectrogramDescriptors(clip(frames, () => 0)).every(Number.isFinite)).toBe(true);
    }
  });
});
