/**
 * Jobs are made again from rows: after a restore, a Redis that was emptied, or a command that died
 * between a row and its job. Enqueueing what is in a queue already changes nothing.
 */
import { enqueueCrawl } from './crawl.ts';
import { enqueueBatch } from './score.ts';
import type { Session } from './session.ts';
import { enqueueRun } from './train.ts';

/** Enqueue all that the rows say is under way. Returns how many crawls, batches and models that is. */
export async function resumeUnfinished(session: Session): Promise<number> {
  const { prisma } = session.database;
  const crawls = await prisma.crawl.findMany({
    where: {
      state: 'running',
      OR: [
        { pages: { some: { state: 'queued' } } },
        { tracks: { some: { track: { state: { in: ['queued', 'fetched'] } } } } },
      ],
    },
    select: { id: true },
  });
  for (const { id } of crawls) await enqueueCrawl(session, id);
  const batches = await prisma.scoreBatch.findMany({ where: { state: 'running' }, select: { id: true } });
  for (const { id } of batches) await enqueueBatch(session, id);
  const models = await prisma.model.findMany({
    where: { state: { in: ['queued', 'training'] }, cancelRequestedAt: null },
  });
  await enqueueRun(session, models);
  return crawls.length + batches.length + models.length;
}
