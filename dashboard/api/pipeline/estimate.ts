/** What a crawl would cost in requests and hours, told without a request to the outside. */
import { LRUCache } from 'lru-cache';
import { checkCredentials } from '../../../producers/crawl.ts';
import type { Session } from '../../../producers/session.ts';
import { reasonOf } from '../../../shared/errors.ts';
import { publicId } from '../../../shared/identifiers.ts';
import {
  type CrawlQuery,
  crawlQuerySchema,
  pageLimits,
  queryKeyOf,
  searchWindow,
} from '../../../shared/sources/spotify/query.ts';
import type { CrawlBody, Estimate, Range } from './schemas.ts';

/** Of one crawl that was done. */
export interface Done {
  id: number;
  query: CrawlQuery;
  audio: boolean;
  quota: string | null;
  pages: number;
  tracks: number;
  /** Tracks of it whose spectrogram is missing still. */
  missing: number;
  searchHours: number;
  hours: number;
}

/** The last so many crawls are looked at. */
const lookedAt = 20;
/** What one earlier crawl says of the next: give or take this part. */
const oneCrawl = 0.25;
/** Where no crawl tells: pages asked an hour, between patience and haste (requests take turns). */
const pagesAnHour = { slow: 3_000, fast: 18_000 };
/** Previews decoded an hour by one machine of two cores, between slow and fast. */
const previewsAnHour = { slow: 10_000, fast: 60_000 };
/** Without NOT in queries, a track comes once for each first letter of its artists' names. */
const mostRepeats = 2;

export async function estimateCrawl(session: Session, body: CrawlBody): Promise<Estimate> {
  const { metadataOnly, ...query } = body;
  const { prisma } = session.database;
  const key = queryKeyOf(query);
  const running = await prisma.crawl.findUnique({
    where: { runningKey: `${key}${metadataOnly ? ' metadata' : ''}` },
    select: { id: true },
  });
  const figures = estimateFrom(await doneCrawls(session), query, !metadataOnly);
  return {
    ...figures,
    running: running && publicId('crawl', running.id),
    obstacle: obstacleOf(session),
  };
}

function obstacleOf(session: Session): string | null {
  try {
    checkCredentials(session);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** @param done newest first */
export function estimateFrom(
  done: readonly Done[],
  query: CrawlQuery,
  audio: boolean,
): Pick<Estimate, 'requests' | 'downloads' | 'hours' | 'basis' | 'earlier'> {
  const same = done.filter((crawl) => queryKeyOf(crawl.query) === queryKeyOf(query));
  if (same.length > 0) return fromSame(same, audio);
  const similar = done.find(
    ({ query: other, tracks }) =>
      other.genre.toLowerCase() === query.genre.toLowerCase() && other.limit === null && tracks > 0,
  );
  if (similar) return fromSimilar(similar, query, audio);
  return fromShape(done[0]?.quota ?? null, query, audio);
}

function fromSame(same: readonly Done[], audio: boolean) {
  const requests = spread(same.map(({ pages }) => pages));
  // What has its spectrogram is not fetched again; what is new since is not known, and is little.
  const missing = audio ? same[0]!.missing : 0;
  const downloads = audio ? { from: missing, to: Math.ceil(missing + oneCrawl * same[0]!.tracks) } : none;
  const searching = spread(same.map(({ searchHours }) => searchHours));
  const last = same[0]!;
  return {
    ...{ requests: rounded(requests), downloads },
    hours: add(searching, hoursOf(downloads, paceOf(last))),
    basis: `${same.length === 1 ? 'one earlier crawl' : `the last ${same.length} crawls`} of the same query, ${
      same.length === 1 ? 'give or take a quarter' : 'and as much as they differed'
    }; audio that is known already is not fetched again`,
    earlier: names(same),
  };
}

/** As many pages a year of release, as many tracks a page. */
function fromSimilar(similar: Done, query: CrawlQuery, audio: boolean) {
  const years = ([from, to]: CrawlQuery['years']) => to - from + 1;
  const factor = years(query.years) / years(similar.query.years);
  const allTracks = similar.tracks * factor;
  const part = query.limit === null ? 1 : Math.min(1, query.limit / allTracks);
  // Years differ, and a catalogue grows: half to twice.
  const about = (value: number): Range => ({ from: value / 2, to: value * 2 });
  const requests = about(similar.pages * factor * part);
  const downloads = audio ? about(Math.min(allTracks, query.limit ?? allTracks)) : none;
  if (query.limit !== null && downloads.to !== null) downloads.to = Math.min(downloads.to, query.limit);
  const searching = about(similar.searchHours * factor * part);
  return {
    ...{ requests: rounded(requests), downloads: rounded(downloads) },
    hours: add(searching, hoursOf(downloads, paceOf(similar))),
    basis: `${publicId('crawl', similar.id)} of ${similar.query.genre}, ${similar.query.years.join(' to ')}, by the number of years; half to twice as much is likely`,
    earlier: names([similar]),
  };
}

/** Nothing like it was crawled: what the shape of a search says. */
function fromShape(quota: string | null, query: CrawlQuery, audio: boolean) {
  const page = quota === 'development' ? pageLimits.development : pageLimits.extended;
  const smallest = quota === null ? pageLimits.development : page;
  const { limit } = query;
  const requests: Range =
    limit === null
      ? // Of so many years each fills the search's window at least, or there is little to ask.
        { from: query.years[1] - query.years[0] + 1, to: null }
      : {
          from: Math.ceil(limit / page),
          to: Math.ceil((mostRepeats * limit) / smallest) + searchWindow / smallest,
        };
  const downloads: Range = !audio ? none : limit === null ? { from: 0, to: null } : { from: 0, to: limit };
  const times = (range: Range, pace: typeof pagesAnHour): Range => ({
    from: range.from / pace.fast,
    to: range.to === null ? null : range.to / pace.slow,
  });
  const what =
    quota === null
      ? 'pages of 10 or 50 tracks (which one is found out by asking)'
      : `pages of ${page} tracks`;
  return {
    ...{ requests: rounded(requests), downloads },
    hours: add(times(requests, pagesAnHour), times(downloads, previewsAnHour)),
    basis:
      limit === null
        ? `nothing like it was crawled before: how many tracks there are is found out by asking, in ${what}; a limit bounds it`
        : `nothing like it was crawled before: ${limit} tracks in ${what}, each coming up to ${mostRepeats} times`,
    earlier: [],
  };
}

const none: Range = { from: 0, to: 0 };

/** Downloads an hour, as that crawl went. */
function paceOf({ tracks, hours, audio }: Done): number | null {
  return audio && hours > 0 && tracks > 0 ? tracks / hours : null;
}

function hoursOf(downloads: Range, pace: number | null): Range {
  const { slow, fast } = pace === null ? previewsAnHour : { slow: pace / 2, fast: pace * 2 };
  return { from: downloads.from / fast, to: downloads.to === null ? null : downloads.to / slow };
}

/** From the least to the most of several; of one, give or take. */
function spread(values: readonly number[]): Range {
  if (values.length === 1) return { from: values[0]! * (1 - oneCrawl), to: values[0]! * (1 + oneCrawl) };
  return { from: Math.min(...values), to: Math.max(...values) };
}

/** Search and audio go on side by side: at least the longer one, at most one after the other. */
function add(a: Range, b: Range): Range {
  return { from: Math.max(a.from, b.from), to: a.to === null || b.to === null ? null : a.to + b.to };
}

const rounded = ({ from, to }: Range): Range => ({
  from: Math.floor(from),
  to: to === null ? null : Math.ceil(to),
});
const names = (crawls: readonly Done[]) => crawls.map(({ id }) => publicId('crawl', id));

/** How long what was done is known for, in milliseconds: what is missing of it changes slowly. */
const freshMs = 60_000;
const known = new LRUCache<string, Promise<Done[]>>({ max: 20, ttl: freshMs });

/** The last crawls that were done, newest first; read anew when another is done. */
async function doneCrawls(session: Session): Promise<Done[]> {
  const { pool, url } = session.database;
  const { rows } = await pool.query<{ done: string }>(
    `SELECT concat(count(*), ' ', max(finished_at)) AS done FROM crawls WHERE source = 'spotify' AND state = 'done'`,
  );
  const key = `${url} ${rows[0]!.done}`;
  const found = known.get(key) ?? readDone(session);
  known.set(key, found, { noUpdateTTL: true });
  found.catch(() => known.delete(key));
  return found;
}

async function readDone({ database }: Session): Promise<Done[]> {
  const { rows } = await database.pool.query<Omit<Done, 'query'> & { query: unknown }>(
    `SELECT c.id, c.query, c.parameters_hash IS NOT NULL AS audio, c.quota,
       (SELECT count(*)::int FROM search_pages p WHERE p.crawl_id = c.id AND p.state = 'done') AS pages,
       extract(epoch FROM coalesce(c.searched_at, c.finished_at) - c.started_at)::float8 / 3600 AS "searchHours",
       extract(epoch FROM c.finished_at - c.started_at)::float8 / 3600 AS hours, t.tracks, t.missing
     FROM (SELECT * FROM crawls WHERE source = 'spotify' AND state = 'done' ORDER BY id DESC LIMIT $1) c
     CROSS JOIN LATERAL (SELECT count(*)::int AS tracks, count(*) FILTER (WHERE t.state <> 'ready')::int AS missing
       FROM crawl_tracks ct JOIN tracks t ON t.id = ct.track_id WHERE ct.crawl_id = c.id) t
     ORDER BY c.id DESC`,
    [lookedAt],
  );
  return rows.flatMap((row) => {
    const query = crawlQuerySchema.safeParse(row.query);
    return query.success ? [{ ...row, query: query.data }] : [];
  });
}
