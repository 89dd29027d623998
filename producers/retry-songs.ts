/** Songs that failed, put back to their first stage; their batch runs again. */
import { publicId } from '../shared/identifiers.ts';
import type { Session } from './session.ts';

export const gone = 'what it was about is gone';

/**
 * Try songs of a batch again.
 * @param songIds these; left out: those whose audio was good and that failed when they were to be judged
 * @returns why that cannot be, or null when their jobs are in the queue
 */
export async function retrySongs(
  { database: { prisma }, queues }: Session,
  batchId: number,
  songIds?: readonly number[],
): Promise<string | null> {
  const batch = await prisma.scoreBatch.findUnique({
    where: { id: batchId },
    select: { model: { select: { dataSet: { select: { parametersHash: true } } } } },
  });
  if (!batch) return gone;
  const { count } = await prisma.scoreBatch.updateMany({
    where: { id: batchId, state: { not: 'cancelled' } },
    data: { state: 'running', finishedAt: null },
  });
  // Its other songs have no jobs any more: the batch would wait for them for ever.
  if (count === 0) return `${publicId('batch', batchId)} is cancelled: resume it first`;
  const unjudged = {
    ...{ state: 'failed' as const, contentHash: { not: null } },
    failures: { none: { stage: { in: ['preview', 'spectrogram'] }, state: { not: 'resolved' as const } } },
  };
  const songs = await prisma.song.updateManyAndReturn({
    where: { batchId, ...(songIds ? { id: { in: [...songIds] } } : unjudged) },
    data: { state: 'queued', failureReason: null },
    select: { id: true },
  });
  const { parametersHash } = batch.model.dataSet;
  if (songs.length > 0) {
    await queues.enqueue(
      'preview',
      songs.map(({ id }) => ({ kind: 'song' as const, id, parametersHash })),
    );
  } else if (songIds) return gone;
  // Whatever is ready, and a batch that has nothing left to wait for, is looked at once more.
  else await queues.enqueue('score', [{ batchId }]);
  return null;
}
