import { type EmbeddingsFile, openEmbeddings } from './embeddings-file.ts';
import { openShards } from './shards.ts';
import type { Spectrogram, SpectrogramSource } from './spectrograms.ts';
import type { TrainTask } from './task.ts';

/** All that a model may judge a recording by. */
export interface Recording extends Spectrogram {
  /** What the music tagger says of it (shared/tagger/embedding.ts); null where it was not asked. */
  readonly embedding: Float32Array | null;
  /** What is known beside the audio (features/facts.ts), NaN where unknown; null where no model may use it. */
  readonly facts: Float32Array | null;
}

/** The recordings of a data set by index, each part read when asked for. */
export interface RecordingSource extends SpectrogramSource {
  /** Null where the tagger was not asked. */
  embedding(index: number): Promise<Float32Array | null>;
  /** Null where the training does without. */
  facts(index: number): Float32Array | null;
}

/** Serve spectrograms of which nothing else is known. */
export function audioOnly(spectrograms: SpectrogramSource): RecordingSource {
  return {
    ...{ count: spectrograms.count, bands: spectrograms.bands, frames: spectrograms.frames },
    read: (index) => spectrograms.read(index),
    embedding: async () => null,
    facts: () => null,
  };
}

/** Read all of one recording. */
export async function readRecording(source: RecordingSource, index: number): Promise<Recording> {
  const { levels, frames } = await source.read(index);
  return { levels, frames, embedding: await source.embedding(index), facts: source.facts(index) };
}

/**
 * Open a training's recordings from the files that its task names.
 * @throws ShardError when a file is damaged: build the cache again.
 */
export async function openRecordings({
  shardsFolder,
  embeddingsFile,
  facts,
  records,
}: Pick<TrainTask, 'shardsFolder' | 'embeddingsFile' | 'facts' | 'records'>): Promise<
  RecordingSource & { close(): Promise<void> }
> {
  const shards = await openShards(shardsFolder);
  let embeddings: EmbeddingsFile | null = null;
  try {
    if (embeddingsFile !== null) embeddings = await openEmbeddings(embeddingsFile, records.length);
  } catch (error) {
    await shards.close();
    throw error;
  }
  const rows = facts?.map((row) => Float32Array.from(row));
  return {
    ...audioOnly(shards),
    embedding: async (index) => embeddings?.read(index) ?? null,
    facts: (index) => rows?.[index] ?? null,
    close: async () => {
      await shards.close();
      await embeddings?.close();
    },
  };
}
