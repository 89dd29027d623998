/** Stage score: score the songs of a batch with its model and rank them among each other. */
import type { Prisma } from '../shared/database/generated/client.ts';
import { PermanentError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { percentileOf } from '../shared/learning/evaluation/index.ts';
import type { ScorePayload } from '../shared/stages.ts';
import { explainBatch } from './explain.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';
import { judgeAudio } from './judge-audio.ts';

export function buildScore(services: Services): Handler<'score'> {
  return {
    stage: 'score',
    run: (payload, context) => scoreBatch(payload, context, services),
    fail: async ({ batchId }, reason) => {
      const { prisma } = services.database;
      await prisma.song.updateMany({
        where: { batchId, state: { in: ['queued', 'fetched', 'ready'] } },
        data: { state: 'failed', failureReason: reason },
      });
      await closeBatch(prisma, batchId);
      return { subject: { subject: publicId('batch', batchId) } };
    },
  };
}

async function scoreBatch(
  { batchId }: ScorePayload,
  context: JobContext,
  services: Services,
): Promise<Outcome> {
  const { prisma } = services.database;
  const batch = await prisma.scoreBatch.findUnique({
    where: { id: batchId },
    include: {
      model: { include: { weights: true, dataSet: { include: { parameters: true } } } },
      songs: { where: { state: { in: ['ready', 'scored'] } }, orderBy: { id: 'asc' } },
    },
  });
  if (!batch) return { outcome: 'skipped', why: 'its row is gone' };
  if (batch.state !== 'running') return { outcome: 'skipped', why: `the batch is ${batch.state}` };
  const { model, songs } = batch;
  const hashes = songs.map((song) => song.contentHash!);
  const probabilities = await judgeAudio(services.database, services.judge(), model, hashes);

  const holdout = (model.holdoutScores ?? []) as number[];
  const rows = songs.flatMap((song, index) => {
    const probability = probabilities[index]!;
    if (probability === null) return [];
    // Ties share the better rank: nothing says which of them is ahead.
    const rank = 1 + probabilities.filter((other) => other !== null && other > probability).length;
    const percentile = percentileOf(probability, holdout);
    if (percentile === null)
      throw new PermanentError(`${publicId('model', model.id)} has no holdout to compare with`);
    return [{ songId: song.id, probability, percentile, rank }];
  });
  const scored = rows.map(({ songId }) => songId);
  const unheard = songs.map(({ id }) => id).filter((id) => !scored.includes(id));
  const failureReason = `${publicId('model', model.id)} (${model.name}) judges by the music tagger, which has not heard this song: run hiphop doctor --fix and score it again, or promote a model that does without`;
  await prisma.$transaction([
    prisma.score.deleteMany({ where: { song: { batchId } } }),
    prisma.score.createMany({ data: rows }),
    prisma.song.updateMany({ where: { id: { in: scored } }, data: { state: 'scored' } }),
    prisma.song.updateMany({ where: { id: { in: unheard } }, data: { state: 'failed', failureReason } }),
  ]);
  const { explained, failed } = await explainBatch(batchId, model, batch.explain, context, services);
  await closeBatch(prisma, batchId);
  const unexplained = failed > 0 ? `, ${failed} could not be` : '';
  const note = batch.explain > 0 ? `; ${explained} explained${unexplained}` : '';
  return { outcome: 'done', note: `${rows.length} songs${note}` };
}

async function closeBatch(prisma: Prisma.TransactionClient, batchId: number): Promise<void> {
  await prisma.scoreBatch.updateMany({
    where: { id: batchId, state: 'running' },
    data: { state: 'done', finishedAt: new Date() },
  });
}
