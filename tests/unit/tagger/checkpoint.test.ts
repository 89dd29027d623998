import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../../shared/tagger/checkpoint.ts';
import { crc32c } from '../../../shared/tagger/crc32c.ts';
import { findTagger } from '../../../shared/tagger/provision.ts';
import { readTaggerWeights } from '../../../shared/tagger/weights.ts';
import { taggerCache, taggerMissing } from '../../support/tagger.ts';
import { type TinyTensor, tinyCheckpoint } from './tiny-checkpoint.ts';

let folder: string;
let prefix: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hiphop-checkpoint-'));
  prefix = join(folder, 'model');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const tensors: TinyTensor[] = [
  { name: 'dense/bias', shape: [2], values: [0.5, -2] },
  { name: 'dense/kernel', shape: [2, 2], values: [1, 2, 3, 4.25] },
  { name: 'dense/kernel/Adam', shape: [1], values: [9] },
];

/** Write a checkpoint, changed by `damage` on its way to the disk. */
function write(damage: (files: { index: Buffer; data: Buffer }) => void = () => {}): void {
  const files = tinyCheckpoint(tensors);
  damage(files);
  writeFileSync(`${prefix}.index`, files.index);
  writeFileSync(`${prefix}.data-00000-of-00001`, files.data);
}

const read = (wanted: (name: string) => boolean = () => true) => readCheckpoint(prefix, wanted);

test('CRC-32C has the value that its specification gives', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
});

test('tensors are read by name, with shape and values', async () => {
  write();
  const found = await read((name) => !name.includes('Adam'));
  expect([...found.keys()]).toEqual(['dense/bias', 'dense/kernel']);
  expect(found.get('dense/kernel')).toEqual({ shape: [2, 2], values: Float32Array.of(1, 2, 3, 4.25) });
  expect(found.get('dense/bias')).toEqual({ shape: [2], values: Float32Array.of(0.5, -2) });
});

describe('what is damaged is refused, with the reason', () => {
  test.each<[string, (files: { index: Buffer; data: Buffer }) => void, RegExp]>([
    ['a value', ({ data }) => data.writeUInt8(data[9]! ^ 1, 9), /dense\/kernel is damaged: its checksum/],
    ['the index', ({ index }) => index.writeUInt8(index[3]! ^ 1, 3), /a block of it is damaged/],
    ['the footer', ({ index }) => index.writeUInt8(0, index.length - 1), /no table of LevelDB/],
    ['the footer’s address', ({ index }) => index.writeUInt8(0x7f, index.length - 46), /cut short|damaged/],
    ['an empty index', (files) => Object.assign(files, { index: Buffer.alloc(0) }), /no table of LevelDB/],
    [
      'half of the values',
      (files) => Object.assign(files, { data: files.data.subarray(0, 12) }),
      /dense\/kernel has 4 bytes, not 16/,
    ],
  ])('%s', async (_what, damage, reason) => {
    write(damage);
    await expect(read()).rejects.toThrow(reason);
    await expect(read()).rejects.toThrow(`the checkpoint ${prefix} cannot be read`);
  });

  test('a file that is missing', async () => {
    await expect(read()).rejects.toThrow(/ENOENT.*model\.index/);
  });
});

test('another network’s checkpoint is not taken for the tagger’s', async () => {
  write();
  await expect(readTaggerWeights(prefix)).rejects.toThrow(
    /not the checkpoint of MusiCNN: conv2d\/kernel \[7,38,1,204\] is missing/,
  );
});

describe.skipIf(taggerMissing)(`the tagger's own checkpoint ${taggerMissing ?? ''}`, () => {
  test('has the variables of the network, and finite ones', async () => {
    const weights = await readTaggerWeights(findTagger(taggerCache)!);
    expect(weights.front.map(({ times, columns, outputs }) => [times, columns, outputs])).toEqual([
      ...[
        [7, 38, 204],
        [7, 67, 204],
      ],
      ...[
        [128, 1, 51],
        [64, 1, 51],
        [32, 1, 51],
      ],
    ]);
    const values = [...weights.front, ...weights.middle, weights.penultimate, weights.tags];
    for (const { kernel, bias } of values) {
      expect(kernel.every(Number.isFinite)).toBe(true);
      expect(bias.every(Number.isFinite)).toBe(true);
    }
    const size = values.reduce((sum, { kernel, bias }) => sum + kernel.length + bias.length, 0);
    const { front, middle, input, pool, penultimate } = weights;
    const norms = [input, pool, penultimate.norm, ...[...front, ...middle].map(({ norm }) => norm)];
    // A normalisation has four variables a channel, of which a scale and a shift are made.
    const normalised = norms.reduce((sum, { scale }) => sum + 4 * scale.length, 0);
    expect(size + normalised).toBe(792_079);
  });
});
