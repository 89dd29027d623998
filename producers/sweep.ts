/**
 * What a cancelled crawl leaves in the queues is taken out, some at a time. The rows say already that it is
 * not wanted, and workers that meet such a job skip it: this only makes room.
 */
import { inTransaction } from '../shared/database/uploads.ts';
import { everyAudioStage } from '../shared/stages.ts';
import type { Session } from './session.ts';

type Db = Parameters<Parameters<typeof inTransaction>[1]>[0];

/** So many pages or tracks are held while their jobs are removed. */
const chunk = 200;

/** Tracks `t` that only the crawl $1 waits for: what another that runs waits for goes on. */
const onlyHere = `t.state IN ('queued', 'fetched') AND NOT EXISTS (
  SELECT 1 FROM crawl_tracks other JOIN crawls c ON c.id = other.crawl_id
  WHERE other.track_id = t.id AND c.state = 'running' AND c.id <> $1)`;

/** How many pages and tracks wait for this crawl alone. */
export async function countWaiting(
  { database }: Session,
  crawlId: number,
): Promise<{ pages: number; tracks: number }> {
  const { rows } = await database.pool.query<{ pages: number; tracks: number }>(
    `SELECT (SELECT count(*)::int FROM search_pages WHERE crawl_id = $1 AND state = 'queued') AS pages,
       (SELECT count(*)::int FROM crawl_tracks ct JOIN tracks t ON t.id = ct.track_id
        WHERE ct.crawl_id = $1 AND ${onlyHere}) AS tracks`,
    [crawlId],
  );
  return rows[0]!;
}

/** Take out all that waits, unless the crawl is gone on with meanwhile: then the rest stays. */
export async function sweepCrawl(session: Session, crawlId: number): Promise<void> {
  const { pool, prisma } = session.database;
  const parameters = await prisma.spectrogramParameters.findMany({ select: { hash: true } });
  const hashes = parameters.map(({ hash }) => hash);
  for (const sweep of [sweepPages, sweepTracks]) {
    let after: number | null = 0;
    while (after !== null) {
      const from: number = after;
      after = await inTransaction(pool, async (db) => {
        // Who goes on with it changes its row first, and so waits until these are out.
        const { rowCount } = await db.query(
          `SELECT FROM crawls WHERE id = $1 AND state = 'cancelled' FOR UPDATE`,
          [crawlId],
        );
        return rowCount === 0 ? null : sweep(session, db, { crawlId, after: from, hashes });
      });
    }
  }
}

interface Sweep {
  crawlId: number;
  /** Only rows behind this id. */
  after: number;
  /** Parameters of spectrograms, which jobs are named by. */
  hashes: readonly string[];
}

/** Returns the id to go on behind; null at the end. */
async function sweepPages({ queues }: Session, db: Db, { crawlId, after }: Sweep): Promise<number | null> {
  const { rows } = await db.query<{ id: number }>(
    `SELECT id FROM search_pages WHERE crawl_id = $1 AND id > $2 AND state = 'queued' ORDER BY id LIMIT ${chunk}`,
    [crawlId, after],
  );
  await queues.removeAll(
    'search',
    rows.map(({ id }) => ({ pageId: id })),
  );
  return rows.length < chunk ? null : rows.at(-1)!.id;
}

/** Those of a source that can be asked again wait for somebody to ask. */
async function sweepTracks(
  { queues }: Session,
  db: Db,
  { crawlId, after, hashes }: Sweep,
): Promise<number | null> {
  // Another crawl that meets such a track now waits for this to end, and then enqueues it anew. What a
  // worker has in hand is passed over.
  const { rows } = await db.query<{ id: number }>(
    `SELECT t.id FROM tracks t WHERE t.id > $2 AND t.state IN ('queued', 'fetched')
       AND t.id IN (SELECT track_id FROM crawl_tracks WHERE crawl_id = $1)
     ORDER BY t.id LIMIT ${chunk} FOR UPDATE SKIP LOCKED`,
    [crawlId, after],
  );
  if (rows.length === 0) return null;
  const held = rows.map(({ id }) => id);
  // Asked for once more: which crawls want them is as it stands now, not as it stood before the wait.
  const { rows: unwanted } = await db.query<{ id: number }>(
    `SELECT t.id FROM tracks t WHERE t.id = ANY($2) AND ${onlyHere}`,
    [crawlId, held],
  );
  const ids = unwanted.map(({ id }) => id);
  await db.query(
    `UPDATE tracks SET state = 'listed', updated_at = now()
     WHERE id = ANY($2) AND state = 'queued' AND (SELECT source FROM crawls WHERE id = $1) = 'spotify'`,
    [crawlId, ids],
  );
  for (const parametersHash of hashes) {
    const payloads = ids.map((id) => ({ kind: 'track' as const, id, parametersHash }));
    for (const stage of everyAudioStage) await queues.removeAll(stage, payloads);
    await queues.removeAll(
      'lookup',
      ids.map((trackId) => ({ trackId, crawlId, parametersHash })),
    );
  }
  return rows.length < chunk ? null : held.at(-1)!;
}
