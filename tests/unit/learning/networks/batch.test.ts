import { describe, expect, test } from 'vitest';
import type { Example } from '../../../../shared/learning/family.ts';
import { makeBatch, readAhead } from '../../../../shared/learning/networks/batch.ts';
import { InputMaker } from '../../../../shared/learning/networks/input.ts';
import { randomStream } from '../../../../shared/learning/random.ts';
import type { Spectrogram, SpectrogramSource } from '../../../../shared/learning/spectrograms.ts';

const bands = 8;
const normalisation = { mean: new Array(bands).fill(-100), deviation: new Array(bands).fill(1) };
const example = (index: number, label: 0 | 1 = 0): Example => ({ index, label, group: index });

/** A clip whose levels rise by one a frame, so that a value tells its frame; no cell is 0 once normalised. */
const rising = (frames: number): Spectrogram => ({
  frames,
  levels: Uint8Array.from({ length: bands * frames }, (_, cell) => cell % frames),
});
const frameOf = (value: number): number => Math.round(((value - 100) / 80 + 1) * 255);

function batchOf(
  clip: Spectrogram,
  frames: number,
  limits: { maskBands: number; maskFrames: number },
  seed: number,
) {
  const input = new InputMaker({ bands, frames, poolBands: 1, poolFrames: 1 }, normalisation);
  const options = { size: 1, input, random: randomStream(seed), limits, weightOf: () => 1 };
  const { values, frames: trueFrames } = makeBatch([example(0)], [clip], options);
  const rows = Array.from({ length: bands }, (_, band) => [
    ...values.slice(band * frames, (band + 1) * frames),
  ]);
  return { rows, trueFrames: trueFrames[0]! };
}

describe('makeBatch', () => {
  test('takes a stretch of a longer clip, each beginning as likely', () => {
    const begins = new Map<number, number>();
    for (let seed = 0; seed < 400; seed++) {
      const { rows } = batchOf(rising(12), 10, { maskBands: 0, maskFrames: 0 }, seed);
      const begin = frameOf(rows[0]![0]!);
      for (const row of rows) expect(row.map(frameOf)).toEqual(row.map((_, i) => begin + i));
      begins.set(begin, (begins.get(begin) ?? 0) + 1);
    }
    expect([...begins.keys()].sort()).toEqual([0, 1, 2]);
    expect(Math.min(...begins.values())).toBeGreaterThan(90);
  });

  test('masks one stretch of bands and one of true frames, up to the limits', () => {
    const [high, wide] = [new Set<number>(), new Set<number>()];
    for (let seed = 0; seed < 300; seed++) {
      const { rows, trueFrames } = batchOf(rising(7), 10, { maskBands: 3, maskFrames: 4 }, seed);
      expect(trueFrames).toBe(7);
      const zero = (values: readonly number[]) => values.slice(0, 7).every((value) => value === 0);
      const maskedBands = rows.map((row, band) => (zero(row) ? band : -1)).filter((band) => band >= 0);
      const open = rows.filter((row) => !zero(row));
      const columns = Array.from({ length: 7 }, (_, frame) => open.map((row) => row[frame]!));
      const maskedFrames = columns
        .map((cells, i) => (cells.every((v) => v === 0) ? i : -1))
        .filter((i) => i >= 0);
      for (const masked of [maskedBands, maskedFrames]) {
        if (masked.length > 0) expect(masked.at(-1)! - masked[0]!).toBe(masked.length - 1);
      }
      high.add(maskedBands.length);
      wide.add(maskedFrames.length);
      for (const cells of open) expect(cells.slice(7)).toEqual([0, 0, 0]);
    }
    expect([...high].sort()).toEqual([0, 1, 2, 3]);
    expect([...wide].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test('is filled up with examples that do not count', () => {
    const input = new InputMaker({ bands, frames: 4, poolBands: 1, poolFrames: 1 }, normalisation);
    const limits = { maskBands: 0, maskFrames: 0 };
    const weightOf = ({ label }: Example) => (label === 1 ? 3 : 0.5);
    const options = { size: 4, input, random: randomStream(1), limits, weightOf };
    const batch = makeBatch([example(0, 1), example(1)], [rising(4), rising(3)], options);
    expect(batch.shape).toEqual([4, bands, 4, 1]);
    expect(batch).toMatchObject({ frames: [4, 3, 1, 1], labels: [1, 0, 0, 0], weights: [3, 0.5, 0, 0] });
    expect([...batch.values.slice(2 * bands * 4)].every((value) => value === 0)).toBe(true);
  });
});

describe('readAhead', () => {
  function source(fails = -1): SpectrogramSource & { asked: number[] } {
    const asked: number[] = [];
    return {
      ...{ asked, count: 100, bands, frames: 4 },
      read: async (index) => {
        asked.push(index);
        if (index === fails) throw new Error('no such clip');
        return { frames: 1 + (index % 4), levels: new Uint8Array(bands * (1 + (index % 4))) };
      },
    };
  }
  const examples = Array.from({ length: 10 }, (_, i) => example(i * 3));

  test('gives all in their order, and is never more than one part ahead', async () => {
    const from = source();
    const seen: number[] = [];
    for await (const part of readAhead(from, examples, 4)) {
      expect(part.from).toBe(seen.length);
      expect(from.asked.length).toBeLessThanOrEqual(seen.length + 8);
      seen.push(...part.examples.map(({ index }) => index));
      expect(part.spectrograms.map(({ frames }) => frames)).toEqual(
        part.examples.map(({ index }) => 1 + (index % 4)),
      );
    }
    expect(seen).toEqual(examples.map(({ index }) => index));
    expect(from.asked).toEqual(seen);
  });

  test('fails where the reading failed, and not before', async () => {
    const parts: number[] = [];
    const reading = async () => {
      for await (const { from } of readAhead(source(15), examples, 4)) parts.push(from);
    };
    await expect(reading()).rejects.toThrow('no such clip');
    expect(parts).toEqual([0]);
  });
});
