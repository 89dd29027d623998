/** The log of all processes on all machines, searched where it lies. */
import type pg from 'pg';
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
  /** Older than this line. */
  before?: string | undefined;
}

type Row = Omit<LogItem, 'at' | 'level'> & { at: Date; level: number };

/** Newest first. */
export async function readLog(pool: pg.Pool, query: LogQuery, limit: number): Promise<LogItem[]> {
  const values: unknown[] = [];
  const value = (one: unknown) => {
    values.push(one);
    return `$${values.length}`;
  };
  const parts = [
    query.level && `level >= ${value(levels[query.level])}`,
    query.stage && `stage = ${value(query.stage)}`,
    query.job && `job = ${value(query.job)}`,
    query.host && `host = ${value(query.host)}`,
    query.process && `process = ${value(query.process)}`,
    query.from && `at >= ${value(query.from)}::timestamptz`,
    query.to && `at <= ${value(query.to)}::timestamptz`,
    query.before && `id < ${value(query.before)}::bigint`,
    ...(query.text?.match(/[\p{L}\p{N}]+/gu) ?? []).map(
      (word) => `to_tsvector('simple', message) @@ to_tsquery('simple', ${value(`${word}:*`)})`,
    ),
  ].filter(Boolean);
  const { rows } = await pool.query<Row>(
    `SELECT id::text, at, level, host, pid, process, stage, job, message, fields FROM log_lines l
     ${parts.length > 0 ? `WHERE ${parts.join(' AND ')}` : ''} ORDER BY l.id DESC LIMIT ${limit}`,
    values,
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString(), level: levelName(row.level) }));
}

/** A line as text, as it would stand in a file. */
export function lineText({ at, level, host, pid, process, stage, job, message, fields }: LogItem): string {
  const where = [process, stage, job].filter(Boolean).join(' ');
  const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  return `${at} ${level.toUpperCase().padEnd(5)} ${host}/${pid} ${where}: ${message}${rest}\n`;
}
