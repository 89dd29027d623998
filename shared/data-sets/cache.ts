/**
 * A worker's local copy of a data set's spectrograms, so that an epoch does not read the database
 * again. Made from the database when missing or damaged; safe to delete at any time.
 */
import { join } from 'node:path';
import type { SpectrogramParameters } from './audio/parameters.ts';
import type {
  DataSet,
  SpectrogramParameters as ParametersRow,
  PrismaClient,
} from './database/generated/client.ts';
import { openShards, ShardError, writeShards } from './learning/shards.ts';
import type { Spectrogram, SpectrogramSource } from './learning/spectrograms.ts';
import type { TrainTask } from './learning/task.ts';
import type { Logger } from './logging.ts';

/** Spectrograms read from the database at once. */
const chunk = 64;

/** Names a stored spectrogram. */
export interface SpectrogramKey {
  contentHash: string;
  parametersHash: string;
}

export interface CachedDataSet {
  /** Folder of the shards; record i of them belongs to `records[i]`. */
  folder: string;
  records: TrainTask['records'];
}

/** The data set's rows and, on disk, their spectrograms in the same order. */
export async function cacheDataSet(
  prisma: PrismaClient,
  dataSet: DataSet & { parameters: ParametersRow },
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
  return { folder, records: rows.map(({ popularity, split, group }) => ({ popularity, split, group })) };
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
