import type { Example } from '../family.ts';
import { below, type Random } from '../random.ts';
import type { Spectrogram, SpectrogramSource } from '../spectrograms.ts';
import { type InputMaker, pooledShape } from './input.ts';

/** Training examples as a network takes them. */
export interface Batch {
  /** [examples, bands, frames, 1], row-major. */
  readonly values: Float32Array;
  readonly shape: [number, number, number, number];
  /** True frames of each example. */
  readonly frames: number[];
  readonly labels: number[];
  /** How much each example counts; 0 for those that only fill the batch up. */
  readonly weights: number[];
}

/** What one SpecAugment mask covers at most, in bands and frames after averaging. */
export interface MaskLimits {
  readonly maskBands: number;
  readonly maskFrames: number;
}

export interface BatchOptions {
  /** Of the batch; empty examples of weight 0 fill it up, so that all batches have one shape. */
  readonly size: number;
  readonly input: InputMaker;
  readonly random: Random;
  readonly limits: MaskLimits;
  /** How much an example counts. */
  readonly weightOf: (example: Example) => number;
}

/**
 * Make a batch for training: a random stretch of each clip that is longer than the input, with a random
 * band and a random span of its frames masked (SpecAugment, Park et al. 2019, arXiv:1904.08779) by 0, the
 * mean of what is normalised.
 *
 * @param spectrograms of the examples, in their order.
 */
export function makeBatch(
  examples: readonly Example[],
  spectrograms: readonly Spectrogram[],
  { size, input, random, limits, weightOf }: BatchOptions,
): Batch {
  const [bands, frames] = pooledShape(input.shape);
  const values = new Float32Array(size * input.cells);
  const trueFrames = spectrograms.map((spectrogram, row) => {
    const start = below(random, Math.max(0, spectrogram.frames - input.shape.frames) + 1);
    const offset = row * input.cells;
    const written = input.write(spectrogram, start, values, offset);
    maskCells(values.subarray(offset, offset + input.cells), bands, frames, written, random, limits);
    return written;
  });
  const filling = new Array<number>(size - examples.length).fill(0);
  return {
    ...{ values, shape: [size, bands, frames, 1] },
    frames: [...trueFrames, ...filling.map(() => 1)],
    labels: [...examples.map(({ label }) => label), ...filling],
    weights: [...examples.map(weightOf), ...filling],
  };
}

function maskCells(
  cells: Float32Array,
  bands: number,
  frames: number,
  trueFrames: number,
  random: Random,
  { maskBands, maskFrames }: MaskLimits,
): void {
  const high = below(random, Math.min(maskBands, bands) + 1);
  const bottom = below(random, bands - high + 1);
  cells.fill(0, bottom * frames, (bottom + high) * frames);
  const wide = below(random, Math.min(maskFrames, trueFrames) + 1);
  const left = below(random, trueFrames - wide + 1);
  for (let band = 0; band < bands; band++) cells.fill(0, band * frames + left, band * frames + left + wide);
}

/** Read the spectrograms of examples. */
export function readAll(source: SpectrogramSource, examples: readonly Example[]): Promise<Spectrogram[]> {
  return Promise.all(examples.map(({ index }) => source.read(index)));
}

/**
 * Go through examples in parts, reading the next part while the caller works on this one: at most two
 * parts are in memory, however many examples there are.
 */
export async function* readAhead(
  source: SpectrogramSource,
  examples: readonly Example[],
  size: number,
): AsyncGenerator<{ from: number; examples: readonly Example[]; spectrograms: Spectrogram[] }> {
  const part = (from: number) => examples.slice(from, from + size);
  const read = (from: number) => {
    const reading = readAll(source, part(from));
    // Its failure shows when it is awaited, which may be after the caller has given up.
    reading.catch(() => {});
    return reading;
  };
  let next = read(0);
  for (let from = 0; from < examples.length; from += size) {
    const spectrograms = await next;
    next = read(from + size);
    yield { from, examples: part(from), spectrograms };
  }
}
