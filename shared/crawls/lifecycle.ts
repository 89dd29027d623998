/** Crawls as rows: begun, counted, closed when all is done or failed for good. Used by every role. */
import type pg from 'pg';
import type { PrismaClient } from '../database/generated/client.ts';
import type { Queues } from '../queues/queues.ts';
import { queryOf, wholePart } from '../sources/spotify/partitions/part.ts';
import { type CrawlQuery, pageLimits, queryKeyOf } from '../sources/spotify/query.ts';
import { everyAudioStage } from '../stages.ts';

export interface StartedCrawl {
  id: number;
  /** True when a crawl of the same query was running already: it is that one. */
  joined: boolean;
}

/**
 * Begin a crawl of Spotify: its row, its first partition and that one's first page, all or nothing.
 * @param parametersHash which spectrograms its tracks get; null: metadata only
 */
export async function startCrawl(
  prisma: PrismaClient,
  query: CrawlQuery,
  parametersHash: string | null,
): Promise<StartedCrawl> {
  const key = `${queryKeyOf(query)}${parametersHash === null ? ' metadata' : ''}`;
  return prisma.$transaction(async (transaction) => {
    // Two that begin the same crawl at the same moment take turns here.
    await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtext(${key}))`;
    const running = await transaction.crawl.findUnique({ where: { runningKey: key } });
    if (running) return { id: running.id, joined: true };
    const part = wholePart(query.years);
    const crawl = await transaction.crawl.create({
      data: { source: 'spotify', query, queryKey: key, runningKey: key, parametersHash },
    });
    // The quota mode is not known yet: the largest page is asked for, and a smaller one where that is refused.
    const limit = pageLimits.extended;
    await transaction.partition.create({
      data: {
        ...{ crawlId: crawl.id, query: queryOf(part, query.genre), part },
        pages: { create: { crawlId: crawl.id, offset: 0, limit } },
      },
    });
    return { id: crawl.id, joined: false };
  });
}

export interface CrawlCounts {
  tracks: number;
  ready: number;
  failed: number;
  /** Neither ready nor failed, and asked for. */
  unfinished: number;
}

export async function countCrawl(prisma: PrismaClient, crawlId: number): Promise<CrawlCounts> {
  const groups = await prisma.track.groupBy({
    by: ['state'],
    where: { crawls: { some: { crawlId } } },
    _count: true,
  });
  const of = (state: string) => groups.find((group) => group.state === state)?._count ?? 0;
  const tracks = groups.reduce((sum, group) => sum + group._count, 0);
  return { tracks, ready: of('ready'), failed: of('failed'), unfinished: of('queued') + of('fetched') };
}

/**
 * Close the running crawls that are done: nothing left to ask, and all tracks ready or failed for good;
 * one of metadata alone waits for no audio, which another may have asked for.
 * Ranks that stand for a popularity get their value now that all of the crawl are known.
 * @param queues tells what no row does: whether a popularity of a track that is ready is still being looked
 *   up, and whether a track's failure is yet to be recorded
 */
export async function settleCrawls(pool: pg.Pool, queues: Pick<Queues, 'counts' | 'find'>): Promise<void> {
  const { rows } = await pool.query<{ id: number; parametersHash: string | null; looksUp: boolean }>(
    `SELECT id, parameters_hash AS "parametersHash",
       source = 'spotify' AND parameters_hash IS NOT NULL AS "looksUp" FROM crawls c WHERE state = 'running' AND searched_at IS NOT NULL
       -- What follows the last page is put into the queues a moment after it is stored.
       AND (source <> 'spotify' OR searched_at < clock_timestamp() - interval '2 seconds')
       AND (parameters_hash IS NULL OR NOT EXISTS (SELECT 1 FROM tracks t JOIN crawl_tracks ct ON ct.track_id = t.id
         WHERE ct.crawl_id = c.id AND t.state IN ('queued', 'fetched')))`,
  );
  if (rows.length === 0) return;
  const { waiting, active, delayed } = await queues.counts('lookup');
  for (const { id, parametersHash, looksUp } of rows) {
    if (looksUp && waiting + active + delayed > 0) continue;
    if (parametersHash !== null && (await hasUntold(pool, queues, id, parametersHash))) continue;
    await rankPopularity(pool, id);
    await pool.query(
      `UPDATE crawls SET state = 'done', finished_at = now(), running_key = NULL WHERE id = $1 AND state = 'running'`,
      [id],
    );
  }
}

/**
 * Whether a failure of the crawl is yet to be recorded: tracks of one address fail together, and each one's
 * own job writes its failure down when its turn comes. Where that job was lost nothing is waited for.
 */
async function hasUntold(
  pool: pg.Pool,
  queues: Pick<Queues, 'counts' | 'find'>,
  crawlId: number,
  parametersHash: string,
): Promise<boolean> {
  const counts = await Promise.all(everyAudioStage.map((stage) => queues.counts(stage)));
  if (counts.every(({ waiting, active, delayed }) => waiting + active + delayed === 0)) return false;
  const { rows } = await pool.query<{ id: number }>(
    `SELECT t.id FROM tracks t JOIN crawl_tracks ct ON ct.track_id = t.id
     WHERE ct.crawl_id = $1 AND t.state = 'failed' AND NOT EXISTS (
       SELECT FROM failures f WHERE f.track_id = t.id AND f.state IN ('open', 'dismissed'))`,
    [crawlId],
  );
  for (const { id } of rows) {
    const payload = { kind: 'track' as const, id, parametersHash };
    for (const stage of everyAudioStage) {
      const job = await queues.find(stage, payload);
      if (job && !(await job.isFailed())) return true;
    }
  }
  return false;
}

/** Deezer's rank becomes a popularity of 0 to 100: its place among the ranks of the crawl. */
async function rankPopularity(pool: pg.Pool, crawlId: number): Promise<void> {
  await pool.query(
    `UPDATE popularity_readings r SET value = 100 * place.share FROM (
       SELECT id, percent_rank() OVER (ORDER BY rank) AS share FROM popularity_readings
       WHERE crawl_id = $1 AND rank IS NOT NULL) AS place
     WHERE r.id = place.id AND r.value IS DISTINCT FROM 100 * place.share`,
    [crawlId],
  );
}
