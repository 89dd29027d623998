import type { Normalisation } from '../normalisation.ts';
import { rangeDb, type Spectrogram } from '../spectrograms.ts';

/** The size of a network's input, and how spectrograms are averaged down to it. */
export interface InputShape {
  /** Bands of the spectrogram; a multiple of `poolBands`. */
  readonly bands: number;
  /** Frames of the input before averaging. Longer clips are cut, shorter ones padded. */
  readonly frames: number;
  /** Neighbouring bands averaged into one. */
  readonly poolBands: number;
  /** Neighbouring frames averaged into one. */
  readonly poolFrames: number;
}

/** Bands and frames of the input after averaging. */
export function pooledShape({ bands, frames, poolBands, poolFrames }: InputShape): [number, number] {
  return [bands / poolBands, Math.ceil(frames / poolFrames)];
}

/** Turns spectrograms into a network's input. */
export class InputMaker {
  readonly shape: InputShape;
  /** Of one clip's input. */
  readonly cells: number;
  readonly #pooledFrames: number;
  /** [bands, 256]: each band's normalised value of each level. */
  readonly #table: Float32Array;
  readonly #framesIn: Float32Array;

  constructor(shape: InputShape, { mean, deviation }: Normalisation) {
    const [pooledBands, pooledFrames] = pooledShape(shape);
    if (mean.length !== shape.bands || !Number.isInteger(pooledBands)) {
      throw new Error(`${mean.length} bands do not fit a network of ${shape.bands} bands`);
    }
    this.shape = shape;
    this.cells = pooledBands * pooledFrames;
    this.#pooledFrames = pooledFrames;
    this.#table = new Float32Array(shape.bands * 256);
    for (let band = 0; band < shape.bands; band++) {
      for (let level = 0; level < 256; level++) {
        this.#table[band * 256 + level] = ((level / 255 - 1) * rangeDb - mean[band]!) / deviation[band]!;
      }
    }
    this.#framesIn = new Float32Array(pooledFrames);
  }

  /**
   * Write one clip: each cell the mean of the normalised dB of its true frames, 0 in padding.
   *
   * @param start the first frame to take; 0 unless the clip is longer than the input.
   * @param into [bands / poolBands, ceil(frames / poolFrames)], band after band, from `offset`.
   * @returns the true frames after averaging, at least 1.
   */
  write(
    { levels, frames: clipFrames }: Spectrogram,
    start: number,
    into: Float32Array,
    offset: number,
  ): number {
    const { bands, frames: limit, poolBands, poolFrames } = this.shape;
    if (levels.length !== bands * clipFrames) {
      throw new Error(`a spectrogram of ${levels.length / clipFrames} bands, and the network takes ${bands}`);
    }
    const frames = Math.min(limit, clipFrames - start);
    const pooledFrames = this.#pooledFrames;
    const framesIn = this.#framesIn.fill(0);
    for (let frame = 0; frame < frames; frame++) framesIn[Math.floor(frame / poolFrames)]! += poolBands;
    into.fill(0, offset, offset + this.cells);
    for (let band = 0; band < bands; band++) {
      const row = offset + Math.floor(band / poolBands) * pooledFrames;
      const table = band * 256;
      const from = band * clipFrames + start;
      for (let frame = 0, cell = row; frame < frames; cell++) {
        let sum = 0;
        for (const end = Math.min(frames, frame + poolFrames); frame < end; frame++) {
          sum += this.#table[table + levels[from + frame]!]!;
        }
        into[cell]! += sum / framesIn[cell - row]!;
      }
    }
    return Math.ceil(frames / poolFrames);
  }
}
