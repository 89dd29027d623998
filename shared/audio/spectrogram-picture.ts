/** A spectrogram as a picture: what the models see, drawn from the levels that are kept. */
import { encode } from 'fast-png';

/**
 * Viridis by S. van der Walt and N. Smith (2015, CC0) at eleven even steps: equal steps of level look
 * equally large, also to the colour blind and in grey.
 */
const anchors = [
  ...[0x440154, 0x482576, 0x414487, 0x35608d, 0x2a788e, 0x21908c],
  ...[0x22a884, 0x43bf71, 0x7ad151, 0xbbdf27, 0xfde725],
];

/** Red, green, blue and opacity of each level, four bytes a level. */
const colours = Uint8Array.from({ length: 256 * 4 }, (_, index) => {
  const channel = index % 4;
  if (channel === 3) return 255;
  const place = (Math.floor(index / 4) / 255) * (anchors.length - 1);
  const low = Math.min(Math.floor(place), anchors.length - 2);
  const of = (colour: number) => (colour >> (16 - 8 * channel)) & 255;
  return Math.round(of(anchors[low]!) * (low + 1 - place) + of(anchors[low + 1]!) * (place - low));
});

/**
 * Draw levels, one pixel a cell: loud is bright, the lowest band is at the bottom.
 *
 * @param levels shape [bands][frames], band after band, as shared/audio/levels.ts makes them
 * @returns a PNG file of `frames` x `bands` pixels
 * @throws RangeError when `levels` is not bands x frames cells
 */
export function spectrogramPicture(levels: Uint8Array, bands: number, frames: number): Uint8Array {
  if (levels.length !== bands * frames)
    throw new RangeError(`${levels.length} cells, not ${bands}x${frames}`);
  const data = new Uint8Array(4 * levels.length);
  for (let band = 0; band < bands; band++) {
    const row = (bands - 1 - band) * frames;
    for (let frame = 0; frame < frames; frame++) {
      const level = levels[band * frames + frame]!;
      data.set(colours.subarray(4 * level, 4 * level + 4), 4 * (row + frame));
    }
  }
  return encode({ width: frames, height: bands, data, channels: 4, depth: 8 });
}
