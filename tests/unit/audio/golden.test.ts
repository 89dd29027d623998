import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeAudio } from '../../../shared/audio/decode.ts';
import { findExcerpt } from '../../../shared/audio/excerpt.ts';
import { decibelsOfLevels, levelsOfPower } from '../../../shared/audio/levels.ts';
import { denseFilters, MelSpectrogram, melFilterBank } from '../../../shared/audio/mel.ts';
import { spectrogramParameters } from '../../../shared/audio/parameters.ts';
import { makeSpectrogram } from '../../../shared/audio/spectrogram.ts';
import { readNpy } from '../../support/npy.ts';
import { sharedData, sharedDataMissing } from '../../support/shared-data.ts';

/** One entry of golden/index.json: what librosa made of one clip. */
interface GoldenClip {
  file: string;
  mel: string;
  samples: number;
  frames: number;
  mean_db: number;
}

const PARAMETERS = spectrogramParameters();
/** Of the clip's maximum: what is quieter is rounding and resampling noise. */
const LEAST_SHARE = 1e-6;
const MOST_RELATIVE_ERROR = 1e-3;
/** Where 0.5 dB would do; what is reached is far below, and should stay there. */
const MOST_MEAN_ERROR_DB = 0.03;

const clips: GoldenClip[] =
  sharedDataMissing === undefined
    ? JSON.parse(readFileSync(join(sharedData, 'golden/index.json'), 'utf8')).clips
    : [];
const SAME_RATE_CLIP = 'codecs/clip-f32-mono-22k.wav';

async function excerptOf(file: string): Promise<Float32Array> {
  const { samples } = await decodeAudio(readFileSync(join(sharedData, file)), PARAMETERS.sampleRate);
  const { start, end } = findExcerpt(samples, PARAMETERS);
  return samples.subarray(start, end);
}

const decibels = (power: number): number => 10 * Math.log10(Math.max(power, 1e-10));

describe.skipIf(sharedDataMissing)(`librosa's golden values ${sharedDataMissing ?? ''}`, () => {
  it('has the same filter bank', () => {
    const golden = readNpy(readFileSync(join(sharedData, 'golden/mel_filterbank_22050_2048_128_slaney.npy')));
    const weights = denseFilters(melFilterBank(PARAMETERS));
    expect(weights.length).toBe(golden.values.length);
    golden.values.forEach((weight, i) => {
      if (Math.abs(weights[i]! - weight) > 1e-6) expect(weights[i]).toBeCloseTo(weight, 6);
    });
  });

  it.each(clips)('has the same spectrogram of $file', async (clip) => {
    const golden = readNpy(readFileSync(join(sharedData, 'golden', clip.mel)));
    const samples = await excerptOf(clip.file);
    expect(samples.length).toBe(clip.samples);
    const power = (await MelSpectrogram.create(PARAMETERS)).power(samples);
    expect(power.length).toBe(golden.values.length);
    expect(golden.columns).toBe(clip.frames);

    const maximum = golden.values.reduce((most, value) => Math.max(most, value), 0);
    let cells = 0;
    let sumDb = 0;
    let mostRelative = 0;
    golden.values.forEach((expected, i) => {
      if (expected <= LEAST_SHARE * maximum) return;
      cells++;
      sumDb += Math.abs(decibels(power[i]!) - decibels(expected));
      mostRelative = Math.max(mostRelative, Math.abs(power[i]! / expected - 1));
    });
    if (maximum > 0) expect(sumDb / cells).toBeLessThan(MOST_MEAN_ERROR_DB);
    if (clip.file === SAME_RATE_CLIP) expect(mostRelative).toBeLessThan(MOST_RELATIVE_ERROR);
  });

  it.each(clips)('has the same mean level of $file', async (clip) => {
    const samples = await excerptOf(clip.file);
    const power = (await MelSpectrogram.create(PARAMETERS)).power(samples);
    const { levels } = levelsOfPower(power, PARAMETERS.bands, clip.frames, PARAMETERS.dynamicRangeDb);
    const kept = decibelsOfLevels(levels, PARAMETERS.dynamicRangeDb);
    const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
    // librosa cuts at 80 dB too; above 10 kHz the resamplers differ.
    expect(Math.abs(mean - clip.mean_db)).toBeLessThan(0.5);
  });

  it('warns of silence', async () => {
    const result = await makeSpectrogram(
      readFileSync(join(sharedData, 'codecs/silence-30s.mp3')),
      PARAMETERS,
    );
    expect(result.warnings).toEqual(['silent']);
  });

  const reference = 'codecs/clip-s16.wav';
  /** Mean difference in dB that the codec may make: lossy ones take away what is not heard. */
  const FORMATS: [file: string, mostDb: number][] = [
    ['clip-s24-48k.wav', 0.1],
    ['clip.aiff', 0.01],
    ['clip.flac', 0.01],
    ['clip-48k.mp3', 1],
    ['clip-vbr.mp3', 1],
    ['clip.m4a', 1],
    ['clip.ogg', 1],
    ['clip.opus', 1],
  ];
  it.each(FORMATS)('sees the same recording in %s', async (file, mostDb) => {
    const wanted = await makeSpectrogram(readFileSync(join(sharedData, reference)), PARAMETERS);
    const result = await makeSpectrogram(readFileSync(join(sharedData, 'codecs', file)), PARAMETERS);
    expect(result.frames).toBe(wanted.frames);
    expect(result.warnings).toEqual([]);
    const expected = decibelsOfLevels(wanted.levels, PARAMETERS.dynamicRangeDb);
    const got = decibelsOfLevels(result.levels, PARAMETERS.dynamicRangeDb);
    let cells = 0;
    let sum = 0;
    expected.forEach((value, i) => {
      if (value < -60) return;
      cells++;
      sum += Math.abs(got[i]! - value);
    });
    expect(sum / cells).toBeLessThan(mostDb);
  });
});
