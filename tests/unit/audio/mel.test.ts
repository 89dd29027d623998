import { describe, expect, it } from 'vitest';
import {
  bandEdges,
  denseFilters,
  frameCount,
  MelSpectrogram,
  melFilterBank,
} from '../../../shared/audio/mel.ts';
import { spectrogramParameters } from '../../../shared/audio/parameters.ts';
import { noise, tone } from '../../support/audio.ts';

const PARAMETERS = spectrogramParameters();
const { fftSize, hop, bands, sampleRate } = PARAMETERS;

/** The definition, term by term: slow and plain. */
function powerByDefinition(signal: Float32Array, frame: number): number[] {
  const bins = fftSize / 2 + 1;
  const windowed = Array.from({ length: fftSize }, (_, i) => {
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / fftSize);
    return hann * (signal[frame * hop - fftSize / 2 + i] ?? 0);
  });
  const spectrum = Array.from({ length: bins }, (_, bin) => {
    let real = 0;
    let imaginary = 0;
    windowed.forEach((value, i) => {
      const angle = (2 * Math.PI * ((bin * i) % fftSize)) / fftSize;
      real += value * Math.cos(angle);
      imaginary += value * Math.sin(angle);
    });
    return real * real + imaginary * imaginary;
  });
  const weights = denseFilters(melFilterBank(PARAMETERS));
  return Array.from({ length: bands }, (_, band) =>
    spectrum.reduce((sum, power, bin) => sum + weights[band * bins + bin]! * power, 0),
  );
}

describe('MelSpectrogram', () => {
  it('is what the definition says, in the middle and at both ends', async () => {
    const signal = noise(6 * hop + 100, 0.8);
    const power = (await MelSpectrogram.create(PARAMETERS)).power(signal);
    const frames = frameCount(signal.length, hop);
    for (const frame of [0, 3, frames - 1]) {
      powerByDefinition(signal, frame).forEach((expected, band) => {
        expect(Math.abs(power[band * frames + frame]! / expected - 1)).toBeLessThan(1e-4);
      });
    }
  });

  it.each([0, 1, 511, 512, 513, 22_050])(
    'has 1 + floor(samples / hop) frames (%i samples)',
    async (samples) => {
      const power = (await MelSpectrogram.create(PARAMETERS)).power(noise(samples, 0.5));
      expect(power.length).toBe(bands * (1 + Math.floor(samples / hop)));
    },
  );

  it('puts a tone in the band of its frequency', async () => {
    const power = (await MelSpectrogram.create(PARAMETERS)).power(tone(1, 1_000));
    const frames = frameCount(sampleRate, hop);
    const levels = Array.from({ length: bands }, (_, band) => power[band * frames + 40]!);
    const loudest = levels.indexOf(Math.max(...levels));
    const edges = bandEdges(PARAMETERS);
    expect(edges[loudest]!).toBeLessThan(1_000);
    expect(edges[loudest + 2]!).toBeGreaterThan(1_000);
  });

  it('forgets the signal before', async () => {
    const mel = await MelSpectrogram.create(PARAMETERS);
    const short = noise(5_000, 0.5);
    const alone = mel.power(short);
    mel.power(noise(50_000, 1, 2));
    expect(mel.power(short)).toEqual(alone);
  });
});

describe('melFilterBank', () => {
  it('covers other ranges too: each triangle has an area of 1 hertz', () => {
    const bank = melFilterBank({ ...PARAMETERS, minHz: 300, maxHz: 8_000, bands: 20 });
    const weights = denseFilters(bank);
    for (let band = 0; band < 20; band++) {
      const area = weights.subarray(band * bank.bins, (band + 1) * bank.bins).reduce((sum, w) => sum + w, 0);
      expect((area * sampleRate) / fftSize).toBeCloseTo(1, 1);
    }
  });
});
