import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AV_SAMPLE_FMT_FLTP, AVMEDIA_TYPE_AUDIO } from 'node-av/constants';
import { Codec, CodecContext, FormatContext, Frame, Packet } from 'node-av/lib';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeTag } from '../../../simulator/id3.ts';
import { encodeMp3 } from '../../../simulator/mp3.ts';

const folder = mkdtempSync(join(tmpdir(), 'hiphop-mp3-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const rate = 22_050;

/** Decode the first channel by FFmpeg, without any of our own decoder. */
async function decode(bytes: Buffer): Promise<Float32Array> {
  const path = join(folder, 'song.mp3');
  writeFileSync(path, bytes);
  const input = new FormatContext();
  expect(await input.openInput(path)).toBeGreaterThanOrEqual(0);
  expect(await input.findStreamInfo()).toBeGreaterThanOrEqual(0);
  const index = input.findBestStream(AVMEDIA_TYPE_AUDIO);
  const { codecpar } = input.streams[index]!;
  const codec = Codec.findDecoder(codecpar.codecId)!;
  using context = new CodecContext();
  context.allocContext3(codec);
  context.parametersToContext(codecpar);
  expect(context.open2Sync(codec, null)).toBeGreaterThanOrEqual(0);
  expect(context.sampleFormat).toBe(AV_SAMPLE_FMT_FLTP);
  expect(context.sampleRate).toBe(rate);
  using packet = new Packet();
  packet.alloc();
  using frame = new Frame();
  frame.alloc();
  const samples: number[] = [];
  while (input.readFrameSync(packet) >= 0) {
    context.sendPacketSync(packet);
    packet.unref();
    while (context.receiveFrameSync(frame) >= 0) {
      const plane = frame.data![0]!;
      const copy = new Uint8Array(plane.subarray(0, frame.nbSamples * 4));
      samples.push(...new Float32Array(copy.buffer));
    }
  }
  await input.closeInput();
  return Float32Array.from(samples);
}

describe('encodeMp3', () => {
  it('writes an MP3 that decodes to what was put in, tags or not', async () => {
    const tone = Float32Array.from(
      { length: 2 * rate },
      (_, index) => 0.5 * Math.sin((2 * Math.PI * 440 * index) / rate),
    );
    const tag = encodeTag({
      title: 'x',
      artists: ['y'],
      album: 'z'.repeat(300),
      genre: 'Hip-Hop',
      releaseDate: '2020-01-01',
      isrc: 'XXSIM2000001',
    });
    for (const bytes of [encodeMp3(tone, rate), Buffer.concat([tag, encodeMp3(tone, rate)])]) {
      const decoded = await decode(bytes);
      // The encoder pads at both ends, by a few frames of 576 samples.
      expect(decoded.length).toBeGreaterThanOrEqual(tone.length);
      expect(decoded.length).toBeLessThan(tone.length + 6 * 576);
      const middle = decoded.subarray(rate / 2, rate / 2 + rate);
      const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length;
      expect(Math.sqrt(2 * power)).toBeCloseTo(0.5, 1);
      let crossings = 0;
      for (let index = 1; index < middle.length; index++) {
        if (middle[index - 1]! < 0 && middle[index]! >= 0) crossings++;
      }
      expect(Math.abs(crossings - 440)).toBeLessThanOrEqual(2);
    }
  });

  it('gives the same bytes for the same samples, many times over', () => {
    const tone = Float32Array.from({ length: rate }, (_, index) => Math.sin(index / 9));
    const first = encodeMp3(tone, rate);
    for (let time = 0; time < 30; time++) expect(encodeMp3(tone, rate).equals(first)).toBe(true);
  });

  it('says when a rate is not one of MP3', () => {
    expect(() => encodeMp3(new Float32Array(1000), 12_345)).toThrow(/MP3/);
  });
});
