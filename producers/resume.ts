/**
 * Jobs are made again from rows: after a restore, a Redis that was emptied, or a command that died
 * between a row and its job. Enqueueing what is in a queue already changes nothing.
 */
import { enqueueUnfinished } from './ingest.ts';
import { currentParameters } from './parameters.ts';
import { enqueueBatch } from './score.ts';
import type { Session } from './session.ts';
import { enqueueRun } from './train.ts';

/** Enqueue all that the rows say is under way. Returns how many rows that is. */
export async function resumeUnfinished(session: Session): Promise<number> {
  const { prisma } = session.database;
  const parametersHash = await currentParameters(session);
  const crawls = await prisma.crawl.findMany({
    where: { state: 'running', tracks: { some: { track: { state: { in: ['queued', 'fetched'] } } } } },
    select: { id: true },
  });
  let rows = 0;
  for (const { id } of crawls)
    rows += await enqueueUnfinished(session, id, parametersHash, { failedToo: false });
  const batches = await prisma.scoreBatch.findMany({ where: { state: 'running' }, select: { id: true } });
  for (const { id } of batches) await enqueueBatch(session, id);
  const models = await prisma.model.findMany({
    where: { state: { in: ['queued', 'training'] }, cancelRequestedAt: null },
  });
  await enqueueRun(session, models);
  return rows + batches.length + models.length;
}
