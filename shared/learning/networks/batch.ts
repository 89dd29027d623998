import type { Example } from './family.ts';
import { type InputMaker, pooledShape } from './network-input.ts';
import { below, type Random } from './random.ts';
import type { SpectrogramSource } from './spectrograms.ts';

/** Training examples as a network takes them. */
export interface Batch {
  /** [examples, bands, frames, 1], row-major. */
  values: Float32Array;
  shape: [number, number, number, number];
  /** True frames of each example. */
  frames: number[];
  labels: number[];
}

/**
 * Read examples for training: a random stretch of each clip that is longer than the input, with a random
 * band and a random span of frames masked.
 *
 * @param masks the most bands and frames, after averaging, that one mask covers.
 */
export async function readBatch(
  source: SpectrogramSource,
  examples: readonly Example[],
  input: InputMaker,
  random: Random,
  { maskBands, maskFrames }: { readonly maskBands: number; readonly maskFrames: number },
): Promise<Batch> {
  const [bands, frames] = pooledShape(input.shape);
  const values = new Float32Array(examples.length * input.cells);
  const trueFrames: number[] = [];
  for (const [row, { index }] of examples.entries()) {
    const spectrogram = await source.read(index);
    const start = below(random, Math.max(0, spectrogram.frames - input.shape.frames) + 1);
    const offset = row * input.cells;
    trueFrames.push(input.write(spectrogram, start, values, offset));
    const cells = values.subarray(offset, offset + input.cells);
    const high = below(random, maskBands + 1);
    const bottom = below(random, bands - high + 1);
    cells.fill(0, bottom * frames, (bottom + high) * frames);
    const wide = below(random, Math.min(maskFrames, frames) + 1);
    const left = below(random, frames - wide + 1);
    for (let band = 0; band < bands; band++) cells.fill(0, band * frames + left, band * frames + left + wide);
  }
  const labels = examples.map(({ label }) => label as number);
  return { values, shape: [examples.length, bands, frames, 1], frames: trueFrames, labels };
}
