/** Batches as rows: scored when none of their songs is under way, whatever was lost on the way. Used by every role. */
import type pg from 'pg';
import type { Queues } from '../queues/queues.ts';

/** A job that failed so lately is still being written down by who ran it, in milliseconds. */
const settlingMs = 10_000;

/**
 * Ask for the scoring of the running batches of which no song is under way: the job that scored the others
 * may have looked before the last one was ready, and the last one may have been deleted.
 */
export async function settleBatches(pool: pg.Pool, queues: Pick<Queues, 'find' | 'enqueue'>): Promise<void> {
  const { rows } = await pool.query<{ id: number }>(
    `SELECT id FROM score_batches b WHERE state = 'running' AND NOT EXISTS (
       SELECT 1 FROM songs s WHERE s.batch_id = b.id AND s.state IN ('queued', 'fetched'))`,
  );
  for (const { id: batchId } of rows) {
    const job = await queues.find('score', { batchId });
    const ended = job && (await job.isFailed()) ? (job.finishedOn ?? Date.now()) : null;
    if (job && (ended === null || Date.now() - ended < settlingMs)) continue;
    await queues.enqueue('score', [{ batchId }]);
  }
}
