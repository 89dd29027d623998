/** What the whole catalogue, or one data set, looks like: what one would plot first in a notebook. */
import type { Database } from '../../../shared/database/index.ts';
import { causeOf } from '../../../shared/failure-causes.ts';
import { notFound } from '../problem.ts';
import type { Overview } from './schemas.ts';
import { newestReading } from './search.ts';

/** How long an overview is shown before it is made anew, in milliseconds. */
const freshMs = 60_000;
const artistsShown = 20;
const reasonsShown = 10;
/** So many are read, and told together where they are one cause. */
const reasonsRead = 500;
const longestSeconds = 600;

const known = new Map<string, { at: number; overview: Promise<Overview> }>();

/**
 * The overview, a minute old at most, or older while a new one is being made: it is never made twice at
 * once, and nobody waits for it but the first.
 */
export async function overviewOf(database: Database, dataSetId: number | null): Promise<Overview> {
  const key = `${database.url} ${dataSetId}`;
  const now = Date.now();
  const found = known.get(key);
  if (found && now - found.at < freshMs) return found.overview;
  const overview = read(database, dataSetId);
  known.set(key, { at: now, overview });
  overview.catch(() => known.delete(key));
  return found ? found.overview : overview;
}

async function read({ prisma, pool }: Database, dataSetId: number | null): Promise<Overview> {
  const dataSet =
    dataSetId === null
      ? await prisma.dataSet.findFirst({ orderBy: { id: 'desc' } })
      : ((await prisma.dataSet.findUnique({ where: { id: dataSetId } })) ??
        notFound(`data-set-${dataSetId}`));
  const among =
    dataSetId === null
      ? 'tracks t'
      : `tracks t JOIN data_set_tracks d ON d.track_id = t.id AND d.data_set_id = ${Number(dataSetId)}`;
  const popularity = dataSetId === null ? newestReading : 'd.popularity';
  const rows = async <Row extends object>(sql: string) => (await pool.query<Row>(sql)).rows;
  type Counted = { name: string; count: number };
  // One after the other: this is not to take all connections of the server.
  const popular = await rows<{ bin: number; count: number }>(
    `SELECT least(9, floor(p / 10))::int AS bin, count(*)::int AS count
     FROM (SELECT ${popularity} AS p FROM ${among}) x WHERE p IS NOT NULL GROUP BY 1 ORDER BY 1`,
  );
  const months = await rows<{ month: string; count: number }>(
    `SELECT to_char(release_date, 'YYYY-MM') AS month, count(*)::int AS count FROM ${among}
     WHERE release_date IS NOT NULL GROUP BY 1 ORDER BY 1`,
  );
  const states = await rows<Counted>(
    `SELECT t.state::text AS name, count(*)::int AS count FROM ${among} GROUP BY 1`,
  );
  const missing = await rows<Counted>(
    `SELECT regexp_replace(t.failure_reason, '(https?://[^\\s/]+)/[^\\s:;,)]+', '\\1/…', 'g') AS name,
       count(*)::int AS count FROM ${among}
     WHERE t.state = 'failed' AND t.failure_reason IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT ${reasonsRead}`,
  );
  const durations = await rows<{ bin: number; count: number }>(
    `SELECT floor(least(duration_ms / 1000.0, ${longestSeconds - 1}) / 30)::int AS bin, count(*)::int AS count
     FROM ${among} WHERE duration_ms IS NOT NULL GROUP BY 1 ORDER BY 1`,
  );
  const artists = await rows<Counted>(
    `SELECT a.name, c.count FROM (
       SELECT x.artist_id, count(*)::int AS count FROM ${among} JOIN track_artists x ON x.track_id = t.id
       GROUP BY 1 ORDER BY 2 DESC LIMIT ${artistsShown}) c JOIN artists a ON a.id = c.artist_id ORDER BY c.count DESC, a.name`,
  );
  const genres = await rows<{ name: string | null; count: number }>(
    `SELECT t.genre AS name, count(*)::int AS count FROM ${among} GROUP BY 1 ORDER BY 2 DESC LIMIT ${artistsShown}`,
  );
  const sources = await rows<Counted>(
    `SELECT t.source AS name, count(*)::int AS count FROM ${among} GROUP BY 1 ORDER BY 2 DESC`,
  );
  const sum = (list: readonly { count: number }[]) => list.reduce((total, { count }) => total + count, 0);
  const bins = (list: readonly { bin: number; count: number }[], width: number, length: number) =>
    Array.from({ length }, (_, bin) => ({
      ...{ from: bin * width, to: (bin + 1) * width },
      count: list.find((one) => one.bin === bin)?.count ?? 0,
    }));
  return {
    of: dataSetId === null ? 'catalogue' : dataSet!.name,
    asOf: new Date().toISOString(),
    tracks: sum(states),
    popularity: { n: sum(popular), threshold: dataSet?.threshold ?? null, bins: bins(popular, 10, 10) },
    releases: { n: sum(months), months: withoutGaps(months) },
    previews: states.map(({ name, count }) => ({ state: name, count })),
    missing: byCause(missing),
    durations: { n: sum(durations), bins: bins(durations, 30, longestSeconds / 30) },
    ...{ artists, genres, sources },
  };
}

/** A month without releases is a month with 0, not one that is missing; `YYYY-MM`, in order. */
export function withoutGaps(
  months: readonly { month: string; count: number }[],
): Overview['releases']['months'] {
  const counts = new Map(months.map(({ month, count }) => [month, count]));
  const indexOf = (month: string) => Number(month.slice(0, -3)) * 12 + Number(month.slice(-2)) - 1;
  const nameOf = (index: number) =>
    `${String(Math.floor(index / 12)).padStart(4, '0')}-${String((index % 12) + 1).padStart(2, '0')}`;
  const [first, last] = [months[0], months.at(-1)];
  if (!first || !last) return [];
  const from = indexOf(first.month);
  return Array.from({ length: indexOf(last.month) - from + 1 }, (_, offset) => {
    const month = nameOf(from + offset);
    return { month, count: counts.get(month) ?? 0 };
  });
}

function byCause(reasons: readonly { name: string; count: number }[]): Overview['missing'] {
  const counts = new Map<string, number>();
  for (const { name, count } of reasons) {
    const cause = causeOf(name);
    counts.set(cause, (counts.get(cause) ?? 0) + count);
  }
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, reasonsShown);
}
