/** What a crawl knows already: from it parts are cut well, and pages that would bring nothing are left out. */
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type { CutContext } from '../../shared/sources/spotify/partitions/cut.ts';
import { type Part, type PartTrack, wordsOf } from '../../shared/sources/spotify/partitions/part.ts';
import { longestQuery, searchWindow } from '../../shared/sources/spotify/query.ts';
import type { CrawlRow, PartitionRow } from './page.ts';

type Db = Pick<pg.ClientBase, 'query'>;

/** Tracks that a part's cut is planned by. */
const sampleSize = 1_500;
const sampleArtists = 400;
/** Parts that were asked last: how much of them was known before tells the same of those to come. */
const recentParts = 5;
/** A part whose size is estimated by fewer known tracks, or with less known, is not estimated. */
const leastKnown = { tracks: 30, share: 0.08 };
/** Letters that follow a consonant now and then; others are asked for only where they were seen. */
const afterConsonants = 'aeiouyrhltnswkcm';

/** A part is cut in several steps: its sample is drawn once. By partition; a sample is some 300 KB. */
const samples = new LRUCache<number, PartTrack[]>({ max: 30 });

/** All that the next cut of a partition depends on. */
export async function cutContext(db: Db, crawl: CrawlRow, partition: PartitionRow): Promise<CutContext> {
  const { part } = partition;
  const honoursNot = crawl.honoursNot ?? false;
  let sample = samples.get(partition.id);
  if (!sample) {
    sample = await drawSample(db, crawl.id, part);
    // The first ones are drawn when little is known, and soon outdated.
    if (sample.length >= 500) samples.set(partition.id, sample);
  }
  const size = honoursNot
    ? (partition.expected ?? (await sizeOfOtherYear(db, crawl.id, part)))
    : await estimateSize(db, crawl.id, part);
  return {
    genre: crawl.query.genre,
    ...{ honoursNot, sample, size, window: searchWindow, longestQuery },
    cutByYears: crawl.query.years[0] !== crawl.query.years[1],
    rareApart: partition.parentId === null && honoursNot && (await wasEnumerated(db, crawl.id)),
    firstCharacters: await firstCharacters(db),
    furtherCharacters: await furtherCharacters(db, part.artist.at(-1) ?? ''),
  };
}

/** How many tracks of a part the crawl has seen, as far as their words tell; null where they do not. */
export async function countKnown(db: Db, crawlId: number, part: Part): Promise<number | null> {
  if (part.title !== null || part.artist.length !== 1 || part.notArtist.length > 0) return null;
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(DISTINCT ta.track_id)::int AS count
     FROM artist_words w JOIN track_artists ta ON ta.artist_id = w.artist_id
     JOIN crawl_tracks c ON c.track_id = ta.track_id AND c.crawl_id = $1
     JOIN tracks t ON t.id = ta.track_id
     WHERE w.word LIKE $2 AND t.release_date BETWEEN make_date($3, 1, 1) AND make_date($4, 12, 31)`,
    [crawlId, likeOf(part.artist[0]!), ...part.years],
  );
  return rows[0]!.count;
}

/**
 * About how many tracks a part has, where parts overlap: of the parts asked last a share was known
 * before, and so it will be of this one.
 */
export async function estimateSize(db: Db, crawlId: number, part: Part): Promise<number | null> {
  const known = await countKnown(db, crawlId, part);
  if (known === null || known < leastKnown.tracks) return null;
  const { rows } = await db.query<{ share: number | null }>(
    `SELECT 1 - sum(new_rows)::float8 / nullif(sum(total), 0) AS share FROM (
       SELECT new_rows, total FROM partitions
       WHERE crawl_id = $1 AND state = 'done' AND NOT probe AND total BETWEEN 1 AND $2 - 1 AND new_rows IS NOT NULL
       ORDER BY done_at DESC LIMIT ${recentParts}) AS recent`,
    [crawlId, searchWindow],
  );
  const share = rows[0]?.share ?? 0;
  return share > leastKnown.share ? known / share : null;
}

async function drawSample(db: Db, crawlId: number, part: Part): Promise<PartTrack[]> {
  const ids =
    part.artist.length > 0 ? await byArtists(db, crawlId, part.artist[0]!) : await byYear(db, crawlId);
  const { rows } = await db.query<{ title: string; names: string[] }>(
    `SELECT t.title, array_agg(a.name) AS names FROM tracks t
     JOIN track_artists ta ON ta.track_id = t.id JOIN artists a ON a.id = ta.artist_id
     WHERE t.id = ANY($1) GROUP BY t.id`,
    [ids],
  );
  // What is counted in them are words: they stand for tracks of the part's own years.
  return rows.map(({ title, names }) => ({
    year: part.years[0],
    artistWords: names.flatMap(wordsOf),
    // Hardly ever looked at, and held for long.
    get titleWords() {
      return wordsOf(title);
    },
  }));
}

/** Tracks of some artists with such a word, chosen evenly. */
async function byArtists(db: Db, crawlId: number, prefix: string): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `SELECT DISTINCT ta.track_id AS id FROM (
       SELECT DISTINCT artist_id, hashint4(artist_id) FROM artist_words WHERE word LIKE $2
       ORDER BY hashint4(artist_id) LIMIT ${sampleArtists}) AS chosen
     JOIN track_artists ta USING (artist_id)
     JOIN crawl_tracks c ON c.track_id = ta.track_id AND c.crawl_id = $1
     LIMIT ${sampleSize}`,
    [crawlId, likeOf(prefix)],
  );
  return rows.map(({ id }) => id);
}

/** Tracks of a year that is done; before there is one, what was asked without regard to names. */
async function byYear(db: Db, crawlId: number): Promise<number[]> {
  const { rows: years } = await db.query<{ year: number }>(
    `SELECT (part->'years'->>0)::int AS year FROM partitions
     WHERE crawl_id = $1 AND state = 'done' AND NOT probe AND part->'years'->0 = part->'years'->1
       AND part->'artist' = '[]' AND part->'notArtist' = '[]' AND part->>'title' IS NULL
     ORDER BY done_at DESC LIMIT 1`,
    [crawlId],
  );
  const { rows } = years[0]
    ? await db.query<{ id: number }>(
        `SELECT t.id FROM tracks t JOIN crawl_tracks c ON c.track_id = t.id AND c.crawl_id = $1
         WHERE t.release_date BETWEEN make_date($2, 1, 1) AND make_date($2, 12, 31)
         ORDER BY hashint4(t.id) LIMIT ${sampleSize}`,
        [crawlId, years[0].year],
      )
    : await db.query<{ id: number }>(
        `SELECT DISTINCT unnest(s.track_ids) AS id FROM search_pages s JOIN partitions p ON p.id = s.partition_id
         WHERE s.crawl_id = $1 AND p.part->'artist' = '[]' AND p.part->>'title' IS NULL
           AND (p.probe OR p.part->'notArtist' = '[]')`,
        [crawlId],
      );
  return rows.map(({ id }) => id);
}

/** A year has about as many tracks as another that is done. */
async function sizeOfOtherYear(db: Db, crawlId: number, part: Part): Promise<number | null> {
  if (part.years[0] !== part.years[1] || part.artist.length > 0 || part.notArtist.length > 0) return null;
  const { rows } = await db.query<{ total: number }>(
    `SELECT total FROM partitions
     WHERE crawl_id = $1 AND state = 'done' AND NOT probe AND part->'years'->0 = part->'years'->1
       AND part->'artist' = '[]' AND part->'notArtist' = '[]' AND part->>'title' IS NULL
     ORDER BY done_at DESC LIMIT 1`,
    [crawlId],
  );
  return rows[0]?.total ?? null;
}

/** Whether some part had to be cut into single letters, none of which stands for all that is left over. */
async function wasEnumerated(db: Db, crawlId: number): Promise<boolean> {
  const { rows } = await db.query<{ yes: boolean }>(
    `SELECT EXISTS (
       SELECT 1 FROM partitions p JOIN partitions c ON c.parent_id = p.id AND NOT c.probe
       WHERE p.crawl_id = $1 AND p.part->'artist' = '[]' AND jsonb_array_length(c.part->'artist') = 1
       GROUP BY p.id
       HAVING NOT EXISTS (SELECT 1 FROM partitions r WHERE r.parent_id = p.id AND NOT r.probe
         AND r.part->'artist' = '[]')) AS yes`,
    [crawlId],
  );
  return rows[0]!.yes;
}

async function firstCharacters(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ character: string }>(
    `SELECT DISTINCT left(w.word, 1) AS character FROM artist_words w WHERE w.word !~ '^[a-z0-9]'`,
  );
  return [...'abcdefghijklmnopqrstuvwxyz0123456789', ...rows.map(({ character }) => character)];
}

async function furtherCharacters(db: Db, stem: string): Promise<string[]> {
  if (stem === '') return [...'abcdefghijklmnopqrstuvwxyz'];
  const { rows } = await db.query<{ character: string }>(
    'SELECT DISTINCT substr(word, $2, 1) AS character FROM artist_words WHERE word LIKE $1 AND length(word) >= $2',
    [likeOf(stem), [...stem].length + 1],
  );
  const plausible = /^[a-z]*[aeiou]$/.test(stem)
    ? 'abcdefghijklmnopqrstuvwxyz'
    : /^[a-z]+$/.test(stem)
      ? afterConsonants
      : '';
  return [...new Set([...plausible, ...rows.map(({ character }) => character)])];
}

/** Words are letters and digits: nothing in them needs escaping. */
function likeOf(prefix: string): string {
  return prefix.endsWith(' ') ? prefix.slice(0, -1) : `${prefix}%`;
}
