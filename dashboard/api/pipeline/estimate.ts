/** What a crawl would cost in requests and hours, told without a request to the outside. */
import { checkCredentials } from '../../../producers/crawl.ts';
import type { Session } from '../../../producers/session.ts';
import { reasonOf } from '../../../shared/errors.ts';
import { publicId } from '../../../shared/identifiers.ts';
import {
  type CrawlQuery,
  pageLimits,
  queryKeyOf,
  searchWindow,
} from '../../../shared/sources/spotify/query.ts';
import { type Done, doneCrawls } from './earlier-crawls.ts';
import type { CrawlBody, Estimate, Range } from './schemas.ts';

/** What one earlier crawl says of the next: give or take this part. */
const oneCrawl = 0.25;
/** Where no crawl tells: pages asked an hour, between patience and haste (requests take turns). */
const pagesAnHour = { slow: 3_000, fast: 18_000 };
/** Previews decoded an hour by one machine of two cores, between slow and fast. */
const previewsAnHour = { slow: 10_000, fast: 60_000 };
/** Deezer answers 50 requests in 5 s to an address; some are asked twice. */
const lookupsAnHour = { slow: 18_000, fast: 36_000 };
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
): Pick<Estimate, 'requests' | 'lookups' | 'downloads' | 'hours' | 'basis' | 'earlier'> {
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
  const lookups = spread(same.map((crawl) => crawl.lookups));
  const searching = spread(same.map(({ searchHours }) => searchHours));
  const last = same[0]!;
  return {
    ...{ requests: rounded(requests), lookups: rounded(lookups), downloads },
    hours: add(searching, times(lookups, lookupsAnHour), hoursOf(downloads, paceOf(last))),
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
  const lookups = about(Math.min(similar.lookups * factor, query.limit ?? allTracks));
  for (const range of [lookups, downloads])
    if (query.limit !== null && range.to !== null) range.to = Math.min(range.to, query.limit);
  const searching = about(similar.searchHours * factor * part);
  return {
    ...{ requests: rounded(requests), lookups: rounded(lookups), downloads: rounded(downloads) },
    hours: add(searching, times(lookups, lookupsAnHour), hoursOf(downloads, paceOf(similar))),
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
  // In development quota Spotify tells neither popularity nor preview, else it may miss any of them.
  const lookups: Range = { from: quota === 'development' ? (limit ?? 0) : 0, to: limit };
  const what =
    quota === null
      ? 'pages of 10 or 50 tracks (which one is found out by asking)'
      : `pages of ${page} tracks`;
  return {
    ...{ requests: rounded(requests), lookups, downloads },
    hours: add(times(requests, pagesAnHour), times(lookups, lookupsAnHour), times(downloads, previewsAnHour)),
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

/** Hours that so many take, at a pace an hour. */
function times({ from, to }: Range, pace: { slow: number; fast: number }): Range {
  return { from: from / pace.fast, to: to === null ? null : to / pace.slow };
}

function hoursOf(downloads: Range, pace: number | null): Range {
  return times(downloads, pace === null ? previewsAnHour : { slow: pace / 2, fast: pace * 2 });
}

/** From the least to the most of several; of one, give or take. */
function spread(values: readonly number[]): Range {
  if (values.length === 1) return { from: values[0]! * (1 - oneCrawl), to: values[0]! * (1 + oneCrawl) };
  return { from: Math.min(...values), to: Math.max(...values) };
}

/** Search, lookups and audio go on side by side: at least the longest, at most one after the other. */
function add(...parts: readonly Range[]): Range {
  return {
    from: Math.max(...parts.map(({ from }) => from)),
    to: parts.some(({ to }) => to === null) ? null : parts.reduce((sum, { to }) => sum + to!, 0),
  };
}

const rounded = ({ from, to }: Range): Range => ({
  from: Math.floor(from),
  to: to === null ? null : Math.ceil(to),
});
const names = (crawls: readonly Done[]) => crawls.map(({ id }) => publicId('crawl', id));
