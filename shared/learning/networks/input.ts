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
    const cells = into.subarray(offset, offset + this.cells).fill(0);
    if (poolBands === 1 && poolFrames === 1) this.#look(levels, clipFrames, start, frames, cells);
    else this.#average(levels, clipFrames, start, frames, cells);
    return Math.ceil(frames / poolFrames);
  }

  /** What averages of one cell each come to, several times faster. */
  #look(levels: Uint8Array, clipFrames: number, start: number, frames: number, cells: Float32Array): void {
    const table = this.#table;
    for (let band = 0; band < this.shape.bands; band++) {
      const row = band * this.#pooledFrames;
      const from = band * clipFrames + start;
      for (let frame = 0; frame < frames; frame++) {
        cells[row + frame] = table[band * 256 + levels[from + frame]!]!;
      }
    }
  }

  #average(levels: Uint8Array, clipFrames: number, start: number, frames: number, cells: Float32Array): void {
    const { bands, poolBands, poolFrames } = this.shape;
    const table = this.#table;
    const framesIn = this.#framesIn.fill(0);
    for (let frame = 0; frame < frames; frame++) framesIn[Math.floor(frame / poolFrames)]! += poolBands;
    for (let band = 0; band < bands; band++) {
      const row = Math.floor(band / poolBands) * this.#pooledFrames;
      const from = band * clipFrames + start;
      for (let frame = 0, cell = 0; frame < frames; cell++) {
        let sum = 0;
        for (const end = Math.min(frames, frame + poolFrames); frame < end; frame++) {
          sum += table[band * 256 + levels[from + frame]!]!;
        }
        cells[row + cell]! += sum / framesIn[cell]!;
      }
    }
  }
}
