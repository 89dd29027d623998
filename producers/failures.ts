/** Retry or dismiss what failed. */

import { audioJobs } from '../shared/crawls/jobs.ts';
import type { Failure, Prisma, PrismaClient, Song } from '../shared/database/generated/client.ts';
import { type FailureFilter, failureWhere, jobOf } from '../shared/failures.ts';
import { publicId } from '../shared/identifiers.ts';
import type { ScorePayload, SearchPayload, StageName } from '../shared/stages.ts';
import { enqueueEmbeddings } from './embed.ts';
import { currentParameters } from './parameters.ts';
import { gone, retrySongs } from './retry-songs.ts';
import type { Session } from './session.ts';

/** So many failures are read and put back at a time. */
const chunk = 500;
/** What is left is told of up to so many. */
const leftTold = 1_000;

export interface Retried {
  retried: number;
  /** Failures without a job to repeat: bad lines of a manifest, and why they are left; the first of them. */
  left: { subject: string; why: string }[];
  /** How many are left in all. */
  leftTotal: number;
  /** What runs now, by stage. */
  stages: StageName[];
}

/**
 * Put the jobs of open failures back into their queues. What somebody else retries, resolves, dismisses or
 * removes meanwhile is theirs, and what fails from now on stays open.
 */
export async function retryFailures(session: Session, filter: FailureFilter): Promise<Retried> {
  const { prisma } = session.database;
  const result: Retried = { retried: 0, left: [], leftTotal: 0, stages: [] };
  const open = { state: 'open' as const, ...filter };
  const upToId = filter.upToId ?? (await prisma.failure.aggregate({ _max: { id: true } }))._max.id;
  for (let afterId = 0; upToId !== null; ) {
    const failures = await prisma.failure.findMany({
      ...{ where: failureWhere({ ...open, upToId, afterId }), orderBy: { id: 'asc' }, take: chunk },
    });
    if (failures.length === 0) break;
    afterId = failures.at(-1)!.id;
    await retrySome(session, failures, failureWhere({ ...open, upToId }), result);
  }
  return result;
}

/**
 * Try a song again that failed, also where its failure is not open: dismissed, or of its whole batch.
 * @returns why that cannot be, or null
 */
export async function retrySong(
  session: Session,
  { id, batchId, contentHash }: Pick<Song, 'id' | 'batchId' | 'contentHash'>,
): Promise<string | null> {
  const { retried, left } = await retryFailures(session, { songId: id });
  if (retried > 0) return null;
  if (left[0]) return left[0].why;
  if (contentHash === null) return 'this file was refused as it is: mend it and drop it in again';
  return retrySongs(session, batchId, [id]);
}

/** @param where all failures that are meant, those of other chunks too */
async function retrySome(
  session: Session,
  failures: readonly Failure[],
  where: Prisma.FailureWhereInput,
  result: Retried,
): Promise<void> {
  const isTrack = (failure: Failure) => failure.trackId !== null && jobOf(failure) !== null;
  result.retried += await retryTracks(session, failures.filter(isTrack), where);
  for (const failure of failures) {
    if (isTrack(failure)) continue;
    const outcome = await retry(session, failure);
    if (outcome === 'put back') result.retried++;
    else if (outcome !== 'of others') {
      result.leftTotal++;
      if (result.left.length < leftTold) result.left.push({ subject: failure.subject, why: outcome.left });
    }
  }
  const stages = failures.map(({ stage }) => stage).filter((stage) => stage !== 'ingest') as StageName[];
  result.stages = [...new Set([...result.stages, ...stages])];
}

/**
 * The audio may have been mended since: begin at its first stage, with the settings of today. All that is
 * meant of a track is retried with it.
 * @returns how many failures were
 */
async function retryTracks(
  session: Session,
  failures: readonly Failure[],
  where: Prisma.FailureWhereInput,
): Promise<number> {
  if (failures.length === 0) return 0;
  const { prisma, pool } = session.database;
  const parametersHash = await currentParameters(session);
  const claimed = await prisma.failure.updateManyAndReturn({
    where: { AND: [where, { state: 'open', trackId: { in: failures.map(({ trackId }) => trackId!) } }] },
    data: { state: 'retried' },
    select: { id: true, trackId: true, crawlId: true },
  });
  await orGiveBack(prisma, claimed, async () => {
    for (const crawlId of new Set(claimed.map((failure) => failure.crawlId))) {
      const own = claimed.filter((failure) => failure.crawlId === crawlId);
      const trackIds = [...new Set(own.map((failure) => failure.trackId!))];
      await session.queues.enqueueNext(await audioJobs(pool, { id: crawlId ?? 0, parametersHash }, trackIds));
      // What is ready lacks its embedding alone.
      await enqueueEmbeddings(session, { trackIds });
    }
  });
  return claimed.length;
}

/** What became of one: put back, somebody else's by now, or left for a reason. */
type Outcome = 'put back' | 'of others' | { left: string };

async function retry(session: Session, failure: Failure): Promise<Outcome> {
  const { prisma } = session.database;
  if (!jobOf(failure)) return { left: 'correct the manifest and ingest it again' };
  const { id } = failure;
  // Before its job is there: a job that ends at once says what came of it, and that is to stay.
  const { count } = await prisma.failure.updateMany({
    where: { id, state: 'open' },
    data: { state: 'retried' },
  });
  if (count === 0) return 'of others';
  return orGiveBack(prisma, [failure], async () => {
    const why = await putBack(session, failure);
    if (why === null) return 'put back';
    await reopen(prisma, [id]);
    return { left: why };
  });
}

/** What was claimed and could not be enqueued is open again. */
async function orGiveBack<T>(
  prisma: PrismaClient,
  claimed: readonly { id: number }[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const ids = claimed.map(({ id }) => id);
    await reopen(prisma, ids).catch(() => undefined); // what went wrong first is what matters
    throw error;
  }
}

const reopen = (prisma: PrismaClient, ids: number[]) =>
  prisma.failure.updateMany({ where: { id: { in: ids }, state: 'retried' }, data: { state: 'open' } });

/** Returns why the failure cannot be retried, or null when its job is in the queue. */
async function putBack(session: Session, failure: Failure): Promise<string | null> {
  const { prisma } = session.database;
  const job = jobOf(failure)!;
  if (failure.modelId) {
    const { count } = await prisma.model.updateMany({
      where: { id: failure.modelId },
      data: { state: 'queued', failureReason: null, cancelRequestedAt: null, finishedAt: null },
    });
    if (count === 0) return gone;
    await session.queues.enqueue('train', [{ modelId: failure.modelId }]);
  } else if (job.stage === 'score' && 'songId' in job.payload) {
    // Its score stands: only its explanation failed.
    await session.queues.enqueue('score', [job.payload as ScorePayload]);
  } else if (failure.songId) {
    const song = await prisma.song.findUnique({ where: { id: failure.songId }, select: { batchId: true } });
    return song ? retrySongs(session, song.batchId, [failure.songId]) : gone;
  } else if (job.stage === 'score') {
    return retrySongs(session, (job.payload as ScorePayload).batchId);
  } else if (job.stage === 'search') {
    const why = await reopenPage(session, (job.payload as SearchPayload).pageId);
    if (why !== null) return why;
    await session.queues.enqueue('search', [job.payload as SearchPayload]);
  } else {
    return 'start it again by its own command';
  }
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
