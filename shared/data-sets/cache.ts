/**
 * A worker's local copy of a data set's spectrograms, so that an epoch does not read the database
 * again. Made from the database when missing or damaged; safe to delete at any time.
 */
import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpectrogramParameters } from '../audio/parameters.ts';
import { countEmbeddings, readEmbeddings } from '../database/embeddings.ts';
import type {
  DataSet,
  SpectrogramParameters as ParametersRow,
  PrismaClient,
} from '../database/generated/client.ts';
import type { Database } from '../database/index.ts';
import { writeEmbeddings } from '../learning/embeddings-file.ts';
import { openShards, ShardError, writeShards } from '../learning/shards.ts';
import type { Spectrogram, SpectrogramSource } from '../learning/spectrograms.ts';
import type { TrainTask } from '../learning/task.ts';
import type { Logger } from '../logging.ts';
import { taggerName } from '../tagger/provision.ts';
import type { FeatureGroup } from '../training-options.ts';
import { readFacts } from './facts.ts';
import { readOrigins } from './origins.ts';

/** Spectrograms read from the database at once. */
const chunk = 64;

/** Names a stored spectrogram. */
export interface SpectrogramKey {
  contentHash: string;
  parametersHash: string;
}

/** What of a training's task is the data set's. */
export type CachedDataSet = Pick<TrainTask, 'shardsFolder' | 'embeddingsFile' | 'facts' | 'records'>;

/**
 * The data set's rows and, on disk, their spectrograms and embeddings in the same order.
 * @param features which facts beside the audio models may use.
 */
export async function cacheDataSet(
  { prisma, pool }: Database,
  dataSet: DataSet & { parameters: ParametersRow },
  features: readonly FeatureGroup[],
  dataDir: string,
  log: Logger,
): Promise<CachedDataSet> {
  const rows = await prisma.dataSetTrack.findMany({
    where: { dataSetId: dataSet.id },
    orderBy: { trackId: 'asc' },
  });
  const key = `${dataSet.contentHash} ${dataSet.parametersHash} ${dataSet.id}`;
  const folder = join(dataDir, 'cache', 'data-sets', `${dataSet.id}-${dataSet.contentHash.slice(0, 16)}`);
  if (!(await isCached(folder, key))) {
    log.info({ folder, spectrograms: rows.length }, 'reading the data set from the database, once');
    const shape = spectrogramShape(dataSet.parameters);
    await writeShards(folder, { ...shape, key }, spectrogramsOf(prisma, rows));
  }
  const origins = await readOrigins(pool, dataSet.id);
  return {
    shardsFolder: folder,
    embeddingsFile: await cacheEmbeddings(pool, folder, rows),
    facts: await readFacts(pool, dataSet.id, features),
    records: rows.map(({ popularity, split, group }, i) => ({ popularity, split, group, ...origins[i]! })),
  };
}

/** Tracks may be described after the data set was frozen: the file's name says how many are in it. */
async function cacheEmbeddings(
  pool: Database['pool'],
  folder: string,
  rows: readonly SpectrogramKey[],
): Promise<string | null> {
  const hashes = rows.map((row) => row.contentHash);
  const size = await countEmbeddings(pool, hashes, taggerName);
  if (size === 0) return null;
  const file = join(folder, `embeddings-${taggerName}-${size}.f32`);
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (!exists) {
    const partial = `${file}.${process.pid}`;
    await writeEmbeddings(partial, embeddingsOf(pool, hashes));
    await rename(partial, file);
  }
  return file;
}

async function* embeddingsOf(pool: Database['pool'], hashes: readonly string[]) {
  for (let start = 0; start < hashes.length; start += chunk) {
    const part = hashes.slice(start, start + chunk);
    const found = await readEmbeddings(pool, part, taggerName);
    for (const hash of part) yield found.get(hash) ?? null;
  }
}

async function isCached(folder: string, key: string): Promise<boolean> {
  try {
    const shards = await openShards(folder);
    await shards.close();
    return shards.key === key;
  } catch (error) {
    if (error instanceof ShardError) return false;
    throw error;
  }
}

/** Bands, and the most frames, of spectrograms made with these parameters. */
export function spectrogramShape(row: ParametersRow): { bands: number; frames: number } {
  const { bands, seconds, sampleRate, hop } = row.parameters as unknown as SpectrogramParameters;
  return { bands, frames: 1 + Math.floor((seconds * sampleRate) / hop) };
}

/** Spectrograms read from the database one by one, as they are asked for. */
export function databaseSource(
  prisma: PrismaClient,
  keys: readonly SpectrogramKey[],
  parameters: ParametersRow,
): SpectrogramSource {
  return {
    ...spectrogramShape(parameters),
    count: keys.length,
    read: async (index) => (await readSpectrograms(prisma, keys.slice(index, index + 1)))[0]!,
  };
}

/** The spectrograms of keys, in their order, a chunk at a time so that memory stays bounded. */
async function* spectrogramsOf(
  prisma: PrismaClient,
  keys: readonly SpectrogramKey[],
): AsyncGenerator<Spectrogram> {
  for (let start = 0; start < keys.length; start += chunk) {
    yield* await readSpectrograms(prisma, keys.slice(start, start + chunk));
  }
}

/**
 * Read spectrograms in the order of their keys.
 * @throws Error when one of them is not stored
 */
export async function readSpectrograms(
  prisma: PrismaClient,
  keys: readonly SpectrogramKey[],
): Promise<(Spectrogram & { bands: number })[]> {
  const found = await prisma.spectrogram.findMany({
    where: {
      contentHash: { in: keys.map((key) => key.contentHash) },
      parametersHash: { in: [...new Set(keys.map((key) => key.parametersHash))] },
    },
    select: { contentHash: true, parametersHash: true, levels: true, bands: true, frames: true },
  });
  const byKey = new Map(found.map((row) => [`${row.contentHash} ${row.parametersHash}`, row]));
  return keys.map((key) => {
    const row = byKey.get(`${key.contentHash} ${key.parametersHash}`);
    if (!row) throw new Error(`no spectrogram of ${key.contentHash} with ${key.parametersHash} is stored`);
    return row;
  });
}
