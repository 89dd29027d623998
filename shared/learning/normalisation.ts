import { rangeDb, type SpectrogramSource } from './spectrograms.ts';

/** Mean and standard deviation of dB below the clip's maximum, per band, over true frames of train alone. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** A band quieter than this in its variation (dB) is not blown up to noise: an all but constant band stays so. */
const smallestDeviationDb = 0.5;

/**
 * Fit the normalisation, reading one spectrogram at a time.
 * Sums are of whole numbers and so exact: the order of the indices does not matter.
 *
 * @param indices of the training tracks, at least one.
 * @param turn awaited between spectrograms; may throw to stop.
 */
export async function fitNormalisation(
  source: SpectrogramSource,
  indices: Iterable<number>,
  turn: () => Promise<void> = async () => {},
): Promise<Normalisation> {
  const sums = new Float64Array(source.bands);
  const squares = new Float64Array(source.bands);
  let count = 0;
  for (const index of indices) {
    await turn();
    const { levels, frames } = await source.read(index);
    count += frames;
    for (let band = 0, cell = 0; band < source.bands; band++) {
      let sum = 0;
      let square = 0;
      for (const end = cell + frames; cell < end; cell++) {
        const level = levels[cell]!;
        sum += level;
        square += level * level;
      }
      sums[band]! += sum;
      squares[band]! += square;
    }
  }
  if (count === 0) throw new Error('normalisation needs at least one spectrogram');
  const step = rangeDb / 255;
  const mean = Array.from(sums, (sum) => (sum / count) * step - rangeDb);
  const deviation = Array.from(squares, (square, band) => {
    const variance = square / count - (sums[band]! / count) ** 2;
    return Math.max(smallestDeviationDb, Math.sqrt(Math.max(0, variance)) * step);
  });
  return { mean, deviation };
}
