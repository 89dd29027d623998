/** Counts of tracks, which paging through a list does not make again and again. */
import { LRUCache } from 'lru-cache';
import type { Database } from '../../../shared/database/index.ts';

/** Where tracks are read from, and which database it is: those of tests share a process. */
export type Source = Pick<Database, 'pool' | 'url'>;

/** Up to which age a count is taken for true, and up to which it is shown while it is made anew, in milliseconds. */
interface Ages {
  freshMs: number;
  shownMs: number;
}

const usual: Ages = { freshMs: 30_000, shownMs: 300_000 };

const known = new LRUCache<string, { at: number; total: Promise<number> }>({ max: 500 });

/** What a statement counts as `total`. One that is counted anew is shown as it was until then, unless that is long ago. */
export function counted(
  { pool, url }: Source,
  sql: string,
  values: unknown[],
  { freshMs, shownMs }: Ages = usual,
): Promise<number> {
  const key = JSON.stringify([url, sql, values]);
  const found = known.get(key);
  const age = found ? Date.now() - found.at : Number.POSITIVE_INFINITY;
  if (found && age < freshMs) return found.total;
  const total = pool.query<{ total: number }>(sql, values).then(({ rows }) => rows[0]!.total);
  total.catch(() => known.delete(key));
  known.set(key, { at: Date.now(), total });
  return found && age < shownMs ? found.total : total;
}
