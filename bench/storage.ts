import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { decodeAudio } from '../shared/audio/decode.ts';
import { findExcerpt } from '../shared/audio/excerpt.ts';
import { decibelsOfLevels, levelsOfPower } from '../shared/audio/levels.ts';
import { frameCount, MelSpectrogram } from '../shared/audio/mel.ts';
import { spectrogramParameters } from '../shared/audio/parameters.ts';
import { benchClips } from './clips.ts';

const PARAMETERS = spectrogramParameters();
const FLOAT16_FRACTION_BITS = 10;
/** Below it float16 has evenly spaced values. */
const FLOAT16_LEAST_EXPONENT = -14;

/** Round to the nearest float16, for values within its range. */
function float16(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), FLOAT16_LEAST_EXPONENT);
  const step = 2 ** (exponent - FLOAT16_FRACTION_BITS);
  return Math.round(value / step) * step;
}

class ErrorStatistics {
  #sum = 0;
  #count = 0;
  #most = 0;

  add(error: number): void {
    this.#sum += Math.abs(error);
    this.#count++;
    this.#most = Math.max(this.#most, Math.abs(error));
  }

  row(): string[] {
    return [(this.#sum / this.#count).toFixed(4), this.#most.toFixed(4)];
  }
}

/** What it costs to keep decibels in 8 bits, and in 16, against keeping float64, over real clips. */
export async function run(argv: string[]): Promise<void> {
  const { values } = parseArgs({ args: argv, options: { clips: { type: 'string', default: '40' } } });
  const paths = benchClips(Number(values.clips));
  const mel = await MelSpectrogram.create(PARAMETERS);
  const { bands, hop, dynamicRangeDb, sampleRate } = PARAMETERS;
  const bits8 = new ErrorStatistics();
  const bits16 = new ErrorStatistics();
  for (const path of paths) {
    const { samples } = await decodeAudio(readFileSync(path), sampleRate);
    const { start, end } = findExcerpt(samples, PARAMETERS);
    const power = mel.power(samples.subarray(start, end));
    const { levels, maxDb } = levelsOfPower(power, bands, frameCount(end - start, hop), dynamicRangeDb);
    const kept = decibelsOfLevels(levels, dynamicRangeDb);
    power.forEach((cell, i) => {
      const exact = Math.max(10 * Math.log10(Math.max(cell, 1e-10)) - maxDb, -dynamicRangeDb);
      bits8.add(kept[i]! - exact);
      bits16.add(float16(exact) - exact);
    });
  }
  const table = new Table({ head: ['kept as', 'bytes a cell', 'mean error, dB', 'largest error, dB'] });
  table.push(['8-bit levels', '1', ...bits8.row()], ['float16', '2', ...bits16.row()]);
  console.log(`${paths.length} clips, ${dynamicRangeDb} dB`);
  console.log(table.toString());
}
