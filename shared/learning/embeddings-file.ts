/*
 * A data set's embeddings as one file on the machine that trains: float32 little-endian, one embedding
 * after another in the order of the shards, all NaN where the tagger was not asked.
 */
import { open } from 'node:fs/promises';
import { embeddingValues } from '../tagger/embedding.ts';
import { ShardError } from './shards.ts';

const bytesEach = 4 * embeddingValues;

/** Write the embeddings of a data set's tracks, in its order; null where there is none. */
export async function writeEmbeddings(
  file: string,
  embeddings: AsyncIterable<Float32Array | null>,
): Promise<void> {
  const missing = new Float32Array(embeddingValues).fill(Number.NaN);
  const handle = await open(file, 'w');
  try {
    for await (const embedding of embeddings) {
      const { buffer, byteOffset, byteLength } = embedding ?? missing;
      await handle.write(new Uint8Array(buffer, byteOffset, byteLength));
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export interface EmbeddingsFile {
  /** Null where the tagger was not asked. */
  read(index: number): Promise<Float32Array | null>;
  close(): Promise<void>;
}

/**
 * Open what `writeEmbeddings` wrote.
 * @throws ShardError when it is not for `count` tracks.
 */
export async function openEmbeddings(file: string, count: number): Promise<EmbeddingsFile> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new ShardError(`${file} cannot be read (${error.code}): build the cache again`);
  });
  const { size } = await handle.stat();
  if (size !== count * bytesEach) {
    await handle.close();
    throw new ShardError(`${file} is not for ${count} tracks: build the cache again`);
  }
  return {
    read: async (index) => {
      const values = new Float32Array(embeddingValues);
      await handle.read(new Uint8Array(values.buffer), 0, bytesEach, index * bytesEach);
      return Number.isNaN(values[0]!) ? null : values;
    },
    close: () => handle.close(),
  };
}
