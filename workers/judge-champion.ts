/** Before models challenge a champion of another data set, it has to judge the songs that they were judged by. */
import { readFacts } from '../shared/data-sets/facts.ts';
import type { Model, PrismaClient } from '../shared/database/generated/client.ts';
import { CancelledError } from '../shared/errors.ts';
import {
  findChampion,
  type HoldoutTrack,
  modelTitle,
  type StoredPrediction,
  storePredictions,
  unfamiliarHoldout,
  unfitReason,
} from '../shared/registry/index.ts';
import type { ModelOptions } from '../shared/training-options.ts';
import type { JobContext, Services } from './handler.ts';
import { judgeAudio } from './judge-audio.ts';

/**
 * Let the champion judge the holdout of a data set that is not its own, as far as it cannot know it, and
 * keep what it says: what its challengers are compared by. A champion that cannot is no obstacle to them.
 */
export async function judgeChampion(
  dataSetId: number,
  context: JobContext,
  services: Services,
): Promise<void> {
  const { prisma } = services.database;
  const champion = await findChampion(prisma);
  if (!champion || champion.dataSetId === dataSetId || unfitReason(champion) !== null) return;
  try {
    const predictions = await predict(champion.id, dataSetId, context.signal, services);
    await storePredictions(prisma, champion.id, predictions);
    if (predictions.length > 0) {
      context.log.info({ songs: predictions.length }, `${modelTitle(champion)} has judged the new holdout`);
    }
  } catch (error) {
    if (error instanceof CancelledError || context.signal.aborted) throw error;
    // The training is done and kept; the decision says that there was nothing to compare by.
    context.log.error({ err: error }, `the champion ${modelTitle(champion)} could not judge the new holdout`);
  }
}

async function predict(
  championId: number,
  dataSetId: number,
  signal: AbortSignal,
  services: Services,
): Promise<StoredPrediction[]> {
  const { prisma } = services.database;
  const champion = await prisma.model.findUniqueOrThrow({
    where: { id: championId },
    include: { weights: true, dataSet: true },
  });
  const holdout = await unfamiliarHoldout(prisma, champion.dataSetId, dataSetId);
  if (!holdout) return [];
  const judged = await judgedAlready(prisma, championId);
  const heard = await withSpectrogram(prisma, champion.dataSet.parametersHash, holdout);
  const tracks = heard.filter(({ trackId }) => !judged.has(trackId));
  const hashes = tracks.map(({ contentHash }) => contentHash);
  const facts = await factsOf(services, champion, dataSetId, tracks);
  // The process that has just trained is free, and songs of people do not wait behind this.
  const trainer = services.trainer();
  const probabilities = await judgeAudio(services.database, trainer, champion, hashes, { signal, facts });
  return tracks.flatMap(({ trackId, popularity }, index) => {
    const probability = probabilities[index]!;
    const popular = popularity >= champion.dataSet.threshold;
    return probability === null ? [] : [{ trackId, side: 'holdout' as const, probability, popular }];
  });
}

/** What the champion judges by beside the audio, of tracks of a data set; null: nothing. */
async function factsOf(
  { database }: Services,
  champion: Model,
  dataSetId: number,
  tracks: readonly HoldoutTrack[],
): Promise<number[][] | null> {
  const { features = [] } = champion.options as unknown as ModelOptions;
  const facts = await readFacts(database.pool, dataSetId, features);
  if (!facts) return null;
  const rows = await database.prisma.dataSetTrack.findMany({
    where: { dataSetId },
    orderBy: { trackId: 'asc' },
    select: { trackId: true },
  });
  const byTrack = new Map(rows.map(({ trackId }, index) => [trackId, facts[index]!]));
  return tracks.map(({ trackId }) => byTrack.get(trackId)!);
}

async function judgedAlready(prisma: PrismaClient, modelId: number): Promise<Set<number>> {
  const rows = await prisma.modelPrediction.findMany({
    where: { modelId, side: 'holdout' },
    select: { trackId: true },
  });
  return new Set(rows.map(({ trackId }) => trackId));
}

/** Those of the tracks that have a spectrogram of the parameters that the model hears by. */
async function withSpectrogram<T extends { contentHash: string }>(
  prisma: PrismaClient,
  parametersHash: string,
  tracks: readonly T[],
): Promise<T[]> {
  const rows = await prisma.$queryRaw<{ contentHash: string }[]>`
    SELECT content_hash AS "contentHash" FROM spectrograms
    WHERE parameters_hash = ${parametersHash} AND content_hash = ANY(${tracks.map(({ contentHash }) => contentHash)})`;
  const stored = new Set(rows.map(({ contentHash }) => contentHash));
  return tracks.filter(({ contentHash }) => stored.has(contentHash));
}
