/** Stage score: score the songs of a batch with its model and rank them among each other. */
import { createHash } from 'node:crypto';
import { readSpectrograms } from '../shared/data-set-cache.ts';
import type { Prisma } from '../shared/database/generated/client.ts';
import { PermanentError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import type { JsonObject } from '../shared/learning/family.ts';
import { percentileOf } from '../shared/learning/metrics.ts';
import type { ScorePayload } from '../shared/stages.ts';
import type { Handler, Outcome, Services } from './handler.ts';

/** Spectrograms handed to the learner at once. */
const chunk = 32;

export function buildScore(services: Services): Handler<'score'> {
  return {
    stage: 'score',
    run: (payload) => scoreBatch(payload, services),
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

async function scoreBatch({ batchId }: ScorePayload, services: Services): Promise<Outcome> {
  const { prisma } = services.database;
  const batch = await prisma.scoreBatch.findUnique({
    where: { id: batchId },
    include: {
      model: { include: { weights: true, dataSet: { select: { parametersHash: true } } } },
      songs: { where: { state: { in: ['ready', 'scored'] } }, orderBy: { id: 'asc' } },
    },
  });
  if (!batch) return { outcome: 'skipped', why: 'its row is gone' };
  if (batch.state !== 'running') return { outcome: 'skipped', why: `the batch is ${batch.state}` };
  const { model, songs } = batch;
  const { weights } = model;
  if (!weights)
    throw new PermanentError(`${publicId('model', model.id)} has no weights: it is ${model.state}`);
  if (createHash('sha256').update(weights.bytes).digest('hex') !== weights.sha256) {
    throw new PermanentError(`the weights of ${publicId('model', model.id)} are damaged: train it again`);
  }

  const { parametersHash } = model.dataSet;
  const probabilities: number[] = [];
  for (let start = 0; start < songs.length; start += chunk) {
    const spectrograms = await readSpectrograms(
      prisma,
      songs.slice(start, start + chunk).map((song) => ({ contentHash: song.contentHash!, parametersHash })),
    );
    const stored = { name: model.name, topology: model.topology as JsonObject, weights: weights.bytes };
    probabilities.push(...(await services.judge().score(stored, spectrograms)));
  }

  const holdout = (model.holdoutScores ?? []) as number[];
  const rows = songs.map((song, index) => {
    const probability = probabilities[index]!;
    // Ties share the better rank: nothing says which of them is ahead.
    const rank = 1 + probabilities.filter((other) => other > probability).length;
    const percentile = percentileOf(probability, holdout);
    if (percentile === null)
      throw new PermanentError(`${publicId('model', model.id)} has no holdout to compare with`);
    return { songId: song.id, probability, percentile, rank };
  });
  await prisma.$transaction([
    prisma.score.deleteMany({ where: { song: { batchId } } }),
    prisma.score.createMany({ data: rows }),
    prisma.song.updateMany({ where: { id: { in: songs.map(({ id }) => id) } }, data: { state: 'scored' } }),
    prisma.scoreBatch.update({ where: { id: batchId }, data: { state: 'done', finishedAt: new Date() } }),
  ]);
  return { outcome: 'done', note: `${rows.length} songs` };
}

async function closeBatch(prisma: Prisma.TransactionClient, batchId: number): Promise<void> {
  await prisma.scoreBatch.updateMany({
    where: { id: batchId, state: 'running' },
    data: { state: 'done', finishedAt: new Date() },
  });
}
