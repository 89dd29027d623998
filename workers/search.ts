/** Stage search: ask for one page of a crawl, store what came, and decide what is asked next. */
import type pg from 'pg';
import { audioJobs, searchJobs, unfinishedAudioJobs } from '../shared/crawls/jobs.ts';
import { PermanentError } from '../shared/errors.ts';
import { resolveCrawlFailures } from '../shared/failures.ts';
import type { NextJob } from '../shared/queues/queues.ts';
import { createSpotifyClient, type SpotifyClient } from '../shared/sources/spotify/client.ts';
import { searchWindow } from '../shared/sources/spotify/query.ts';
import type { SearchPayload } from '../shared/stages.ts';
import type { Handler, Outcome, Services } from './handler.ts';
import { type Answer, askForPage } from './search/ask.ts';
import { cutPartition, isUnsteady, settlePartition } from './search/cover.ts';
import { countKnown, estimateSize } from './search/known.ts';
import { loadPage, type PageWork } from './search/page.ts';
import { storeTracks } from './search/store.ts';

/** A part that is estimated at so many times the window is cut without asking for it first. */
const surelyOverflows = 1.3;

export function buildSearch(services: Services): Handler<'search'> {
  let client: SpotifyClient | undefined;
  return {
    stage: 'search',
    run: (payload) => {
      client ??= createSpotifyClient(services.config.outside);
      return searchPage(payload, services, client);
    },
    fail: (payload, reason) => failPage(payload, reason, services),
  };
}

async function searchPage(
  { pageId }: SearchPayload,
  { database, config }: Services,
  client: SpotifyClient,
): Promise<Outcome> {
  const { pool } = database;
  const work = await loadPage(pool, pageId);
  if (!work) return { outcome: 'skipped', why: 'its crawl is gone' };
  if (work.crawl.state !== 'running') return { outcome: 'skipped', why: `its crawl is ${work.crawl.state}` };
  if (work.state !== 'queued') {
    // A worker died between storing the page and enqueueing what follows.
    const { crawl } = work;
    const next = [
      ...(await searchJobs(pool, crawl.id)),
      ...(await unfinishedAudioJobs(pool, crawl, work.id)),
    ];
    return { outcome: 'skipped', why: 'the page is done', next };
  }
  const needless = await whyNotAsk(pool, work);
  if (needless) {
    const next = await inCrawl(pool, work.crawl.id, (db) => skipPage(db, work, needless));
    return { outcome: 'skipped', why: needless.why, next };
  }
  const { query, quota } = work.crawl;
  const answer = await askForPage(
    client,
    database,
    config.outside.spotifyClientSecret!,
    { q: work.partition.query, limit: work.limit, offset: work.offset, market: query.market },
    quota,
  );
  const stored = await inCrawl(pool, work.crawl.id, (db) => storePage(db, pageId, answer));
  const { rows, newRows, next } = stored;
  return { outcome: 'done', note: `${rows} rows, ${newRows} of them new`, next };
}

interface Needless {
  why: string;
  /** The partition is cut without an answer of its own. */
  cut: boolean;
}

/** Why a page need not be asked, if so. */
async function whyNotAsk(pool: pg.Pool, work: PageWork): Promise<Needless | null> {
  const { crawl, partition } = work;
  if ((await roomLeft(pool, crawl)) === 0)
    return { why: 'the crawl has as many tracks as were asked for', cut: false };
  if (crawl.honoursNot !== false || partition.probe || work.sweep > 0) return null;
  if (work.offset === 0) {
    const size = await estimateSize(pool, crawl.id, partition.part);
    return size !== null && size > searchWindow * surelyOverflows
      ? { why: 'it surely overflows', cut: true }
      : null;
  }
  const { rows } = await pool.query<{ total: number | null; answers: number }>(
    'SELECT max(total) AS total, count(total)::int AS answers FROM search_pages WHERE partition_id = $1',
    [partition.id],
  );
  if (rows[0]!.answers < 2 && (await isUnsteady(pool, crawl.id))) return null;
  const known = await countKnown(pool, crawl.id, partition.part);
  return known !== null && rows[0]?.total != null && known >= rows[0].total
    ? { why: 'all its tracks are known already', cut: false }
    : null;
}

async function skipPage(
  db: pg.ClientBase,
  { id, crawl, partition }: PageWork,
  needless: Needless,
): Promise<NextJob[]> {
  await db.query(
    `UPDATE search_pages SET state = 'skipped', failure_reason = $2, done_at = clock_timestamp()
     WHERE id = $1 AND state = 'queued'`,
    [id, needless.why],
  );
  const fresh = await loadPage(db, id);
  const ids = needless.cut
    ? await cutPartition(db, fresh!.crawl, partition)
    : await settlePartition(db, fresh?.crawl ?? crawl, fresh?.partition ?? partition);
  return ids.map(searchJob);
}

async function storePage(
  db: pg.ClientBase,
  pageId: number,
  answer: Answer,
): Promise<{ rows: number; newRows: number; next: NextJob[] }> {
  // Read again under the lock: another worker may have been at it, or found something out.
  const work = await loadPage(db, pageId);
  if (work?.state !== 'queued') return { rows: 0, newRows: 0, next: [] };
  const { crawl } = work;
  if (crawl.quota === null) {
    await db.query('UPDATE crawls SET quota = $2 WHERE id = $1', [crawl.id, answer.quota]);
    crawl.quota = answer.quota;
  }
  const room = await roomLeft(db, crawl);
  const kept = room === null ? answer.tracks : answer.tracks.slice(0, room);
  const { trackIds, newIds } = await storeTracks(
    db,
    { id: crawl.id, genre: crawl.query.genre },
    pageId,
    kept,
  );
  await db.query(
    `UPDATE search_pages SET state = 'done', failure_reason = NULL, "limit" = $2, total = $3, rows = $4, new_rows = $5,
       track_ids = $6, done_at = clock_timestamp() WHERE id = $1`,
    [pageId, answer.limit, answer.total, answer.tracks.length, newIds.length, trackIds],
  );
  await resolveCrawlFailures(db, 'search', crawl.id, subjectOf(work));
  const audio = await audioJobs(db, crawl, newIds);
  const pages = await settlePartition(db, crawl, work.partition);
  return { rows: answer.tracks.length, newRows: newIds.length, next: [...pages.map(searchJob), ...audio] };
}

/** How many more tracks the crawl wants; null: as many as there are. */
async function roomLeft(db: Pick<pg.ClientBase, 'query'>, crawl: PageWork['crawl']): Promise<number | null> {
  if (crawl.query.limit === null) return null;
  const { rows } = await db.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM crawl_tracks WHERE crawl_id = $1',
    [crawl.id],
  );
  return Math.max(0, crawl.query.limit - rows[0]!.count);
}

/** The page could not be asked: it is marked, and the crawl goes on without it. */
async function failPage({ pageId }: SearchPayload, reason: string, { database }: Services) {
  const { pool } = database;
  const work = await loadPage(pool, pageId);
  if (!work) return null;
  const next = await inCrawl(pool, work.crawl.id, async (db) => {
    await db.query(
      `UPDATE search_pages SET state = 'failed', failure_reason = $2, done_at = clock_timestamp()
       WHERE id = $1 AND state = 'queued'`,
      [pageId, reason],
    );
    const fresh = (await loadPage(db, pageId))!;
    return (await settlePartition(db, fresh.crawl, fresh.partition)).map(searchJob);
  });
  return { subject: { subject: subjectOf(work), crawlId: work.crawl.id }, next };
}

function subjectOf({ partition, offset }: PageWork): string {
  return `${partition.query} from ${offset}`;
}

function searchJob(pageId: number): NextJob {
  return { stage: 'search', payload: { pageId } };
}

/** A transaction that has the crawl to itself: its pages are stored one after the other. */
async function inCrawl<T>(
  pool: pg.Pool,
  crawlId: number,
  work: (db: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Unheard, a connection that is lost would end the process.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('BEGIN');
    const { rowCount } = await client.query('SELECT 1 FROM crawls WHERE id = $1 FOR UPDATE', [crawlId]);
    if (rowCount === 0) throw new PermanentError('its crawl is gone');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(onError);
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}
