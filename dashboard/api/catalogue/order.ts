/** Which tracks stand on a page of a list: their ids, in order. */
import type pg from 'pg';
import { counted, type Source } from './counted.ts';
import type { Condition } from './search.ts';

export interface Part {
  /** One of `trackSorts`; a minus turns the order round. */
  sort: string;
  offset: number;
  limit: number;
}

export async function idsOnPage(database: Source, condition: Condition, part: Part): Promise<number[]> {
  const { pool } = database;
  const direction = part.sort.startsWith('-') ? 'DESC' : 'ASC';
  switch (part.sort.replace(/^-/, '')) {
    case 'title':
      return select(pool, condition, part, `t.title ${direction}, t.id`);
    case 'released':
      return select(pool, condition, part, `t.release_date ${direction} NULLS LAST, t.id`);
    case 'popularity':
      return byPopularity(database, condition, part, direction);
    default:
      return select(pool, condition, part, `t.id ${direction}`);
  }
}

/** More of a statement FROM tracks t: what is joined, and a condition beside the one that is asked for. */
interface More {
  join?: string;
  and?: string;
}

const from = ({ where }: Condition, { join = '', and }: More) =>
  `FROM tracks t ${join} ${where}${and ? `${where ? ' AND' : 'WHERE'} ${and}` : ''}`;

async function select(
  pool: pg.Pool,
  condition: Condition,
  { offset, limit }: Omit<Part, 'sort'>,
  orderBy: string,
  more: More = {},
): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `SELECT t.id ${from(condition, more)} ORDER BY ${orderBy} LIMIT ${limit} OFFSET ${offset}`,
    condition.values,
  );
  return rows.map(({ id }) => id);
}

/** Along the index of readings: those that are not the newest of their track are passed over. */
const newest: More = {
  join: 'JOIN popularity_readings n ON n.track_id = t.id AND n.value IS NOT NULL',
  and: `NOT EXISTS (SELECT FROM popularity_readings l
    WHERE l.track_id = n.track_id AND l.value IS NOT NULL AND (l.taken_at, l.id) > (n.taken_at, n.id))`,
};
const rated = `EXISTS (SELECT FROM popularity_readings r WHERE r.track_id = t.id AND r.value IS NOT NULL)`;

/** Further into the list than this the nearer end is walked from. */
const deep = 2_000;

/** Tracks without a reading follow those that have one, whichever way these are ordered. */
async function byPopularity(
  database: Source,
  condition: Condition,
  { offset, limit }: Part,
  direction: 'ASC' | 'DESC',
): Promise<number[]> {
  const { pool } = database;
  const known = offset < deep ? null : await countRated(database, condition);
  const first = await ratedTracks(pool, condition, { offset, limit, direction, count: known });
  if (first.length === limit) return first;
  // How many come before those without a reading: counted where this page does not tell.
  const toldHere = first.length > 0 || offset === 0 ? offset + first.length : null;
  const before = known ?? toldHere ?? (await countRated(database, condition));
  const rest = { offset: Math.max(0, offset - before), limit: limit - first.length };
  return [...first, ...(await select(pool, condition, rest, 't.id', { and: `NOT ${rated}` }))];
}

/** @param count of all that have a reading; null: not known, and not needed near the beginning. */
async function ratedTracks(
  pool: pg.Pool,
  condition: Condition,
  part: { offset: number; limit: number; direction: 'ASC' | 'DESC'; count: number | null },
): Promise<number[]> {
  const { offset, limit, direction, count } = part;
  const left = count === null ? Number.POSITIVE_INFINITY : count - offset;
  if (left <= 0) return [];
  if (offset < left) return select(pool, condition, part, `n.value ${direction}, t.id`, newest);
  const here = Math.min(limit, left);
  const backwards = `n.value ${direction === 'ASC' ? 'DESC' : 'ASC'}, t.id DESC`;
  const ids = await select(pool, condition, { offset: left - here, limit: here }, backwards, newest);
  return ids.reverse();
}

/** Pages are cut by it: one that is older puts tracks without a reading among those that have one. */
export const ratedAges = { freshMs: 2_000, shownMs: 10_000 };

function countRated(database: Source, condition: Condition): Promise<number> {
  return counted(
    database,
    `SELECT count(*)::int AS total ${from(condition, { and: rated })}`,
    condition.values,
    ratedAges,
  );
}
