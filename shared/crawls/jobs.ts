/** The jobs of a crawl, made from its rows: the first time, and again when they were lost. */
import type pg from 'pg';
import type { NextJob } from '../queues/queues.ts';

type Db = Pick<pg.ClientBase, 'query'>;

/** A crawl as far as its tracks' audio is concerned. */
export interface AudioCrawl {
  id: number;
  /** Which spectrograms are wanted; null: none. */
  parametersHash: string | null;
}

/**
 * Tracks that the crawl sees for the first time: what has no spectrogram yet, or failed before, is queued.
 * @returns the jobs; none for a crawl of metadata only
 */
export async function audioJobs(db: Db, crawl: AudioCrawl, trackIds: readonly number[]): Promise<NextJob[]> {
  const { parametersHash } = crawl;
  if (parametersHash === null || trackIds.length === 0) return [];
  await db.query(
    `UPDATE tracks t SET state = 'queued', failure_reason = NULL, updated_at = now()
     WHERE t.id = ANY($1) AND (t.state IN ('listed', 'failed') OR (t.state = 'ready' AND NOT EXISTS (
       SELECT 1 FROM spectrograms s WHERE s.content_hash = t.content_hash AND s.parameters_hash = $2)))`,
    [trackIds, parametersHash],
  );
  await db.query(
    `UPDATE failures SET state = 'retried', updated_at = now() WHERE state = 'open' AND track_id = ANY($1)`,
    [trackIds],
  );
  return jobsOf(db, crawl, parametersHash, trackIds);
}

/** The pages that are to be asked, in their order. */
export async function searchJobs(db: Db, crawlId: number): Promise<NextJob[]> {
  const { rows } = await db.query<{ id: number }>(
    `SELECT id FROM search_pages WHERE crawl_id = $1 AND state = 'queued' ORDER BY id`,
    [crawlId],
  );
  return rows.map(({ id }) => ({ stage: 'search', payload: { pageId: id } }));
}

/** The jobs of the tracks of a crawl, or of one of its pages, that are neither ready nor failed. */
export async function unfinishedAudioJobs(
  db: Db,
  crawl: AudioCrawl,
  pageId: number | null = null,
): Promise<NextJob[]> {
  if (crawl.parametersHash === null) return [];
  const { rows } = await db.query<{ id: number }>(
    `SELECT t.id FROM crawl_tracks c JOIN tracks t ON t.id = c.track_id
     WHERE c.crawl_id = $1 AND ($2::int IS NULL OR c.page_id = $2) AND t.state IN ('queued', 'fetched')`,
    [crawl.id, pageId],
  );
  return jobsOf(
    db,
    crawl,
    crawl.parametersHash,
    rows.map((row) => row.id),
  );
}

/** What the source shows no preview of, or no popularity, is looked up elsewhere first. */
async function jobsOf(
  db: Db,
  crawl: AudioCrawl,
  parametersHash: string,
  trackIds: readonly number[],
): Promise<NextJob[]> {
  const { rows } = await db.query<{ id: number; state: string; lookup: boolean }>(
    `SELECT t.id, t.state, t.source = 'spotify' AND ((t.location IS NULL AND t.state = 'queued') OR NOT EXISTS (
       SELECT 1 FROM popularity_readings r WHERE r.track_id = t.id AND r.crawl_id = $2)) AS lookup
     FROM tracks t WHERE t.id = ANY($1) ORDER BY t.id`,
    [trackIds, crawl.id],
  );
  return rows.flatMap(({ id, state, lookup }): NextJob[] => {
    if (lookup) return [{ stage: 'lookup', payload: { trackId: id, crawlId: crawl.id, parametersHash } }];
    if (state !== 'queued' && state !== 'fetched') return [];
    return [{ stage: 'preview', payload: { kind: 'track', id, parametersHash } }];
  });
}
