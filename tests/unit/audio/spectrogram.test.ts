import { describe, expect, it } from 'vitest';
import { spectrogramParameters } from '../../../shared/audio/parameters.ts';
import { makeSpectrogram } from '../../../shared/audio/spectrogram.ts';
import { noise, SAMPLE_RATE, tone, wav } from '../../support/audio.ts';

const PARAMETERS = spectrogramParameters();

describe('makeSpectrogram', () => {
  it('keeps the true length of a short clip', async () => {
    const result = await makeSpectrogram(wav([noise(5_000, 0.5)]), PARAMETERS);
    expect(result).toMatchObject({ bands: 128, frames: 10, excerptStartSeconds: 0, warnings: [] });
    expect(result.levels.length).toBe(1_280);
    expect(result.durationSeconds).toBeCloseTo(5_000 / SAMPLE_RATE, 9);
    expect(Math.max(...result.levels)).toBe(255);
  });

  it('has 1,292 frames of 30 s', async () => {
    const result = await makeSpectrogram(wav([noise(31 * SAMPLE_RATE, 0.5)]), PARAMETERS);
    expect(result.frames).toBe(1_292);
    expect(result.durationSeconds).toBe(31);
  });

  it('looks at the loudest part of a song, and says where that is', async () => {
    const song = noise(20 * SAMPLE_RATE, 0.05);
    song.set(noise(4 * SAMPLE_RATE, 0.8, 2), 11 * SAMPLE_RATE);
    const result = await makeSpectrogram(wav([song]), spectrogramParameters({ seconds: 4 }));
    expect(result.excerptStartSeconds).toBeCloseTo(11, 1);
    expect(result.durationSeconds).toBe(20);
  });

  it('hashes the sound, not the file', async () => {
    const samples = tone(1, 440).map((sample) => Math.round(sample * 32_767) / 32_768);
    const asFloat = await makeSpectrogram(wav([samples]), PARAMETERS);
    const stereo = await makeSpectrogram(wav([samples, samples]), PARAMETERS);
    const other = await makeSpectrogram(wav([tone(1, 441)]), PARAMETERS);
    expect(asFloat.audioHash).toMatch(/^[0-9a-f]{64}$/);
    expect(stereo.audioHash).toBe(asFloat.audioHash);
    expect(other.audioHash).not.toBe(asFloat.audioHash);
  });

  it('warns of silence', async () => {
    const result = await makeSpectrogram(wav([new Float32Array(SAMPLE_RATE)]), PARAMETERS);
    expect(result.warnings).toEqual(['silent']);
    expect(result.maxDb).toBe(-100);
  });
});
