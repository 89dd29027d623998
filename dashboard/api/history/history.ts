/** Ninety days of throughput, from what all processes counted by the hour. */
import type pg from 'pg';
import type { Database } from '../../../shared/database/index.ts';
import { boundsOf, readLabels } from '../../../shared/metrics/definitions.ts';
import { quantileOf } from '../../../shared/metrics/read.ts';
import { stageNames } from '../../../shared/stages.ts';
import type { History } from './schemas.ts';

export const spans = {
  '24h': ['hour', 24],
  '7d': ['hour', 168],
  '30d': ['day', 30],
  '90d': ['day', 90],
} as const;
export type Span = keyof typeof spans;

const unitMs = { hour: 3_600_000, day: 86_400_000 };

interface Row {
  name: string;
  labels: string;
  at: number;
  count: number;
  sum: number;
  buckets: number[];
}

/** How long what spans days is shown before it is read anew, in milliseconds: a season is a million buckets. */
const freshMs = 60_000;
const known = new Map<string, { at: number; history: Promise<History> }>();

const failing = new Set(['failed', 'retried']);
const well = new Set(['done', 'skipped']);

/** The history; what spans days is a minute old at most, or older while it is read anew: never twice at once. */
export async function historyOf({ pool, url }: Pick<Database, 'pool' | 'url'>, span: Span): Promise<History> {
  if (span === '24h') return readHistory(pool, span);
  const key = `${url} ${span}`;
  const found = known.get(key);
  if (found && Date.now() - found.at < freshMs) return found.history;
  const history = readHistory(pool, span);
  known.set(key, { at: Date.now(), history });
  history.catch(() => known.delete(key));
  return found ? found.history : history;
}

/** The sum of each bucket, added up where the hours lie. */
const bucketSums = Array.from(
  { length: boundsOf('hiphop_job_duration_seconds').length + 1 },
  (_, index) => `coalesce(sum(buckets[${index + 1}]), 0)::float8`,
).join(', ');

async function readHistory(pool: pg.Pool, span: Span): Promise<History> {
  const [unit, length] = spans[span];
  const step = unitMs[unit];
  const last = Math.floor(Date.now() / step) * step;
  const first = last - (length - 1) * step;
  const { rows } = await pool.query<Row>(
    `SELECT name, labels, floor(extract(epoch FROM hour) * 1000 / $2)::float8 * $2 AS at,
       sum(count)::float8 AS count, sum(sum)::float8 AS sum, ARRAY[${bucketSums}] AS buckets
     FROM measurements WHERE hour >= to_timestamp($1 / 1000.0) AND name = ANY($3) GROUP BY 1, 2, 3`,
    [
      first,
      step,
      [
        ...['hiphop_job_duration_seconds', 'hiphop_recordings_ready_total'],
        ...['hiphop_outside_request_duration_seconds', 'hiphop_outside_wait_seconds'],
      ],
    ],
  );
  const zeros = () => Array<number>(length).fill(0);
  const placeOf = ({ at }: Row) => Math.round((at - first) / step);
  const of = (name: string) =>
    rows
      .filter((row) => row.name === name)
      .map((row) => ({ ...row, labels: readLabels(row.labels), place: placeOf(row) }));
  const jobs = of('hiphop_job_duration_seconds');
  const bounds = boundsOf('hiphop_job_duration_seconds');
  const ready = zeros();
  for (const { labels, place, sum } of of('hiphop_recordings_ready_total')) {
    if (labels['kind'] === 'track') ready[place]! += sum;
  }
  const requests = grouped(of('hiphop_outside_request_duration_seconds'), ({ labels }) => [
    labels['service']!,
    labels['status']!,
  ]);
  const waits = grouped(of('hiphop_outside_wait_seconds'), ({ labels }) => [labels['service']!]);
  return {
    spans: Array.from({ length }, (_, index) => new Date(first + index * step).toISOString()),
    unit,
    stages: stageNames.map((stage) => {
      const own = jobs.filter(({ labels }) => labels['stage'] === stage);
      const [done, failed, seconds, counted] = [zeros(), zeros(), zeros(), zeros()];
      const buckets = Array.from({ length }, () => Array<number>(bounds.length + 1).fill(0));
      for (const { labels, place, count, sum, buckets: more } of own) {
        const outcome = labels['outcome']!;
        if (well.has(outcome)) done[place]! += count;
        if (failing.has(outcome)) failed[place]! += count;
        if (!well.has(outcome) && !failing.has(outcome)) continue;
        seconds[place]! += sum;
        counted[place]! += count;
        for (const [index, value] of more.entries()) buckets[place]![index]! += value;
      }
      return {
        ...{ stage, done, failed },
        meanSeconds: counted.map((count, place) => (count > 0 ? seconds[place]! / count : null)),
        p95Seconds: buckets.map((one) => quantileOf(one, bounds, 0.95)),
      };
    }),
    ready,
    requests: [...requests.values()].map(({ key: [service, status], rows: own }) => {
      const counts = zeros();
      for (const { place, count } of own) counts[place]! += count;
      return { service: service!, status: status!, counts };
    }),
    waits: [...waits.values()].map(({ key: [service], rows: own }) => {
      const [counts, seconds] = [zeros(), zeros()];
      for (const { place, count, sum } of own) {
        counts[place]! += count;
        seconds[place]! += sum;
      }
      return { service: service!, counts, seconds };
    }),
  };
}

function grouped<T>(
  rows: readonly T[],
  keyOf: (row: T) => string[],
): Map<string, { key: string[]; rows: T[] }> {
  const groups = new Map<string, { key: string[]; rows: T[] }>();
  for (const row of rows) {
    const key = keyOf(row);
    const name = key.join(' ');
    const group = groups.get(name) ?? { key, rows: [] };
    group.rows.push(row);
    groups.set(name, group);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}
