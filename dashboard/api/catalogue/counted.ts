/** Counts of tracks, which paging through a list does not make again and again. */
import { LRUCache } from 'lru-cache';
import type { Database } from '../../../shared/database/index.ts';

/** Where tracks are read from, and which database it is: those of tests share a process. */
export type Source = Pick<Database, 'pool' | 'url'>;

/** How long a count is taken for true, in milliseconds. */
const countedMs = 30_000;

const known = new LRUCache<string, { at: number; total: Promise<number> }>({ max: 500 });

/** What a statement counts as `total`. One that is counted anew is shown as it was until then. */
export function counted({ pool, url }: Source, sql: string, values: unknown[]): Promise<number> {
  const key = JSON.stringify([url, sql, values]);
  const found = known.get(key);
  if (found && Date.now() - found.at < countedMs) return found.total;
  const total = pool.query<{ total: number }>(sql, values).then(({ rows }) => rows[0]!.total);
  total.catch(() => known.delete(key));
  known.set(key, { at: Date.now(), total });
  return found?.total ?? total;
}
