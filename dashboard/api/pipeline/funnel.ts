/** How far a crawl is: counts from the rows, rates from what this server has watched. */
import type pg from 'pg';
import type { Funnel, Rates } from './schemas.ts';

/** Rates are of at most the last so many milliseconds, and of at least so many. */
const longestMs = 5 * 60_000;
const shortestMs = 8_000;

export async function countFunnel(pool: pg.Pool, crawlId: number): Promise<Funnel> {
  const { rows: pages } = await pool.query<{ state: string; count: number }>(
    'SELECT state, count(*)::int AS count FROM search_pages WHERE crawl_id = $1 GROUP BY state',
    [crawlId],
  );
  const { rows: tracks } = await pool.query<Funnel['tracks']>(
    `SELECT count(*)::int AS found, count(t.content_hash)::int AS fetched,
       count(*) FILTER (WHERE t.state = 'ready')::int AS ready,
       count(*) FILTER (WHERE t.state = 'failed')::int AS failed,
       count(*) FILTER (WHERE t.state IN ('queued', 'fetched'))::int AS unfinished
     FROM crawl_tracks c JOIN tracks t ON t.id = c.track_id WHERE c.crawl_id = $1`,
    [crawlId],
  );
  const of = (state: string) => pages.find((row) => row.state === state)?.count ?? 0;
  return {
    pages: { asked: of('done'), queued: of('queued'), skipped: of('skipped'), failed: of('failed') },
    tracks: tracks[0]!,
  };
}

interface Sample {
  /** Milliseconds of a clock that never goes back. */
  at: number;
  funnel: Funnel;
}

/** What was seen of one crawl in the last minutes. */
export class Watch {
  #samples: Sample[] = [];

  add(at: number, funnel: Funnel): void {
    this.#samples = this.#samples.filter((sample) => sample.at >= at - longestMs);
    this.#samples.push({ at, funnel });
  }

  /** How fast it goes, a minute; null: not watched for long enough. */
  rates(): Rates | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < shortestMs) return null;
    const minutes = (last.at - first.at) / 60_000;
    const rate = (count: (funnel: Funnel) => number) =>
      Math.max(0, (count(last.funnel) - count(first.funnel)) / minutes);
    return {
      overSeconds: Math.round(60 * minutes),
      pages: rate(({ pages }) => pages.asked),
      found: rate(({ tracks }) => tracks.found),
      fetched: rate(({ tracks }) => tracks.fetched),
      ready: rate(({ tracks }) => tracks.ready),
      ended: rate(({ tracks }) => tracks.ready + tracks.failed),
    };
  }
}
