/** What all processes have counted, read from the database. */
import type pg from 'pg';
import { type MetricName, metricNames, readLabels } from './definitions.ts';
import { allHours } from './recorder.ts';

export interface Total {
  name: MetricName;
  labels: Record<string, string>;
  count: number;
  sum: number;
  /** Counts by bucket, not cumulated; empty for a counter. */
  buckets: number[];
}

/** The sums over all hours ever, sorted by name and labels. */
export async function readTotals(pool: Pick<pg.Pool, 'query'>): Promise<Total[]> {
  const { rows } = await pool.query<Omit<Total, 'labels'> & { labels: string }>(
    `SELECT name, labels, count::float8 AS count, sum, buckets::float8[] AS buckets FROM measurements
     WHERE hour = to_timestamp($1) AND name = ANY($2) ORDER BY name, labels`,
    [allHours, metricNames],
  );
  return rows.map((row) => ({ ...row, labels: readLabels(row.labels) }));
}

/**
 * A quantile of what a histogram counted, as Prometheus' histogram_quantile estimates it: even within a
 * bucket. Beyond the last bound it is that bound, which is then too low.
 * @param buckets counts, not cumulated, one more than there are bounds
 * @returns in the histogram's unit; null when nothing was counted
 */
export function quantileOf(
  buckets: readonly number[],
  bounds: readonly number[],
  quantile: number,
): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = quantile * total;
  let below = 0;
  for (const [index, bound] of bounds.entries()) {
    const count = buckets[index] ?? 0;
    if (count > 0 && below + count >= rank) {
      const from = index === 0 ? 0 : bounds[index - 1]!;
      return from + ((bound - from) * (rank - below)) / count;
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}
