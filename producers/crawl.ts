/** Crawl: begin a crawl of Spotify, join one that runs, go on with one that was stopped; tell how it goes. */
import { searchJobs, unfinishedAudioJobs } from '../shared/crawls/jobs.ts';
import { startCrawl } from '../shared/crawls/lifecycle.ts';
import type { Crawl } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import type { CrawlQuery } from '../shared/sources/spotify/query.ts';
import { audioStages, type StageName } from '../shared/stages.ts';
import { currentParameters } from './parameters.ts';
import type { Session } from './session.ts';

/** Begin a crawl and enqueue its first page; where one of the same query runs already, that one goes on. */
export async function crawl(
  session: Session,
  query: CrawlQuery,
  options: { metadataOnly: boolean },
): Promise<{ id: number; joined: boolean }> {
  checkCredentials(session);
  const parametersHash = options.metadataOnly ? null : await currentParameters(session);
  const started = await startCrawl(session.database.prisma, query, parametersHash);
  await enqueueCrawl(session, started.id);
  return started;
}

/** @throws UserError that says how to get them where Spotify would refuse us */
export function checkCredentials({ config }: Session): void {
  const { spotifyClientId, spotifyClientSecret } = config.outside;
  if (spotifyClientId && spotifyClientSecret) return;
  throw new UserError(
    'Spotify wants credentials: set SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET (developer.spotify.com), ' +
      'or try it without: hiphop simulate, then SIMULATOR_URL=… hiphop crawl …',
  );
}

/** Enqueue all that the rows of a crawl say is to be done. What is in a queue already is not added twice. */
export async function enqueueCrawl({ database, queues }: Session, id: number): Promise<void> {
  const { parametersHash } = await database.prisma.crawl.findUniqueOrThrow({ where: { id } });
  await queues.enqueueNext(await searchJobs(database.pool, id));
  await queues.enqueueNext(await unfinishedAudioJobs(database.pool, { id, parametersHash }));
}

/**
 * Go on with a crawl that was cancelled; one that runs gets its jobs anew.
 * @throws UserError when there is no such crawl, it is done, or another of its query runs
 */
export async function resumeCrawl(session: Session, id: number): Promise<Crawl> {
  const { prisma, pool } = session.database;
  const name = publicId('crawl', id);
  const row = await prisma.crawl.findUnique({ where: { id } });
  if (!row) throw new UserError(`there is no ${name}`);
  if (row.state === 'done') throw new UserError(`${name} is done: hiphop crawl with the same query recrawls`);
  if (row.source !== 'spotify')
    throw new UserError(`${name} read a catalogue: hiphop ingest it again to go on`);
  const other = row.queryKey && (await prisma.crawl.findUnique({ where: { runningKey: row.queryKey } }));
  if (other && other.id !== id) {
    throw new UserError(`${publicId('crawl', other.id)} of the same query runs: cancel it first`);
  }
  const resumed = await prisma.crawl.update({
    where: { id },
    data: { state: 'running', finishedAt: null, runningKey: row.queryKey },
  });
  // Its tracks that were taken out of the queues wait again.
  if (row.state === 'cancelled' && row.parametersHash !== null) {
    await pool.query(
      `UPDATE tracks t SET state = 'queued' FROM crawl_tracks c
       WHERE c.track_id = t.id AND c.crawl_id = $1 AND t.state = 'listed'`,
      [id],
    );
  }
  await enqueueCrawl(session, id);
  return resumed;
}

/** The stages that a crawl needs. */
export function stagesOf({ config }: Session, row: Pick<Crawl, 'parametersHash'>): StageName[] {
  return row.parametersHash === null ? ['search'] : ['search', 'lookup', ...audioStages(config)];
}

export type CrawlReport = Awaited<ReturnType<typeof describeCrawl>>;

/** How a crawl went so far, in numbers. */
export async function describeCrawl({ database }: Session, id: number) {
  const { prisma, pool } = database;
  const row = await prisma.crawl.findUniqueOrThrow({ where: { id } });
  const { rows: pages } = await pool.query(
    `SELECT count(*) FILTER (WHERE state = 'done')::int AS asked, count(*) FILTER (WHERE state = 'queued')::int AS queued,
       count(*) FILTER (WHERE state = 'skipped')::int AS skipped, count(*) FILTER (WHERE state = 'failed')::int AS failed,
       coalesce(sum(rows), 0)::int AS rows, coalesce(sum(new_rows), 0)::int AS "newRows"
     FROM search_pages WHERE crawl_id = $1`,
    [id],
  );
  const { rows: tracks } = await pool.query(
    `SELECT count(*)::int AS total, count(*) FILTER (WHERE t.state = 'ready')::int AS ready,
       count(*) FILTER (WHERE t.state = 'failed')::int AS failed,
       count(*) FILTER (WHERE t.state IN ('queued', 'fetched'))::int AS unfinished,
       count(DISTINCT coalesce(t.isrc, t.source_key))::int AS recordings, count(DISTINCT t.album_id)::int AS albums
     FROM crawl_tracks c JOIN tracks t ON t.id = c.track_id WHERE c.crawl_id = $1`,
    [id],
  );
  const failures = await prisma.failure.groupBy({
    by: ['stage', 'cause'],
    where: { crawlId: id, state: { in: ['open', 'retried'] } },
    _count: true,
    orderBy: { _count: { id: 'desc' } },
    take: 10,
  });
  const notes = await prisma.partition.count({ where: { crawlId: id, note: { contains: 'promised' } } });
  return {
    ...{ crawl: publicId('crawl', id), state: row.state, query: row.query, quota: row.quota },
    ...{ honoursNot: row.honoursNot, startedAt: row.startedAt, finishedAt: row.finishedAt },
    pages: pages[0] as Record<'asked' | 'queued' | 'skipped' | 'failed' | 'rows' | 'newRows', number>,
    tracks: tracks[0] as Record<
      'total' | 'ready' | 'failed' | 'unfinished' | 'recordings' | 'albums',
      number
    >,
    partitionsShort: notes,
    failures: failures.map(({ stage, cause, _count }) => ({ stage, reason: cause, count: _count })),
  };
}
