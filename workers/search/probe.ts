/**
 * Does the search honour NOT? Spotify has, and has not: it is found out by asking. A query that excludes
 * a frequent letter must bring rows, and none of a name with that letter.
 */
import type pg from 'pg';
import type { PlannedPart } from '../../shared/sources/spotify/partitions/cut.ts';
import { begins, wordsOf } from '../../shared/sources/spotify/partitions/part.ts';
import type { CrawlRow, PartitionRow } from './page.ts';

/** Fewer rows than this prove nothing. */
const leastRows = 5;

/** The partition once more, without its most frequent letter. */
export async function planProbe(db: pg.ClientBase, partition: PartitionRow): Promise<PlannedPart> {
  const counts = new Map<string, number>();
  for (const names of await namesOf(db, partition.id)) {
    for (const letter of new Set(names.flatMap(wordsOf).map((word) => [...word][0]!))) {
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
  }
  const letter = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 's';
  return { part: { ...partition.part, notArtist: [letter] }, expected: null };
}

/** Read what the probe brought, and remember it on the crawl. */
export async function honoursNot(db: pg.ClientBase, crawl: CrawlRow, probe: PartitionRow): Promise<boolean> {
  const letter = probe.part.notArtist.at(-1)!;
  const rows = await namesOf(db, probe.id);
  const honoured = rows.length >= leastRows && !rows.some((names) => begins(names.flatMap(wordsOf), letter));
  await db.query('UPDATE crawls SET honours_not = $2 WHERE id = $1', [crawl.id, honoured]);
  return honoured;
}

/** Of each track that the partition's pages brought the names of its artists. */
async function namesOf(db: pg.ClientBase, partitionId: number): Promise<string[][]> {
  const { rows } = await db.query<{ names: string[] }>(
    `SELECT array_agg(a.name) AS names
     FROM (SELECT DISTINCT unnest(track_ids) AS id FROM search_pages WHERE partition_id = $1) AS t
     JOIN track_artists ta ON ta.track_id = t.id JOIN artists a ON a.id = ta.artist_id GROUP BY t.id`,
    [partitionId],
  );
  return rows.map(({ names }) => names);
}
