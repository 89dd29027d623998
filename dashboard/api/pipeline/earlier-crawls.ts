/** What crawls that were done came to: what the next one is estimated from. */
import type { Session } from '../../../producers/session.ts';
import { type CrawlQuery, crawlQuerySchema } from '../../../shared/sources/spotify/query.ts';
import { Seldom } from './seldom.ts';

/** Of one crawl that was done. */
export interface Done {
  id: number;
  query: CrawlQuery;
  audio: boolean;
  quota: string | null;
  pages: number;
  tracks: number;
  /** Tracks of it that Spotify gave no popularity or no preview of: they were looked up at Deezer. */
  lookups: number;
  /** Tracks of it whose spectrogram is missing still. */
  missing: number;
  searchHours: number;
  hours: number;
}

/** The last so many crawls are looked at. */
const lookedAt = 20;
/** Their tracks are counted at most so often, in milliseconds. */
const freshMs = 60_000;

const readers = new WeakMap<Session['database'], Seldom<Done[]>>();

/** The last crawls that were done, newest first; a minute old at most. */
export function doneCrawls({ database }: Session): Promise<Done[]> {
  const reader = readers.get(database) ?? new Seldom(() => read(database), { freshMs });
  readers.set(database, reader);
  return reader.get();
}

async function read(database: Session['database']): Promise<Done[]> {
  const { rows } = await database.pool.query<Omit<Done, 'query'> & { query: unknown }>(
    `SELECT c.id, c.query, c.parameters_hash IS NOT NULL AS audio, c.quota,
       (SELECT count(*)::int FROM search_pages p WHERE p.crawl_id = c.id AND p.state = 'done') AS pages,
       extract(epoch FROM coalesce(c.searched_at, c.finished_at) - c.started_at)::float8 / 3600 AS "searchHours",
       extract(epoch FROM c.finished_at - c.started_at)::float8 / 3600 AS hours, t.tracks, t.missing, t.lookups
     FROM (SELECT * FROM crawls WHERE source = 'spotify' AND state = 'done' ORDER BY id DESC LIMIT $1) c
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS tracks, count(*) FILTER (WHERE t.state <> 'ready')::int AS missing,
         count(*) FILTER (WHERE r.read IS NULL OR (c.parameters_hash IS NOT NULL
           AND (t.location IS NULL OR t.location ~* '(dzcdn|deezer)')))::int AS lookups
       FROM crawl_tracks ct JOIN tracks t ON t.id = ct.track_id
       LEFT JOIN (SELECT DISTINCT track_id, true AS read FROM popularity_readings
         WHERE crawl_id = c.id AND origin = 'spotify') r ON r.track_id = t.id
       WHERE ct.crawl_id = c.id) t
     ORDER BY c.id DESC`,
    [lookedAt],
  );
  return rows.flatMap((row) => {
    const query = crawlQuerySchema.safeParse(row.query);
    return query.success ? [{ ...row, query: query.data }] : [];
  });
}
