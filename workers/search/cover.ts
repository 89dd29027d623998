/**
 * How a crawl covers its query: what follows when a page is done. Pages of a partition until all that it
 * promised has come, parts of one that overflows, and the end of the search when nothing is left to ask.
 * All of it happens inside the transaction that stores the page, with the crawl's row locked.
 */
import type pg from 'pg';
import { nextParts, type PlannedPart } from '../../shared/sources/spotify/partitions/cut.ts';
import { begins, type Part, queryOf } from '../../shared/sources/spotify/partitions/part.ts';
import { pageLimits, searchWindow } from '../../shared/sources/spotify/query.ts';
import { cutContext } from './known.ts';
import { type CrawlRow, loadPartition, loadParts, type PartitionRow } from './page.ts';
import { honoursNot, planProbe } from './probe.ts';

type Db = pg.ClientBase;

/** A partition whose answers do not add up to what they promise is asked again so many times. */
const maxSweeps = 3;
/** Where NOT is not honoured, parts are planned by a sample of at least so many rows of the whole. */
const sampleRows = 150;

/**
 * Insert a part and its first page; a part inside one that was found empty is not asked again.
 * @returns the page's id, if there is something to ask
 */
async function openPartition(
  db: Db,
  crawl: CrawlRow,
  parentId: number,
  { part, expected }: PlannedPart,
  probe = false,
): Promise<number[]> {
  const empty = !probe && (await isKnownEmpty(db, crawl.id, part));
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO partitions (crawl_id, parent_id, query, part, expected, probe, state, total, note, done_at)
     VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7 THEN 'done' ELSE 'open' END::"PartitionState",
       CASE WHEN $7 THEN 0 END, CASE WHEN $7 THEN 'not asked: a wider part is empty' END,
       CASE WHEN $7 THEN clock_timestamp() END)
     RETURNING id`,
    [crawl.id, parentId, queryOf(part, crawl.query.genre), JSON.stringify(part), expected, probe, empty],
  );
  return empty ? [] : addPages(db, crawl, rows[0]!.id, [0], 0);
}

/** The search overflowed: cut the partition. Returns the ids of the pages to ask next. */
export async function cutPartition(db: Db, crawl: CrawlRow, partition: PartitionRow): Promise<number[]> {
  await db.query(`UPDATE partitions SET state = 'cut' WHERE id = $1`, [partition.id]);
  return advance(db, crawl, { ...partition, state: 'cut' });
}

/** A page of a partition is done: what follows? Returns the ids of the pages to ask next. */
export async function settlePartition(db: Db, crawl: CrawlRow, partition: PartitionRow): Promise<number[]> {
  const pages = await readPages(db, partition.id);
  if (pages.some((page) => page.state === 'queued')) return [];
  if (partition.state === 'cut') return advance(db, crawl, partition);
  const answered = pages.filter((page) => page.state === 'done');
  const skipped = pages.some((page) => page.state === 'skipped');
  const total = usualTotal(answered.map((page) => page.total ?? 0));
  const came = new Set(answered.flatMap((page) => page.trackIds)).size;
  if (!partition.probe && !skipped && answered.length > 0) {
    if (total >= searchWindow) return cutPartition(db, crawl, partition);
    const missing = await askForMissing(db, crawl, partition, answered, total, came);
    if (missing.length > 0) return missing;
  }
  const brought = skipped ? Math.max(total, came) : came;
  await db.query(
    `UPDATE partitions SET state = 'done', total = $2, note = $3, done_at = clock_timestamp(),
       new_rows = (SELECT coalesce(sum(new_rows), 0) FROM search_pages WHERE partition_id = $1) WHERE id = $1`,
    [partition.id, answered.length > 0 ? brought : null, noteOn(partition, pages, came, total)],
  );
  return finished(db, crawl, partition.parentId);
}

/** What people should know of a partition that did not bring what it promised. */
function noteOn(
  partition: PartitionRow,
  pages: readonly PageRow[],
  came: number,
  total: number,
): string | null {
  if (pages.some((page) => page.state === 'failed'))
    return 'some of its pages could not be asked: see the failures';
  if (partition.probe) return 'asked to find out whether the search honours NOT';
  if (pages.some((page) => page.state === 'skipped')) return 'not asked to the end: its tracks were known';
  return came < total ? `${came} of ${total} promised results came, however often it was asked` : null;
}

/** A partition is done: its parent goes on, or the search is over. */
async function finished(db: Db, crawl: CrawlRow, parentId: number | null): Promise<number[]> {
  if (parentId !== null) return advance(db, crawl, await loadPartition(db, parentId));
  await db.query('UPDATE crawls SET searched_at = clock_timestamp() WHERE id = $1', [crawl.id]);
  return [];
}

/** Go on with a partition that was cut: the next parts, or its end. */
async function advance(db: Db, crawl: CrawlRow, partition: PartitionRow): Promise<number[]> {
  const pages = await readPages(db, partition.id);
  if (pages.some((page) => page.state === 'queued')) return [];
  const parts = await loadParts(db, partition.id);
  if (crawl.honoursNot === null) {
    const probe = parts.find((part) => part.probe);
    if (!probe) return openPartition(db, crawl, partition.id, await planProbe(db, partition), true);
    if (probe.state !== 'done') return [];
    crawl.honoursNot = await honoursNot(db, crawl, probe);
  }
  const more = partition.parentId === null && !crawl.honoursNot ? await sampleMore(db, crawl, partition) : [];
  if (more.length > 0) return more;
  const done = parts.filter((part) => !part.probe);
  const cut = done.map(({ part, state, total }) => ({ part, total: state === 'done' ? (total ?? 0) : null }));
  if (cut.some(({ total }) => total === null)) return [];
  const planned = nextParts(partition.part, cut, await cutContext(db, crawl, partition));
  if (planned.length === 0) return complete(db, crawl, partition, cut);
  const ids: number[] = [];
  for (const part of planned) ids.push(...(await openPartition(db, crawl, partition.id, part)));
  // Where all of them are known to be empty, it goes on at once.
  return ids.length > 0 ? ids : advance(db, crawl, partition);
}

async function complete(
  db: Db,
  crawl: CrawlRow,
  partition: PartitionRow,
  parts: readonly { total: number | null }[],
): Promise<number[]> {
  const total = parts.reduce((sum, part) => sum + (part.total ?? 0), 0);
  await db.query(
    `UPDATE partitions SET state = 'done', total = $2, done_at = clock_timestamp() WHERE id = $1`,
    [partition.id, total],
  );
  return finished(db, crawl, partition.parentId);
}

/** More pages of the whole, so that its parts are planned by more than one page. */
async function sampleMore(db: Db, crawl: CrawlRow, partition: PartitionRow): Promise<number[]> {
  const limit = pageLimits[crawl.quota ?? 'extended'];
  const offsets = Array.from({ length: sampleRows / limit }, (_, index) => index * limit);
  return addPages(db, crawl, partition.id, offsets, 0);
}

/** Pages that have not been asked, or came short, or did not come because rows came twice. */
async function askForMissing(
  db: Db,
  crawl: CrawlRow,
  partition: PartitionRow,
  pages: readonly PageRow[],
  total: number,
  came: number,
): Promise<number[]> {
  const limit = pages[0]!.limit;
  const asked = new Set(pages.map((page) => page.offset));
  const last = Math.max(...asked);
  const lastIsFull = pages.some((page) => page.offset === last && (page.rows ?? 0) >= limit);
  const offsets: number[] = [];
  // Where the last page is full there may be more than was promised.
  for (let offset = 0; offset < total || (lastIsFull && offset === last + limit); offset += limit) {
    if (!asked.has(offset) && offset + limit <= searchWindow) offsets.push(offset);
  }
  if (offsets.length > 0) return addPages(db, crawl, partition.id, offsets, 0);
  const sweep = Math.max(...pages.map((page) => page.sweep));
  // One answer alone may be wrong both in what it promises and in what it brings.
  const alone = pages.length === 1 && (await isUnsteady(db, crawl.id));
  if ((came >= total && !alone) || sweep >= maxSweeps) return [];
  const before = new Set(pages.filter((page) => page.sweep < sweep).flatMap((page) => page.trackIds)).size;
  if (sweep > 1 && before === came) return []; // asking again brings nothing
  const best = (offset: number) =>
    Math.max(...pages.filter((page) => page.offset === offset).map((page) => new Set(page.trackIds).size));
  const short = [...asked].filter(
    (offset) => offset < total && best(offset) < Math.min(limit, total - offset),
  );
  return addPages(db, crawl, partition.id, short.length > 0 ? short : [...asked], sweep + 1);
}

interface PageRow {
  offset: number;
  limit: number;
  sweep: number;
  state: 'queued' | 'done' | 'skipped' | 'failed';
  total: number | null;
  rows: number | null;
  trackIds: number[];
}

async function readPages(db: Db, partitionId: number): Promise<PageRow[]> {
  const { rows } = await db.query<PageRow>(
    `SELECT "offset", "limit", sweep, state, total, rows, track_ids AS "trackIds" FROM search_pages
     WHERE partition_id = $1 ORDER BY "offset", sweep`,
    [partitionId],
  );
  return rows;
}

async function addPages(
  db: Db,
  crawl: CrawlRow,
  partitionId: number,
  offsets: readonly number[],
  sweep: number,
): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO search_pages (crawl_id, partition_id, "offset", "limit", sweep)
     SELECT $1, $2, o, $4, $5 FROM unnest($3::int[]) WITH ORDINALITY AS r(o, n) ORDER BY n
     ON CONFLICT (partition_id, "offset", sweep) DO NOTHING RETURNING id`,
    [crawl.id, partitionId, offsets, pageLimits[crawl.quota ?? 'extended'], sweep],
  );
  return rows.map(({ id }) => id);
}

/** Whether the search has promised this crawl other than it brought. */
export async function isUnsteady(db: Pick<Db, 'query'>, crawlId: number): Promise<boolean> {
  const { rows } = await db.query<{ yes: boolean }>(
    'SELECT EXISTS (SELECT 1 FROM search_pages WHERE crawl_id = $1 AND sweep > 0) AS yes',
    [crawlId],
  );
  return rows[0]!.yes;
}

/** What most answers said: totals waver. Of equally frequent ones the larger, so that one more is asked. */
function usualTotal(totals: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const total of totals) counts.set(total, (counts.get(total) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]?.[0] ?? 0;
}

/** Whether a part lies inside one that was found empty: it is not asked again in the same crawl. */
async function isKnownEmpty(db: Db, crawlId: number, part: Part): Promise<boolean> {
  const prefix = part.artist.at(-1);
  if (prefix === undefined) return false;
  const { rows } = await db.query<{ part: Part }>(
    `SELECT part FROM partitions WHERE crawl_id = $1 AND state = 'done' AND total = 0 AND NOT probe
       AND left(part->'artist'->>0, 1) = left($2, 1)`,
    [crawlId, part.artist[0]],
  );
  return rows.some(
    ({ part: empty }) =>
      empty.years[0] <= part.years[0] &&
      empty.years[1] >= part.years[1] &&
      empty.title === null &&
      empty.artist.length === 1 &&
      begins([prefix], empty.artist[0]!) &&
      empty.notArtist.every((other) => part.notArtist.includes(other)),
  );
}
