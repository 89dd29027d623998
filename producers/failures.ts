/** Retry or dismiss what failed. */

import type { Failure } from '../shared/database/generated/client.ts';
import { type FailureFilter, failureWhere, jobOf } from '../shared/failures.ts';
import type { AudioPayload, StageName } from '../shared/stages.ts';
import { currentParameters } from './parameters.ts';
import type { Session } from './session.ts';

export interface Retried {
  retried: number;
  /** Failures without a job to repeat: bad lines of a manifest, and why they are left. */
  left: { subject: string; why: string }[];
  /** What runs now, by stage. */
  stages: StageName[];
}

/** Put the jobs of open failures back into their queues. */
export async function retryFailures(session: Session, filter: FailureFilter): Promise<Retried> {
  const failures = await session.database.prisma.failure.findMany({
    where: failureWhere({ state: 'open', ...filter }),
    orderBy: { id: 'asc' },
  });
  const result: Retried = { retried: 0, left: [], stages: [] };
  for (const failure of failures) {
    const why = await retry(session, failure);
    if (why === null) result.retried++;
    else result.left.push({ subject: failure.subject, why });
  }
  const stages = failures
    .map((failure) => failure.stage)
    .filter((stage) => stage !== 'ingest') as StageName[];
  result.stages = [...new Set(stages)];
  return result;
}

/** Returns why the failure cannot be retried, or null when it was. */
async function retry(session: Session, failure: Failure): Promise<string | null> {
  const { prisma } = session.database;
  const job = jobOf(failure);
  if (!job) return 'correct the manifest and ingest it again';
  if (failure.modelId) {
    await prisma.model.update({
      where: { id: failure.modelId },
      data: { state: 'queued', failureReason: null, cancelRequestedAt: null, finishedAt: null },
    });
    await session.queues.enqueue('train', [{ modelId: failure.modelId }]);
  } else if (failure.trackId || failure.songId) {
    const payload = job.payload as AudioPayload;
    // The audio may have been mended since: begin at its first stage, with the settings of today for tracks.
    const parametersHash = failure.trackId ? await currentParameters(session) : payload.parametersHash;
    const data = { state: 'queued' as const, failureReason: null };
    if (failure.trackId) await prisma.track.update({ where: { id: failure.trackId }, data });
    else if (failure.songId) {
      const song = await prisma.song.update({ where: { id: failure.songId }, data });
      await prisma.scoreBatch.update({
        where: { id: song.batchId },
        data: { state: 'running', finishedAt: null },
      });
    }
    await session.queues.enqueue('preview', [{ ...payload, parametersHash }]);
  } else {
    return 'start it again by its own command';
  }
  await prisma.failure.update({ where: { id: failure.id }, data: { state: 'retried' } });
  return null;
}

/** Take failures off the list without retrying. Returns how many. */
export async function dismissFailures(session: Session, filter: FailureFilter): Promise<number> {
  const { count } = await session.database.prisma.failure.updateMany({
    where: failureWhere({ state: 'open', ...filter }),
    data: { state: 'dismissed' },
  });
  return count;
}
