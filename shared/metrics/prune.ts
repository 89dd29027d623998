/** Old hours, old lines, what nobody by name tried long ago and where trainings stopped for good go. */
import type pg from 'pg';
import { allHours } from './recorder.ts';

/** How long they are kept, in days. */
export const keptDays = { measurements: 90, logLines: 14, nobodysEntries: 30, checkpoints: 30 } as const;
/** So many lines are kept at most, the newest. */
export const mostLogLines = 500_000;
/** Rows removed by one statement: long transactions slow the queues down. */
const chunk = 10_000;

/** Any number of processes may do this; one at a time does. */
export async function prune(
  pool: Pick<pg.Pool, 'query'>,
  limits = { ...keptDays, mostLogLines },
): Promise<void> {
  const removals: [sql: string, limit: number][] = [
    [
      `SELECT ctid FROM measurements
       WHERE hour > to_timestamp(${allHours}) AND hour < now() - $1 * interval '1 day' LIMIT ${chunk}`,
      limits.measurements,
    ],
    [`SELECT ctid FROM log_lines WHERE at < now() - $1 * interval '1 day' LIMIT ${chunk}`, limits.logLines],
    [
      `SELECT ctid FROM log_lines
       WHERE id <= (SELECT id FROM log_lines ORDER BY id DESC OFFSET $1 LIMIT 1) ORDER BY id LIMIT ${chunk}`,
      limits.mostLogLines,
    ],
    // Of the audit: wrong names and passwords. What somebody who was known did stays.
    [
      `SELECT ctid FROM audit_entries
       WHERE who = 'nobody' AND at < now() - $1 * interval '1 day' LIMIT ${chunk}`,
      limits.nobodysEntries,
    ],
    // Millions of weights each; a training that is resumed after all begins anew.
    [
      `SELECT ctid FROM checkpoints
       WHERE updated_at < now() - $1 * interval '1 day'
         AND model_id IN (SELECT id FROM models WHERE state IN ('failed', 'cancelled')) LIMIT ${chunk}`,
      limits.checkpoints,
    ],
  ];
  for (const [rows, limit] of removals) {
    const table = /FROM (\w+)/.exec(rows)![1];
    const remove = `DELETE FROM ${table} WHERE ctid IN (${rows})
      AND (SELECT pg_try_advisory_xact_lock(hashtext('hiphop prune')))`;
    while (((await pool.query(remove, [limit])).rowCount ?? 0) === chunk);
  }
}
