/**
 * What this process counts, in memory, until it is added to what all processes have counted: one row a
 * metric, labels and hour, and the sum of all hours, which Prometheus reads.
 */
import type pg from 'pg';
import {
  boundsOf,
  type CounterName,
  type HistogramName,
  type LabelsOf,
  labelText,
  type MetricName,
} from './definitions.ts';

const hourMs = 3_600_000;
/** The hour of the row that sums up all hours. */
export const allHours = 0;

interface Cell {
  name: MetricName;
  labels: string;
  /** Start of the hour, in milliseconds since 1970; `allHours`: their sum. */
  hour: number;
  count: number;
  sum: number;
  /** Counts by bucket, not cumulated; the last one is beyond all bounds. Empty for a counter. */
  buckets: number[];
}

export class Recorder {
  #cells = new Map<string, Cell>();

  /** @param by not negative */
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    if (by > 0) this.#add(name, labels, { count: by, sum: by, buckets: [] });
  }

  /** @param value in the metric's unit */
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    if (!Number.isFinite(value)) return;
    const bounds = boundsOf(name);
    const found = bounds.findIndex((bound) => value <= bound);
    const buckets = Array<number>(bounds.length + 1).fill(0);
    buckets[found === -1 ? bounds.length : found] = 1;
    this.#add(name, labels, { count: 1, sum: value, buckets });
  }

  /**
   * Add what was counted since the last time to the database. What could not be written is kept for the
   * next time.
   * @throws what the database says
   */
  async flush(pool: Pick<pg.Pool, 'query'>): Promise<void> {
    const taken = this.#cells;
    if (taken.size === 0) return;
    this.#cells = new Map();
    try {
      await write(pool, withSums(taken));
    } catch (error) {
      for (const cell of taken.values()) merge(this.#cells, cell);
      throw error;
    }
  }

  #add(
    name: MetricName,
    labels: Readonly<Record<string, string>>,
    counted: Pick<Cell, 'count' | 'sum' | 'buckets'>,
  ): void {
    const hour = Math.floor(Date.now() / hourMs) * hourMs;
    merge(this.#cells, { name, labels: labelText(labels), hour, ...counted });
  }
}

/** What this process counts. */
export const recorder = new Recorder();

const keyOf = ({ name, labels, hour }: Cell) => `${name} ${labels} ${hour}`;

function merge(cells: Map<string, Cell>, cell: Cell): void {
  const key = keyOf(cell);
  const known = cells.get(key);
  if (!known) {
    cells.set(key, cell);
    return;
  }
  known.count += cell.count;
  known.sum += cell.sum;
  for (const [index, count] of cell.buckets.entries()) known.buckets[index]! += count;
}

/** The cells and their sums over all hours, in the one order in which all processes lock their rows. */
function withSums(cells: ReadonlyMap<string, Cell>): Cell[] {
  const all = new Map(cells);
  for (const cell of cells.values()) merge(all, { ...cell, hour: allHours, buckets: [...cell.buckets] });
  return [...all.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cell]) => cell);
}

async function write(pool: Pick<pg.Pool, 'query'>, cells: readonly Cell[]): Promise<void> {
  await pool.query(
    `INSERT INTO measurements (name, labels, hour, count, sum, buckets)
     SELECT name, labels, to_timestamp(hour / 1000), count, sum, buckets::bigint[]
     FROM unnest($1::text[], $2::text[], $3::float8[], $4::bigint[], $5::float8[], $6::text[])
       WITH ORDINALITY AS cells (name, labels, hour, count, sum, buckets, place)
     ORDER BY place
     ON CONFLICT (name, labels, hour) DO UPDATE SET
       count = measurements.count + excluded.count,
       sum = measurements.sum + excluded.sum,
       buckets = ARRAY(
         SELECT coalesce(old, 0) + coalesce(new, 0)
         FROM unnest(measurements.buckets, excluded.buckets) WITH ORDINALITY AS pairs (old, new, place)
         ORDER BY place)`,
    [
      ...[cells.map(({ name }) => name), cells.map(({ labels }) => labels)],
      ...[cells.map(({ hour }) => hour), cells.map(({ count }) => count), cells.map(({ sum }) => sum)],
      cells.map(({ buckets }) => `{${buckets.join()}}`),
    ],
  );
}
