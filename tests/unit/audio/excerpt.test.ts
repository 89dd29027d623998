import { describe, expect, it } from 'vitest';
import { findExcerpt } from '../../../shared/audio/excerpt.ts';
import type { Excerpt } from '../../../shared/audio/parameters.ts';
import { noise } from '../../support/audio.ts';

const RATE = 1_000;
const HOP = 50;

function excerptOf(signal: Float32Array, excerpt: Excerpt): [start: number, end: number] {
  const { start, end } = findExcerpt(signal, { seconds: 10, excerpt, sampleRate: RATE, hop: HOP });
  return [start, end];
}

/** A quiet song of 60 s with a loud part from 31 to 43 s. */
function song(): Float32Array {
  const signal = noise(60 * RATE, 0.1);
  signal.set(noise(12 * RATE, 0.5, 2), 31 * RATE);
  return signal;
}

describe('findExcerpt', () => {
  it.each(['auto', 'first', 'middle', 'loudest'] as const)('takes all of a short clip (%s)', (excerpt) => {
    expect(excerptOf(noise(9_999, 1), excerpt)).toEqual([0, 9_999]);
  });

  it('takes the first or the middle part', () => {
    expect(excerptOf(song(), 'first')).toEqual([0, 10_000]);
    expect(excerptOf(song(), 'middle')).toEqual([25_000, 35_000]);
  });

  it('finds the loudest part', () => {
    const [start, end] = excerptOf(song(), 'loudest');
    expect(start).toBeGreaterThanOrEqual(31 * RATE);
    expect(end).toBeLessThanOrEqual(43 * RATE);
    expect(end - start).toBe(10_000);
  });

  it('takes the start of a clip and the loudest part of a song when left to choose', () => {
    const clip = song().subarray(27 * RATE, 39 * RATE);
    expect(excerptOf(clip, 'auto')).toEqual([0, 10_000]);
    expect(excerptOf(song(), 'auto')).toEqual(excerptOf(song(), 'loudest'));
  });

  it('takes the first of windows that are equally loud', () => {
    expect(excerptOf(new Float32Array(60 * RATE).fill(0.3), 'loudest')).toEqual([0, 10_000]);
    expect(excerptOf(new Float32Array(60 * RATE), 'loudest')).toEqual([0, 10_000]);
  });
});
