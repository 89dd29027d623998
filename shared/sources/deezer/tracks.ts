/** What a lookup at Deezer reads and writes of tracks, in few round trips. */
import type { Database } from '../../database/index.ts';

/** A track that a source does not give all of. */
export interface LookupTrack {
  title: string;
  source: string;
  isrc: string | null;
  location: string | null;
  /** Whether its audio has been fetched, once. */
  fetched: boolean;
  /** Whether the spectrogram that is wanted is there. */
  ready: boolean;
  /** Whether a crawl waits for it: the one that asked, or another that runs. */
  wanted: boolean;
  /** The crawls that wait for its popularity and have no reading of it. */
  unread: number[];
  /** The address of another track of the same recording, and whether its audio has been fetched. */
  sibling: { location: string; fetched: boolean } | null;
  /** What Deezer said of the same recording in one of these crawls. */
  siblingRank: number | null;
  /** Whether a lookup of it has failed for good before. */
  failedBefore: boolean;
}

/** @param parametersHash of the spectrogram that is wanted; null: none is */
export async function findLookupTrack(
  { pool }: Database,
  { trackId, crawlId, parametersHash }: { trackId: number; crawlId: number; parametersHash: string | null },
): Promise<LookupTrack | null> {
  const { rows } = await pool.query<LookupTrack>(
    `WITH waiting AS (
       SELECT c.id FROM crawl_tracks l JOIN crawls c ON c.id = l.crawl_id
       WHERE l.track_id = $1 AND (c.state = 'running' OR (c.id = $2 AND c.state <> 'cancelled'))
     ), unread AS (
       SELECT id FROM waiting w WHERE NOT EXISTS (
         SELECT FROM popularity_readings r
         WHERE r.track_id = $1 AND r.crawl_id = w.id AND r.origin IN ('spotify', 'deezer'))
     )
     SELECT t.title, t.source, t.isrc, t.location, t.content_hash IS NOT NULL AS fetched,
       t.state = 'ready' AND EXISTS (SELECT FROM spectrograms m
         WHERE m.content_hash = t.content_hash AND m.parameters_hash = $3) AS ready,
       EXISTS (SELECT FROM waiting) AS wanted,
       ARRAY(SELECT id FROM unread) AS unread,
       (SELECT json_build_object('location', s.location, 'fetched', s.content_hash IS NOT NULL)
        FROM tracks s WHERE s.isrc = t.isrc AND s.source = t.source AND s.id <> t.id
          AND s.location ~* '^https?:' AND s.state <> 'failed'
        ORDER BY s.content_hash IS NULL, s.id LIMIT 1) AS sibling,
       (SELECT r.rank FROM tracks s JOIN popularity_readings r ON r.track_id = s.id
        WHERE s.isrc = t.isrc AND s.source = t.source AND r.origin = 'deezer' AND r.rank IS NOT NULL
          AND r.crawl_id IN (SELECT id FROM unread) LIMIT 1) AS "siblingRank",
       EXISTS (SELECT FROM failures f WHERE f.track_id = t.id AND f.stage = 'lookup'
         AND f.state IN ('open', 'retried')) AS "failedBefore"
     FROM tracks t WHERE t.id = $1`,
    [trackId, crawlId, parametersHash],
  );
  return rows[0] ?? null;
}

/** A crawl that runs and waits for the address of the track to be looked up; null: none does. */
export async function crawlThatWaits({ pool }: Database, trackId: number): Promise<number | null> {
  const { rows } = await pool.query<{ id: number }>(
    `SELECT c.id FROM tracks t JOIN crawl_tracks l ON l.track_id = t.id JOIN crawls c ON c.id = l.crawl_id
     WHERE t.id = $1 AND t.state = 'queued' AND t.location IS NULL AND c.state = 'running' LIMIT 1`,
    [trackId],
  );
  return rows[0]?.id ?? null;
}

/** No crawl waits for the track any more: it stays in the catalogue, to be asked for again. */
export async function putBack({ pool }: Database, trackId: number): Promise<void> {
  await pool.query(
    `UPDATE tracks SET state = 'listed', updated_at = now() WHERE id = $1 AND state = 'queued'
       AND NOT EXISTS (SELECT FROM crawl_tracks l JOIN crawls c ON c.id = l.crawl_id
         WHERE l.track_id = $1 AND c.state = 'running')`,
    [trackId],
  );
}

/** Write down where the track's audio is. */
export async function storeLocation({ pool }: Database, trackId: number, location: string): Promise<void> {
  await pool.query(`UPDATE tracks SET location = $2, updated_at = now() WHERE id = $1`, [trackId, location]);
}

/**
 * Write down where a recording's audio is, for all its tracks that have no address, so that it is fetched
 * once for all of them.
 * @param expired an address that is replaced too
 */
export async function storeRecordingLocation(
  { pool }: Database,
  recording: { isrc: string; source: string; expired: string | null },
  location: string,
): Promise<void> {
  await pool.query(
    `UPDATE tracks SET location = $4, updated_at = now() WHERE id IN (
       SELECT id FROM tracks WHERE isrc = $1 AND source = $2 AND (location IS NULL OR location = $3)
       ORDER BY id FOR UPDATE)`,
    [recording.isrc, recording.source, recording.expired, location],
  );
}

/** Add a reading of the rank for each of the crawls, unless it has one: a job may be run twice. */
export async function storeRank(
  { prisma }: Database,
  { trackId, rank, crawlIds }: { trackId: number; rank: number; crawlIds: readonly number[] },
): Promise<void> {
  await prisma.$transaction([
    // Two runs of one job take turns here: the second sees what the first has added.
    prisma.$executeRaw`SELECT FROM tracks WHERE id = ${trackId} FOR UPDATE`,
    prisma.$executeRaw`
      INSERT INTO popularity_readings (track_id, rank, origin, crawl_id)
      SELECT ${trackId}, ${rank}, 'deezer', c.id FROM crawls c
      WHERE c.id = ANY(${[...crawlIds]}::int[]) AND NOT EXISTS (
        SELECT FROM popularity_readings r
        WHERE r.track_id = ${trackId} AND r.crawl_id = c.id AND r.origin IN ('spotify', 'deezer'))`,
  ]);
}
