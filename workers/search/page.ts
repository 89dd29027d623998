/** A search page as a job finds it: what to ask, for which part of which crawl. */
import type pg from 'pg';
import { type Part, partSchema } from '../../shared/sources/spotify/partitions/part.ts';
import type { CrawlQuery } from '../../shared/sources/spotify/query.ts';

export interface PageWork {
  id: number;
  offset: number;
  limit: number;
  sweep: number;
  state: 'queued' | 'done' | 'skipped' | 'failed';
  partition: PartitionRow;
  crawl: CrawlRow;
}

export interface PartitionRow {
  id: number;
  parentId: number | null;
  query: string;
  part: Part;
  state: 'open' | 'cut' | 'done';
  probe: boolean;
  expected: number | null;
  total: number | null;
}

export interface CrawlRow {
  id: number;
  state: string;
  query: CrawlQuery;
  quota: 'extended' | 'development' | null;
  honoursNot: boolean | null;
  parametersHash: string | null;
}

const partitionColumns = `p.id AS "partitionId", p.parent_id AS "parentId", p.query AS "partitionQuery", p.part,
  p.state AS "partitionState", p.probe, p.expected, p.total`;

/** The page with its partition and crawl, or null when it has been deleted since. */
export async function loadPage(db: Pick<pg.ClientBase, 'query'>, id: number): Promise<PageWork | null> {
  const { rows } = await db.query(
    `SELECT s.id, s."offset", s."limit", s.sweep, s.state, ${partitionColumns},
            c.id AS "crawlId", c.state AS "crawlState", c.query, c.quota, c.honours_not AS "honoursNot",
            c.parameters_hash AS "parametersHash"
     FROM search_pages s JOIN partitions p ON p.id = s.partition_id JOIN crawls c ON c.id = s.crawl_id
     WHERE s.id = $1`,
    [id],
  );
  const row = rows[0];
  if (!row) return null;
  return {
    ...{ id: row.id, offset: row.offset, limit: row.limit, sweep: row.sweep, state: row.state },
    partition: readPartition(row),
    crawl: {
      ...{ id: row.crawlId, state: row.crawlState, query: row.query, quota: row.quota },
      ...{ honoursNot: row.honoursNot, parametersHash: row.parametersHash },
    },
  };
}

export async function loadPartition(db: Pick<pg.ClientBase, 'query'>, id: number): Promise<PartitionRow> {
  const { rows } = await db.query(`SELECT ${partitionColumns} FROM partitions p WHERE p.id = $1`, [id]);
  return readPartition(rows[0]);
}

/** The parts that were cut off a partition, in their order. */
export async function loadParts(db: Pick<pg.ClientBase, 'query'>, parentId: number): Promise<PartitionRow[]> {
  const { rows } = await db.query(
    `SELECT ${partitionColumns} FROM partitions p WHERE p.parent_id = $1 ORDER BY p.id`,
    [parentId],
  );
  return rows.map(readPartition);
}

function readPartition(row: {
  partitionId: number;
  parentId: number | null;
  partitionQuery: string;
  part: unknown;
  partitionState: PartitionRow['state'];
  probe: boolean;
  expected: number | null;
  total: number | null;
}): PartitionRow {
  return {
    ...{ id: row.partitionId, parentId: row.parentId, query: row.partitionQuery, state: row.partitionState },
    ...{ probe: row.probe, expected: row.expected, total: row.total, part: partSchema.parse(row.part) },
  };
}
