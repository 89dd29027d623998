/** Retry or dismiss what failed. */

import { audioJobs } from '../shared/crawls/jobs.ts';
import type { Failure } from '../shared/database/generated/client.ts';
import { type FailureFilter, failureWhere, jobOf } from '../shared/failures.ts';
import { publicId } from '../shared/identifiers.ts';
import type { AudioPayload, ScorePayload, SearchPayload, StageName } from '../shared/stages.ts';
import { enqueueEmbeddings } from './embed.ts';
import { currentParameters } from './parameters.ts';
import type { Session } from './session.ts';

/** So many tracks are put back at a time. */
const chunk = 500;

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
  const isTrack = (failure: Failure) => failure.trackId !== null && jobOf(failure) !== null;
  const ofTracks = failures.filter(isTrack);
  await retryTracks(session, ofTracks);
  result.retried = ofTracks.length;
  for (const failure of failures) {
    if (isTrack(failure)) continue;
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

/** The audio may have been mended since: begin at its first stage, with the settings of today. */
async function retryTracks(session: Session, failures: readonly Failure[]): Promise<void> {
  if (failures.length === 0) return;
  const { prisma, pool } = session.database;
  const parametersHash = await currentParameters(session);
  for (const crawlId of new Set(failures.map((failure) => failure.crawlId))) {
    const own = failures.filter((failure) => failure.crawlId === crawlId);
    for (let start = 0; start < own.length; start += chunk) {
      const some = own.slice(start, start + chunk);
      const trackIds = [...new Set(some.map((failure) => failure.trackId!))];
      await session.queues.enqueueNext(await audioJobs(pool, { id: crawlId ?? 0, parametersHash }, trackIds));
      // What is ready lacks its embedding alone.
      await enqueueEmbeddings(session, { trackIds });
      await prisma.failure.updateMany({
        where: { id: { in: some.map(({ id }) => id) } },
        data: { state: 'retried' },
      });
    }
  }
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
  } else if (job.stage === 'score' && 'songId' in job.payload) {
    // Its score stands: only its explanation failed.
    await session.queues.enqueue('score', [job.payload as ScorePayload]);
  } else if (failure.songId) {
    const song = await prisma.song.update({
      where: { id: failure.songId },
      data: { state: 'queued', failureReason: null },
    });
    await prisma.scoreBatch.update({
      where: { id: song.batchId },
      data: { state: 'running', finishedAt: null },
    });
    await session.queues.enqueue('preview', [job.payload as AudioPayload]);
  } else if (job.stage === 'search') {
    const why = await reopenPage(session, (job.payload as SearchPayload).pageId);
    if (why !== null) return why;
    await session.queues.enqueue('search', [job.payload as SearchPayload]);
  } else {
    return 'start it again by its own command';
  }
  await prisma.failure.update({ where: { id: failure.id }, data: { state: 'retried' } });
  return null;
}

/**
 * A page that could not be asked is to be asked again, and its crawl runs until what follows is done.
 * Returns why not, or null.
 */
async function reopenPage({ database }: Session, id: number): Promise<string | null> {
  const { prisma } = database;
  const page = await prisma.searchPage.findUnique({ where: { id }, include: { crawl: true } });
  if (!page) return 'its crawl is gone';
  const { crawl } = page;
  const name = publicId('crawl', crawl.id);
  if (crawl.state === 'cancelled') return `${name} is cancelled: hiphop resume ${name}, then retry`;
  const other = crawl.queryKey && (await prisma.crawl.findUnique({ where: { runningKey: crawl.queryKey } }));
  if (other && other.id !== crawl.id) return `${publicId('crawl', other.id)} asks all of it again already`;
  await prisma.$transaction([
    prisma.searchPage.update({ where: { id }, data: { state: 'queued', failureReason: null } }),
    prisma.partition.updateMany({ where: { id: page.partitionId, state: 'done' }, data: { state: 'open' } }),
    prisma.crawl.update({
      where: { id: crawl.id },
      data: { state: 'running', searchedAt: null, finishedAt: null, runningKey: crawl.queryKey },
    }),
  ]);
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
