/** Stage score: score the songs of a batch with its model and rank them among each other. */
import type { Prisma, ScoreBatch, Song } from '../shared/database/generated/client.ts';
import { PermanentError } from '../shared/errors.ts';
import { recordFailure } from '../shared/failures.ts';
import { publicId } from '../shared/identifiers.ts';
import { percentileOf } from '../shared/learning/evaluation/index.ts';
import { recorder } from '../shared/metrics/recorder.ts';
import { rankBatch } from '../shared/scoring/ranking.ts';
import { type ExplainingModel, explainBatch, explainSong } from './explain.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';
import { judgeAudio } from './judge-audio.ts';
import { Familiarity } from './unfamiliarity.ts';
import { watchBatch } from './watch-batch.ts';

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

type BatchRow = ScoreBatch & { model: ExplainingModel };

/** Judge the songs that have not been, and rank all of the batch; again while more come meanwhile. */
async function scoreBatch(
  batchId: number,
  context: JobContext,
  services: Services,
  familiarity: Familiarity,
): Promise<Outcome> {
  const { prisma } = services.database;
  const total = { judged: 0, explained: 0, failed: 0 };
  let explain = 0;
  do {
    const batch = await prisma.scoreBatch.findUnique({
      where: { id: batchId },
      include: { model: { include: modelWithAll } },
    });
    if (!batch) return { outcome: 'skipped', why: 'its row is gone' };
    if (batch.state !== 'running') return { outcome: 'skipped', why: `the batch is ${batch.state}` };
    explain = batch.explain;
    total.judged += await judgeReady(batch, services, familiarity);
    const { explained, failed } = await whileWanted(batch, context, services, (wanted) =>
      explainBatch(batchId, batch.model, explain, wanted, services),
    );
    total.explained += explained;
    total.failed += failed;
    await closeBatch(services, batchId);
    // A song that became ready meanwhile has asked in vain: a job of this name was at work already.
  } while (await isComplete(services, batchId));
  const unexplained = total.failed > 0 ? `, ${total.failed} could not be` : '';
  const note = explain > 0 ? `; ${total.explained} explained${unexplained}` : '';
  return { outcome: 'done', note: `${total.judged} songs${note}` };
}

/** Judge the songs of a batch that are ready, and rank all of it. Returns how many were judged. */
async function judgeReady(
  { id: batchId, model, createdAt }: BatchRow,
  services: Services,
  familiarity: Familiarity,
): Promise<number> {
  const { prisma } = services.database;
  const songs = await prisma.song.findMany({ where: { batchId, state: 'ready' }, orderBy: { id: 'asc' } });
  const rows = songs.length === 0 ? [] : await judgeSongs(songs, model, services, familiarity);
  const scored = rows.map(({ songId }) => songId);
  const unheard = songs.filter(({ id }) => !scored.includes(id));
  const reason = `${publicId('model', model.id)} (${model.name}) judges by the music tagger, which has not heard this song: run hiphop doctor --fix and try it again, or promote a model that does without`;
  await prisma.$transaction(async (transaction) => {
    await transaction.score.deleteMany({ where: { songId: { in: songs.map(({ id }) => id) } } });
    // A song may have been deleted meanwhile.
    const there = await transaction.song.findMany({ where: { id: { in: scored } }, select: { id: true } });
    const ids = new Set(there.map(({ id }) => id));
    await transaction.score.createMany({ data: rows.filter(({ songId }) => ids.has(songId)) });
    await transaction.song.updateMany({ where: { id: { in: scored } }, data: { state: 'scored' } });
    for (const { id, file } of unheard) {
      // One that was deleted meanwhile has no failure either.
      const { count } = await transaction.song.updateMany({
        where: { id },
        data: { state: 'failed', failureReason: reason },
      });
      if (count === 0) continue;
      await recordFailure(transaction, {
        ...{ stage: 'score', kind: 'permanent', reason, attempts: 1 },
        ...{ subject: file, songId: id, payload: { batchId } },
      });
    }
    // That it could not be judged before is mended.
    await transaction.failure.updateMany({
      where: { stage: 'score', subject: publicId('batch', batchId), state: { in: ['open', 'retried'] } },
      data: { state: 'resolved' },
    });
    await rankBatch(transaction, batchId);
  });
  // A song that is judged again has been waited for since then alone.
  const since = (song: Song) => Math.max(song.createdAt.getTime(), createdAt.getTime());
  countLatency(songs.filter(({ id }) => scored.includes(id)).map(since));
  return rows.length;
}

/** Whether a batch that runs has songs to be judged and none on their way. */
async function isComplete({ database: { prisma } }: Services, batchId: number): Promise<boolean> {
  const [ready, underWay] = await Promise.all([
    prisma.song.count({ where: { batchId, state: 'ready', batch: { state: 'running' } } }),
    prisma.song.count({ where: { batchId, state: { in: ['queued', 'fetched'] } } }),
  ]);
  return ready > 0 && underWay === 0;
}

/** Do work on a batch that stops when the batch is cancelled or deleted. */
async function whileWanted<T>(
  { id, state }: Pick<ScoreBatch, 'id' | 'state'>,
  context: JobContext,
  { database }: Services,
  work: (wanted: JobContext) => Promise<T>,
): Promise<T> {
  const watch = watchBatch(database, id, state);
  try {
    return await work({ ...context, signal: AbortSignal.any([context.signal, watch.signal]) });
  } finally {
    watch.stop();
  }
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
  const { explained } = await whileWanted(batch, context, services, (wanted) =>
    explainSong(songId, batch.model, wanted, services),
  );
  return { outcome: 'done', note: explained ? 'explained' : 'there was nothing to explain, or it failed' };
}

/** @param since when those who brought the songs began to wait for their first scores, in ms since 1970 */
function countLatency(since: readonly number[]): void {
  for (const began of since) {
    recorder.observe('hiphop_score_latency_seconds', {}, Math.max(0, (Date.now() - began) / 1_000));
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
