/** The log of all processes on all machines, searched where it lies. */
import type pg from 'pg';
import { withoutFolders } from '../../../shared/failure-causes.ts';
import { levelName, levels } from '../../../shared/metrics/log-lines.ts';
import type { LogItem } from './schemas.ts';

export interface LogQuery {
  text?: string | undefined;
  level?: keyof typeof levels | undefined;
  stage?: string | undefined;
  job?: string | undefined;
  host?: string | undefined;
  process?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** A line's place in the log: lines of several processes lie by time, not by when they were written. */
interface Place {
  /** ISO 8601. */
  at: string;
  id: string;
}

interface Part {
  order: 'newest' | 'oldest';
  limit: number;
  /** Only what is older than this line. */
  before?: Place | undefined;
  /** Only this line and what is newer. */
  from?: Place | undefined;
  /** Only what is newer than this line. */
  after?: Place | undefined;
  /** Only this line and what is older. */
  upTo?: Place | undefined;
  /** So many are passed over. */
  offset?: number;
}

type Row = Omit<LogItem, 'at' | 'level'> & { at: Date; level: number };

/** Lines are read so many at a time for a download. */
const chunk = 1_000;

/** A page of the log, newest first, and `before` of the next one; null: there is none. */
export async function readLog(
  pool: pg.Pool,
  query: LogQuery,
  { limit, before }: { limit: number; before?: string | undefined },
): Promise<{ items: LogItem[]; next: string | null }> {
  const place = before === undefined ? undefined : placeOf(before);
  const items = await readLines(pool, query, { order: 'newest', limit, before: place });
  return { items, next: items.length === limit ? cursorOf(items.at(-1)!) : null };
}

/**
 * The newest lines that fit, oldest first, as text: as they are read, never all of them at once. Which
 * ones they are is settled before this returns.
 * @param most so many at most
 */
export async function logText(pool: pg.Pool, query: LogQuery, most: number): Promise<AsyncIterable<string>> {
  const at = async (offset: number) =>
    (await readLines(pool, query, { order: 'newest', limit: 1, offset }))[0];
  const upTo = await at(0);
  const from = await at(most - 1);
  return (async function* () {
    let after: LogItem | undefined;
    while (upTo) {
      const lines = await readLines(pool, query, {
        ...{ order: 'oldest', limit: chunk, upTo },
        ...(after ? { after } : { from }),
      });
      yield lines.map(lineText).join('');
      after = lines.at(-1);
      if (lines.length < chunk) return;
    }
  })();
}

const cursorOf = ({ at, id }: Place) => `${Date.parse(at)}-${id}`;

/** What stands in a cursor: milliseconds since 1970 and the line's id. */
export const cursorPattern = /^\d{1,14}-\d{1,18}$/;

function placeOf(cursor: string): Place {
  const [ms, id] = cursor.split('-');
  return { at: new Date(Number(ms)).toISOString(), id: id! };
}

async function readLines(pool: pg.Pool, query: LogQuery, part: Part): Promise<LogItem[]> {
  const values: unknown[] = [];
  const value = (one: unknown) => {
    values.push(one);
    return `$${values.length}`;
  };
  const than = (sign: string, place: Place | undefined) =>
    place && `(l.at, l.id) ${sign} (${value(place.at)}::timestamptz, ${value(place.id)}::bigint)`;
  const parts = [
    query.level && `level >= ${value(levels[query.level])}`,
    query.stage && `stage = ${value(query.stage)}`,
    query.job && `job = ${value(query.job)}`,
    query.host && `host = ${value(query.host)}`,
    query.process && `process = ${value(query.process)}`,
    query.from && `at >= ${value(query.from)}::timestamptz`,
    query.to && `at <= ${value(query.to)}::timestamptz`,
    ...[than('<', part.before), than('>', part.after), than('>=', part.from), than('<=', part.upTo)],
    ...(query.text?.match(/[\p{L}\p{N}]+/gu) ?? []).map(
      (word) => `to_tsvector('simple', message) @@ to_tsquery('simple', ${value(`${word}:*`)})`,
    ),
  ].filter(Boolean);
  const direction = part.order === 'newest' ? 'DESC' : 'ASC';
  const { rows } = await pool.query<Row>(
    `SELECT id::text, at, level, host, pid, process, stage, job, message, fields FROM log_lines l
     ${parts.length > 0 ? `WHERE ${parts.join(' AND ')}` : ''}
     ORDER BY l.at ${direction}, l.id ${direction} LIMIT ${part.limit} OFFSET ${part.offset ?? 0}`,
    values,
  );
  return rows.map((row) => ({
    ...{ ...row, at: row.at.toISOString(), level: levelName(row.level) },
    ...{ message: withoutFolders(row.message), fields: told(row.fields) as LogItem['fields'] },
  }));
}

/** Fields of a line with their stacks, without folders of the machine that wrote them. */
function told(value: unknown): unknown {
  if (typeof value === 'string') return withoutFolders(value);
  if (Array.isArray(value)) return value.map(told);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, told(part)]));
}

/** A line as text, as it would stand in a file. */
function lineText({ at, level, host, pid, process, stage, job, message, fields }: LogItem): string {
  const where = [process, stage, job].filter(Boolean).join(' ');
  const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  return `${at} ${level.toUpperCase().padEnd(5)} ${host}/${pid} ${where}: ${message}${rest}\n`;
}
