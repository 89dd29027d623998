import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Spectrogram, SpectrogramSource } from './spectrograms.ts';

/*
 * The local cache of a data set: `manifest.json` and files of fixed-size records, little-endian:
 * uint32 frames, then bands x maximum frames bytes, of which the first bands x frames are the levels
 * [bands, frames] and the rest 0.
 */

/** The cache is missing, partial or damaged: remove it and build it again. */
export class ShardError extends Error {
  override readonly name = 'ShardError';
}

/** What a cache holds, as its builder says. */
export interface ShardManifest {
  readonly bands: number;
  /** The most frames of a record. */
  readonly frames: number;
  /** Names the data: the data set's content hash and whatever else must match for it to be used. */
  readonly key: string;
}

interface StoredManifest extends ShardManifest {
  readonly format: 1;
  readonly count: number;
  readonly recordsPerShard: number;
  readonly shards: readonly { readonly file: string; readonly sha256: string }[];
}

/** An opened cache: reads by index; `close` gives the files back. */
export interface Shards extends SpectrogramSource {
  readonly key: string;
  close(): Promise<void>;
}

const headerBytes = 4;
/** Large enough to read sequentially, small enough to hash again in a tenth of a second. */
const shardBytesAimedAt = 64 * 1024 * 1024;
const manifestFile = 'manifest.json';

function recordBytesOf({ bands, frames }: ShardManifest): number {
  return headerBytes + bands * frames;
}

function encode({ levels, frames }: Spectrogram, manifest: ShardManifest): Uint8Array {
  if (frames < 1 || frames > manifest.frames || levels.length !== manifest.bands * frames) {
    throw new Error(
      `a spectrogram of ${levels.length} levels and ${frames} frames does not fit ${manifest.bands} bands x ${manifest.frames} frames`,
    );
  }
  const record = new Uint8Array(recordBytesOf(manifest));
  new DataView(record.buffer).setUint32(0, frames, true);
  record.set(levels, headerBytes);
  return record;
}

/**
 * Write a cache, all or nothing: it is built beside the folder and renamed into place.
 * When another process was faster, its cache is kept (or replaced, should it be damaged).
 *
 * @param folder where the cache will be; its parent is made.
 * @param spectrograms in the order of the data set's tracks, streamed: one shard is held at a time.
 * @returns the number of records.
 */
export async function writeShards(
  folder: string,
  manifest: ShardManifest,
  spectrograms: AsyncIterable<Spectrogram> | Iterable<Spectrogram>,
): Promise<number> {
  await mkdir(dirname(folder), { recursive: true });
  const building = `${folder}.building-${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(building);
  try {
    const recordsPerShard = Math.max(1, Math.floor(shardBytesAimedAt / recordBytesOf(manifest)));
    const shards: { file: string; sha256: string }[] = [];
    let records: Uint8Array[] = [];
    let count = 0;
    const flush = async (): Promise<void> => {
      const bytes = Buffer.concat(records);
      const file = `shard-${String(shards.length).padStart(5, '0')}.bin`;
      await writeFile(join(building, file), bytes, { flush: true });
      shards.push({ file, sha256: createHash('sha256').update(bytes).digest('hex') });
      records = [];
    };
    for await (const spectrogram of spectrograms) {
      records.push(encode(spectrogram, manifest));
      count++;
      if (records.length === recordsPerShard) await flush();
    }
    if (records.length > 0) await flush();
    const { bands, frames, key } = manifest;
    const stored: StoredManifest = { format: 1, ...{ bands, frames, key, count, recordsPerShard, shards } };
    await writeFile(join(building, manifestFile), `${JSON.stringify(stored, null, 1)}\n`, { flush: true });
    await moveIntoPlace(building, folder, manifest.key);
    return count;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

async function moveIntoPlace(building: string, folder: string, key: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(building, folder);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(code) || attempt === 3) throw error;
    }
    try {
      const existing = await openShards(folder);
      await existing.close();
      if (existing.key === key) return;
    } catch (error) {
      if (!(error instanceof ShardError)) throw error;
    }
    await rm(folder, { recursive: true, force: true });
  }
}

async function readManifest(folder: string): Promise<StoredManifest> {
  let manifest: StoredManifest;
  try {
    manifest = JSON.parse(await readFile(join(folder, manifestFile), 'utf8')) as StoredManifest;
  } catch (error) {
    throw new ShardError(`the data set's cache in ${folder} cannot be read: ${(error as Error).message}`);
  }
  const { format, bands, frames, count, recordsPerShard, shards } = manifest;
  const wholes = [bands, frames, count, recordsPerShard].every(
    (value) => Number.isInteger(value) && value >= 0,
  );
  if (
    format !== 1 ||
    !wholes ||
    !Array.isArray(shards) ||
    shards.length !== Math.ceil(count / recordsPerShard)
  ) {
    throw new ShardError(`the data set's cache in ${folder} has a manifest of another format`);
  }
  return manifest;
}

/**
 * Open a cache after checking every shard's size and sha256.
 *
 * @throws ShardError when it is missing, partial or damaged.
 */
export async function openShards(folder: string): Promise<Shards> {
  const manifest = await readManifest(folder);
  const recordBytes = recordBytesOf(manifest);
  const handles: FileHandle[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(handles.splice(0).map((handle) => handle.close()));
  };
  try {
    for (const [number, { file, sha256 }] of manifest.shards.entries()) {
      const records = Math.min(manifest.recordsPerShard, manifest.count - number * manifest.recordsPerShard);
      const bytes = await readFile(join(folder, file));
      if (
        bytes.length !== records * recordBytes ||
        createHash('sha256').update(bytes).digest('hex') !== sha256
      ) {
        throw new ShardError(`the data set's cache in ${folder} is damaged: ${file}`);
      }
      handles.push(await open(join(folder, file)));
    }
  } catch (error) {
    await close();
    if (error instanceof ShardError) throw error;
    throw new ShardError(`the data set's cache in ${folder} is partial: ${(error as Error).message}`);
  }

  const { bands, frames, count, key } = manifest;
  const read = async (index: number): Promise<Spectrogram> => {
    const handle = handles[Math.floor(index / manifest.recordsPerShard)];
    if (!handle || index < 0 || index >= count) throw new RangeError(`no record ${index} of ${count}`);
    const record = new Uint8Array(recordBytes);
    const { bytesRead } = await handle.read(
      record,
      0,
      recordBytes,
      (index % manifest.recordsPerShard) * recordBytes,
    );
    const trueFrames = new DataView(record.buffer).getUint32(0, true);
    if (bytesRead !== recordBytes || trueFrames < 1 || trueFrames > frames) {
      throw new ShardError(`the data set's cache in ${folder} changed while it was read`);
    }
    return { levels: record.subarray(headerBytes, headerBytes + bands * trueFrames), frames: trueFrames };
  };
  return { bands, frames, count, key, read, close };
}
