import { describe, expect, it } from 'vitest';
import { decodeAudio, LONGEST_SECONDS } from '../../../shared/audio/decode.ts';
import { CancelledError, PermanentError } from '../../../shared/errors.ts';
import { noise, SAMPLE_RATE, tone, wav } from '../../support/audio.ts';

function decode(file: Uint8Array, signal?: AbortSignal) {
  return decodeAudio(file, SAMPLE_RATE, signal);
}

describe('decodeAudio', () => {
  it('gives float samples of the wanted rate back bit for bit', async () => {
    const samples = noise(30_000, 0.9);
    const decoded = await decode(wav([samples]));
    expect(decoded.samples).toEqual(samples);
    expect(decoded.warnings).toEqual([]);
  });

  it.each([1, 2, 3, 6, 12, 40])('makes mono the mean of %i channels', async (count) => {
    const channels = Array.from({ length: count }, (_, i) => noise(5_000, 0.9, i + 1));
    const { samples } = await decode(wav(channels));
    samples.forEach((sample, i) => {
      const mean = channels.reduce((sum, channel) => sum + channel[i]!, 0) / count;
      if (Math.abs(sample - mean) > 1e-6) expect(sample).toBeCloseTo(mean, 6);
    });
  });

  it.each([8_000, 11_025, 16_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000])(
    'resamples from %i Hz: right number of samples, right tone',
    async (rate) => {
      const seconds = 0.6037;
      const { samples } = await decode(wav([tone(seconds, 1_000, rate)], rate));
      const input = Math.round(seconds * rate);
      expect(samples.length).toBe(Math.ceil((input * SAMPLE_RATE) / rate));
      const expected = tone(input / rate, 1_000);
      // Not at the ends, where the filter sees what is not there.
      for (let i = 500; i < expected.length - 500; i++) {
        if (Math.abs(samples[i]! - expected[i]!) > 2e-3) expect(samples[i]).toBeCloseTo(expected[i]!, 3);
      }
    },
  );

  it('keeps out what the new rate cannot hold', async () => {
    const { samples } = await decode(wav([tone(1, 15_000, 44_100)], 44_100));
    const loudest = samples.subarray(500, -500).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(20 * Math.log10(loudest / 0.5)).toBeLessThan(-65);
  });

  it('silences samples that are not numbers, and says so', async () => {
    const samples = noise(22_050, 0.5);
    samples[5_000] = Number.NaN;
    samples[6_000] = Number.POSITIVE_INFINITY;
    samples[7_000] = -1e30;
    const decoded = await decode(wav([samples]));
    expect(decoded.samples.every((sample) => Math.abs(sample) <= 0.5)).toBe(true);
    expect(decoded.warnings).toEqual(['3 damaged samples were silenced']);
  });

  it('uses what there is of a file that breaks off, and says so', async () => {
    const file = wav([noise(3 * SAMPLE_RATE, 0.5)]);
    const { samples, warnings } = await decode(file.subarray(0, 44 + 4 * SAMPLE_RATE));
    expect(samples.length).toBe(SAMPLE_RATE);
    expect(warnings).toEqual(['the file breaks off after 1.0 s of 3.0 s']);
  });

  it('holds a length that was not known yet against no file', async () => {
    const file = wav([noise(SAMPLE_RATE, 0.5)]);
    file.writeUInt32LE(0xffff_ffff, 4);
    file.writeUInt32LE(0xffff_ffff, 40);
    expect((await decode(file)).warnings).toEqual([]);
  });

  it('looks past ID3 tags, however big', async () => {
    const picture = Buffer.alloc(2_000_000, 0x55);
    const header = Buffer.from('ID3\x04\x00\x00\x00\x00\x00\x00', 'latin1');
    for (let i = 0; i < 4; i++) header[9 - i] = Math.floor(picture.length / 128 ** i) % 128;
    const samples = noise(5_000, 0.5);
    const decoded = await decode(Buffer.concat([header, picture, header, picture, wav([samples])]));
    expect(decoded.samples).toEqual(samples);
  });

  it('reads views into bigger memory', async () => {
    const samples = noise(5_000, 0.5);
    const file = wav([samples]);
    const padded = new Uint8Array(file.length + 1_000).fill(7);
    padded.set(file, 500);
    expect((await decode(padded.subarray(500, 500 + file.length))).samples).toEqual(samples);
  });

  it('stops at the longest duration, and says so', async () => {
    const rate = 4_000;
    const file = wav([new Float32Array((LONGEST_SECONDS + 60) * rate)], rate, 's16');
    const { samples, warnings } = await decode(file);
    expect(samples.length).toBe(LONGEST_SECONDS * SAMPLE_RATE);
    expect(warnings).toEqual(['only the first 30 minutes were looked at']);
  });

  it('stops when it is told to', async () => {
    const file = wav([new Float32Array(1_000 * 8_000)], 8_000, 's16');
    await expect(decode(file, AbortSignal.timeout(1))).rejects.toThrow(CancelledError);
  });

  const REFUSED: [name: string, file: Buffer, reason: RegExp][] = [
    ['an empty file', Buffer.alloc(0), /^the file is empty$/],
    ['a web page', Buffer.from('<!DOCTYPE html><html><body>403'), /^this is a web page \(HTML\).*MP3, WAV/],
    ['JSON', Buffer.from('{"error": "quota"}'), /^this is JSON text/],
    ['text', Buffer.from('Grüße aus der Cypher\n'.repeat(20)), /^this is text, not music/],
    ['zeros', Buffer.alloc(5_000), /^this file begins with nothing but zeros/],
    ['random bytes', Buffer.from(noise(4_000, 1).buffer), /^this is no audio that can be recognised/],
    ['a PDF', Buffer.from('%PDF-1.7\n%\xb5\xb6', 'latin1'), /^this is a PDF/],
    ['a ZIP archive', Buffer.from('PK\x03\x04\x14\x00\x00\x00\x08\x00', 'latin1'), /^this is a ZIP archive/],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR', 'latin1'), /^this is a picture/],
    ['a tag and nothing else', Buffer.from('ID3\x04\x00\x00\x00\x00\x00\x05hello', 'latin1'), /holds a tag/],
    ['a header and nothing else', wav([new Float32Array(0)]), /nothing/],
    ['a twentieth of a second', wav([noise(1_102, 0.5)]), /^this file is too short: 0\.05 s/],
    ['an absurd sample rate', wav([noise(9_000, 0.5)], 100), /100 samples a second/],
  ];
  it.each(REFUSED)('refuses %s with a reason for people', async (_name, file, reason) => {
    const error = await decode(file).then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(PermanentError);
    expect((error as Error).message).toMatch(reason);
  });
});
