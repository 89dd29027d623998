/** Ninety days of throughput, from what all processes counted by the hour. */
import type pg from 'pg';
import { boundsOf, readLabels } from '../../../shared/metrics/definitions.ts';
import { quantileOf } from '../../../shared/metrics/read.ts';
import { stageNames } from '../../../shared/stages.ts';
import { Seldom } from '../pipeline/seldom.ts';
import type { History } from './schemas.ts';

export const spans = {
  '24h': ['hour', 24],
  '7d': ['hour', 168],
  '30d': ['day', 30],
  '90d': ['day', 90],
} as const;
export type Span = keyof typeof spans;

const unitMs = { hour: 3_600_000, day: 86_400_000 };

/** What was counted in one span under one name and its labels. */
interface Row {
  name: string;
  labels: string;
  /** Which span, from 0. */
  place: number;
  count: number;
  sum: number;
  /** Counts by bucket, of jobs alone. */
  buckets: number[] | null;
}

/** An answer serves all who look within this time, in milliseconds: a day moves by the hour, a season by days. */
const freshMs: Record<Span, number> = { '24h': 10_000, '7d': 60_000, '30d': 60_000, '90d': 60_000 };
const readers = new WeakMap<pg.Pool, Map<Span, Seldom<History>>>();

/** Seconds old, a minute at most, or older where it is costly to read. */
export function historyOf(pool: pg.Pool, span: Span): Promise<History> {
  const own = readers.get(pool) ?? new Map<Span, Seldom<History>>();
  readers.set(pool, own);
  const reader = own.get(span) ?? new Seldom(() => readHistory(pool, span), { freshMs: freshMs[span] });
  own.set(span, reader);
  return reader.get();
}

const failing = new Set(['failed', 'retried']);
const well = new Set(['done', 'skipped']);

const jobSeconds = 'hiphop_job_duration_seconds';
const others = [
  'hiphop_recordings_ready_total',
  'hiphop_outside_request_duration_seconds',
  'hiphop_outside_wait_seconds',
];

async function readHistory(pool: pg.Pool, span: Span): Promise<History> {
  const [unit, length] = spans[span];
  const step = unitMs[unit];
  const last = Math.floor(Date.now() / step) * step;
  const first = last - (length - 1) * step;
  const bounds = boundsOf(jobSeconds);
  const rows = await readRows(pool, { first, step, length, buckets: bounds.length + 1 });
  const zeros = () => Array<number>(length).fill(0);
  const of = (name: string) =>
    rows.filter((row) => row.name === name).map((row) => ({ ...row, labels: readLabels(row.labels) }));
  const jobs = of(jobSeconds);
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
        for (const [index, value] of (more ?? []).entries()) buckets[place]![index]! += value;
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

/** Sums by name, labels and span. What a machine whose clock is ahead has counted comes when its hour has come. */
async function readRows(
  pool: pg.Pool,
  { first, step, length, buckets }: { first: number; step: number; length: number; buckets: number },
): Promise<Row[]> {
  const sums = Array.from(
    { length: buckets },
    (_, index) => `coalesce(sum(buckets[${index + 1}]::float8), 0)`,
  );
  const sumsOf = (names: string, more: string) =>
    `SELECT name, labels, floor((extract(epoch FROM hour)::float8 * 1000 - $1) / $2)::int AS place,
       sum(count::float8) AS count, sum(sum) AS sum, ${more} AS buckets
     FROM measurements WHERE hour >= to_timestamp($1 / 1000.0) AND hour < to_timestamp($3 / 1000.0)
       AND name = ANY(${names}) GROUP BY 1, 2, 3`;
  const { rows } = await pool.query<Row>(
    `${sumsOf('$4', `ARRAY[${sums.join()}]`)} UNION ALL ${sumsOf('$5', 'NULL::float8[]')}`,
    [first, step, first + length * step, [jobSeconds], others],
  );
  return rows;
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
