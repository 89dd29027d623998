/** Stage score: score the songs of a batch with its model and rank them among each other. */
import type { Prisma, Song } from '../shared/database/generated/client.ts';
import { PermanentError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { percentileOf } from '../shared/learning/evaluation/index.ts';
import { recorder } from '../shared/metrics/recorder.ts';
import { rankBatch } from '../shared/scoring/ranking.ts';
import { type ExplainingModel, explainBatch, explainSong } from './explain.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';
import { judgeAudio } from './judge-audio.ts';
import { Familiarity } from './unfamiliarity.ts';

export function buildScore(services: Services): Handler<'score'> {
  const familiarity = new Familiarity(services.database);
  return {
    stage: 'score',
    run: ({ batchId, songId }, context) =>
      songId === undefined
        ? scoreBatch(batchId, context, services, familiarity)
        : explainAgain(batchId, songId, context, services),
    fail: async ({ batchId, songId }, reason) => {
      const { prisma } = services.database;
      if (songId !== undefined) return { subject: { subject: publicId('song', songId) } };
      // Those that are still under way bring another try with them.
      await prisma.song.updateMany({
        where: { batchId, state: 'ready' },
        data: { state: 'failed', failureReason: reason },
      });
      await closeBatch(services, batchId);
      return { subject: { subject: publicId('batch', batchId) } };
    },
  };
}

const modelWithAll = { weights: true, dataSet: { include: { parameters: true } } } as const;

/** Judge the songs that have not been, and rank all of the batch. */
async function scoreBatch(
  batchId: number,
  context: JobContext,
  services: Services,
  familiarity: Familiarity,
): Promise<Outcome> {
  const { prisma } = services.database;
  const batch = await prisma.scoreBatch.findUnique({
    where: { id: batchId },
    include: {
      model: { include: modelWithAll },
      songs: { where: { state: 'ready' }, orderBy: { id: 'asc' } },
    },
  });
  if (!batch) return { outcome: 'skipped', why: 'its row is gone' };
  if (batch.state !== 'running') return { outcome: 'skipped', why: `the batch is ${batch.state}` };
  const { model, songs } = batch;
  const rows = await judgeSongs(songs, model, services, familiarity);
  const scored = rows.map(({ songId }) => songId);
  const unheard = songs.map(({ id }) => id).filter((id) => !scored.includes(id));
  const failureReason = `${publicId('model', model.id)} (${model.name}) judges by the music tagger, which has not heard this song: run hiphop doctor --fix and score it again, or promote a model that does without`;
  await prisma.$transaction(async (transaction) => {
    await transaction.score.deleteMany({ where: { songId: { in: songs.map(({ id }) => id) } } });
    // A song may have been deleted meanwhile.
    const there = await transaction.song.findMany({ where: { id: { in: scored } }, select: { id: true } });
    const ids = new Set(there.map(({ id }) => id));
    await transaction.score.createMany({ data: rows.filter(({ songId }) => ids.has(songId)) });
    await transaction.song.updateMany({ where: { id: { in: scored } }, data: { state: 'scored' } });
    await transaction.song.updateMany({
      where: { id: { in: unheard } },
      data: { state: 'failed', failureReason },
    });
    await rankBatch(transaction, batchId);
  });
  countLatency(songs.filter(({ id }) => scored.includes(id)));
  const { explained, failed } = await explainBatch(batchId, model, batch.explain, context, services);
  await closeBatch(services, batchId);
  const unexplained = failed > 0 ? `, ${failed} could not be` : '';
  const note = batch.explain > 0 ? `; ${explained} explained${unexplained}` : '';
  return { outcome: 'done', note: `${rows.length} songs${note}` };
}

/** @returns scores of those that the model can judge; their rank is not known yet */
async function judgeSongs(
  songs: readonly Song[],
  model: ExplainingModel,
  services: Services,
  familiarity: Familiarity,
): Promise<Prisma.ScoreCreateManyInput[]> {
  const hashes = songs.map((song) => song.contentHash!);
  const probabilities = await judgeAudio(services.database, services.judge(), model, hashes);
  const compared = await familiarity.of(model.dataSet, hashes);
  const holdout = (model.holdoutScores ?? []) as number[];
  return songs.flatMap((song, index) => {
    const probability = probabilities[index]!;
    if (probability === null) return [];
    const percentile = percentileOf(probability, holdout);
    if (percentile === null)
      throw new PermanentError(`${publicId('model', model.id)} has no holdout to compare with`);
    return [{ songId: song.id, probability, percentile, rank: 0, ...compared[index] }];
  });
}

async function explainAgain(
  batchId: number,
  songId: number,
  context: JobContext,
  services: Services,
): Promise<Outcome> {
  const batch = await services.database.prisma.scoreBatch.findUnique({
    where: { id: batchId },
    include: { model: { include: modelWithAll } },
  });
  if (!batch) return { outcome: 'skipped', why: 'its row is gone' };
  const { explained } = await explainSong(songId, batch.model, context, services);
  return { outcome: 'done', note: explained ? 'explained' : 'there was nothing to explain, or it failed' };
}

/** How long those who brought the songs have waited for their first scores. */
function countLatency(songs: readonly { createdAt: Date }[]): void {
  for (const { createdAt } of songs) {
    const seconds = (Date.now() - createdAt.getTime()) / 1_000;
    recorder.observe('hiphop_score_latency_seconds', {}, Math.max(0, seconds));
  }
}

/** A batch is done when none of its songs is under way: others may have been added while this one was scored. */
async function closeBatch({ database }: Services, batchId: number): Promise<void> {
  await database.prisma.scoreBatch.updateMany({
    where: {
      ...{ id: batchId, state: 'running' },
      songs: { none: { state: { in: ['queued', 'fetched', 'ready'] } } },
    },
    data: { state: 'done', finishedAt: new Date() },
  });
}
