/** How many pages and tracks crawls have brought; of those that are over this is counted once. */
import { LRUCache } from 'lru-cache';
import type { Crawl } from '../../../shared/database/generated/client.ts';
import type { Database } from '../../../shared/database/index.ts';

interface Counts {
  pages: number;
  tracks: number;
}

/** What was at work when a crawl ended has ended too after this, in milliseconds. */
const settledMs = 60_000;

const known = new LRUCache<string, Counts>({ max: 5_000 });

export async function crawlCounts(
  { pool, url }: Pick<Database, 'pool' | 'url'>,
  crawls: readonly Pick<Crawl, 'id' | 'state' | 'finishedAt'>[],
): Promise<Map<number, Counts>> {
  const counts = new Map<number, Counts>();
  const keys = new Map<number, string>();
  for (const { id, state, finishedAt } of crawls) {
    if (state === 'running' || !finishedAt || Date.now() - finishedAt.getTime() < settledMs) continue;
    // One that is gone on with ends again, at another time. Databases of tests share this process.
    const key = JSON.stringify([url, id, finishedAt]);
    keys.set(id, key);
    const found = known.get(key);
    if (found) counts.set(id, found);
  }
  const rest = crawls.map(({ id }) => id).filter((id) => !counts.has(id));
  if (rest.length === 0) return counts;
  const { rows } = await pool.query<Counts & { id: number }>(
    `SELECT id, (SELECT count(*)::int FROM search_pages WHERE crawl_id = id AND state = 'done') AS pages,
       (SELECT count(*)::int FROM crawl_tracks WHERE crawl_id = id) AS tracks FROM unnest($1::int[]) AS id`,
    [rest],
  );
  for (const { id, ...found } of rows) {
    counts.set(id, found);
    const key = keys.get(id);
    if (key) known.set(key, found);
  }
  return counts;
}
