import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openShards, ShardError, writeShards } from '../../../shared/learning/shards.ts';
import type { Spectrogram } from '../../../shared/learning/spectrograms.ts';

const manifest = { bands: 128, frames: 1292, key: 'a data set' };
let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'shards-'));
  folder = join(parent, 'cache', 'set');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

function spectrogram(index: number): Spectrogram {
  const frames = 1292 - (index % 5) * 300;
  return {
    frames,
    levels: Uint8Array.from({ length: 128 * frames }, (_, cell) => (cell * 31 + index * 7) & 255),
  };
}

async function* some(count: number): AsyncGenerator<Spectrogram> {
  for (let index = 0; index < count; index++) yield spectrogram(index);
}

describe('shards', () => {
  it('give back what was written, across several files, in any order', async () => {
    expect(await writeShards(folder, manifest, some(410))).toBe(410);
    expect((await readdir(folder)).length).toBeGreaterThan(2);
    const shards = await openShards(folder);
    expect(shards).toMatchObject({ count: 410, ...manifest });
    for (const index of [409, 0, 404, 405, 406, 17]) {
      const read = await shards.read(index);
      expect(read.frames).toBe(spectrogram(index).frames);
      expect(Buffer.compare(read.levels, spectrogram(index).levels)).toBe(0);
    }
    await expect(shards.read(410)).rejects.toThrow(RangeError);
    await expect(shards.read(-1)).rejects.toThrow(RangeError);
    await shards.close();
    expect(await readdir(join(parent, 'cache'))).toEqual(['set']);
  });

  it('leave nothing behind when the source fails', async () => {
    async function* failing() {
      yield spectrogram(0);
      throw new Error('the database went away');
    }
    await expect(writeShards(folder, manifest, failing())).rejects.toThrow('went away');
    expect(await readdir(join(parent, 'cache'))).toEqual([]);
    await expect(openShards(folder)).rejects.toThrow(ShardError);
  });

  it.each<[string, (file: string) => Promise<void>]>([
    [
      'a flipped byte',
      async (file) => {
        const bytes = await readFile(file);
        bytes[1000]! ^= 1;
        await writeFile(file, bytes);
      },
    ],
    ['a cut file', (file) => truncate(file, 1000)],
    ['a longer file', (file) => appendFile(file, 'x')],
    ['a missing file', (file) => rm(file)],
    ['a broken manifest', (file) => writeFile(join(file, '..', 'manifest.json'), '{"format":1')],
    ['a manifest of another format', (file) => writeFile(join(file, '..', 'manifest.json'), '{"format":2}')],
  ])('are refused with %s, and can be built again', async (_, damage) => {
    await writeShards(folder, manifest, some(3));
    await damage(join(folder, 'shard-00000.bin'));
    await expect(openShards(folder)).rejects.toThrow(ShardError);
    await writeShards(folder, manifest, some(3));
    await (await openShards(folder)).close();
  });

  it('can be built by two at once', async () => {
    await Promise.all([writeShards(folder, manifest, some(5)), writeShards(folder, manifest, some(5))]);
    await (await openShards(folder)).close();
    expect(await readdir(join(parent, 'cache'))).toEqual(['set']);
  });

  it('refuse a spectrogram of another size', async () => {
    await expect(writeShards(folder, manifest, [{ levels: new Uint8Array(10), frames: 5 }])).rejects.toThrow(
      /does not fit/,
    );
  });
});
