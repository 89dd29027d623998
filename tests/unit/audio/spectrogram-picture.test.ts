import { decode } from 'fast-png';
import { expect, test } from 'vitest';
import { spectrogramPicture } from '../../../shared/audio/spectrogram-picture.ts';

const pixelsOf = (levels: number[], bands: number, frames: number) => {
  const { width, height, data, channels } = decode(
    spectrogramPicture(Uint8Array.from(levels), bands, frames),
  );
  expect([width, height, channels]).toEqual([frames, bands, 4]);
  return Array.from({ length: width * height }, (_, i) => [...data.slice(4 * i, 4 * i + 4)]);
};

test('the lowest band is at the bottom, frames go from left to right', () => {
  const [quiet, loud] = [
    [0x44, 0x01, 0x54, 255],
    [0xfd, 0xe7, 0x25, 255],
  ];
  expect(pixelsOf([255, 0, 0, 0, 0, 0], 2, 3)).toEqual([quiet, quiet, quiet, loud, quiet, quiet]);
});

test('each level is lighter than the one below, so that the picture reads in grey', () => {
  const pixels = pixelsOf(
    Array.from({ length: 256 }, (_, level) => level),
    1,
    256,
  );
  const grey = pixels.map(([red, green, blue]) => 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!);
  for (let level = 4; level < 256; level++) expect(grey[level]).toBeGreaterThan(grey[level - 4]!);
});

test('levels of another shape are refused', () => {
  expect(() => spectrogramPicture(new Uint8Array(5), 2, 3)).toThrow('5 cells, not 2x3');
});
