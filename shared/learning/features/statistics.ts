import { rangeDb, type Spectrogram } from '../spectrograms.ts';

/** Statistics per band: mean, standard deviation, standard deviation of the difference between frames. */
export const statisticsPerBand = 3;

/**
 * Summarise a spectrogram over its true frames.
 *
 * @returns float64 [3 x bands] in dB: the means of all bands, then the standard deviations, then the
 *   standard deviations of the difference from frame to frame (0 of a single frame). Deviations divide
 *   by the count, as numpy does.
 */
export function spectrogramStatistics({ levels, frames }: Spectrogram): Float64Array {
  const bands = levels.length / frames;
  const statistics = new Float64Array(statisticsPerBand * bands);
  const step = rangeDb / 255;
  for (let band = 0; band < bands; band++) {
    const start = band * frames;
    let sum = 0;
    let square = 0;
    let differenceSquare = 0;
    for (let cell = start; cell < start + frames; cell++) {
      const level = levels[cell]!;
      sum += level;
      square += level * level;
      if (cell > start) differenceSquare += (level - levels[cell - 1]!) ** 2;
    }
    const mean = sum / frames;
    statistics[band] = mean * step - rangeDb;
    statistics[bands + band] = Math.sqrt(Math.max(0, square / frames - mean * mean)) * step;
    if (frames > 1) {
      const meanDifference = (levels[start + frames - 1]! - levels[start]!) / (frames - 1);
      const variance = differenceSquare / (frames - 1) - meanDifference * meanDifference;
      statistics[2 * bands + band] = Math.sqrt(Math.max(0, variance)) * step;
    }
  }
  return statistics;
}
