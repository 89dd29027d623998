import { type Command, InvalidArgumentError, Option } from 'commander';
import { settleCrawls } from '../../shared/crawls/lifecycle.ts';
import { UserError } from '../../shared/errors.ts';
import { parsePublicId, publicId } from '../../shared/identifiers.ts';
import { type CrawlQuery, crawlQuerySchema } from '../../shared/sources/spotify/query.ts';
import { audited } from '../audit.ts';
import { exitStatus, runInSession } from '../cli.ts';
import { type CrawlReport, crawl, describeCrawl, enqueueCrawl, resumeCrawl, stagesOf } from '../crawl.ts';
import { print, printJson, progress, table } from '../output.ts';
import type { Session } from '../session.ts';
import { waitFor } from '../wait.ts';
import { resumeModel } from './resume-model.ts';
import { resumeSongs } from './score.ts';

export interface CrawlFlags {
  source: string;
  genre: string;
  years: [number, number];
  market: string;
  limit?: number;
}

interface CrawlOptions extends CrawlFlags {
  metadataOnly?: boolean;
  wait?: boolean;
  json?: boolean;
}

/** The options that say what is crawled; a schedule takes the same. */
export function addCrawlOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--source <name>', 'where tracks come from').choices(['spotify']).default('spotify'),
    )
    .option('--genre <name>', 'genre', 'hip-hop')
    .option('--years <from-to>', 'years of release, e.g. 2019-2021 or 2020', years, lastThreeYears())
    .option('--market <code>', 'country whose catalogue it is, e.g. US', market, 'US')
    .option('--limit <tracks>', 'so many tracks are enough', count);
}

export function registerCrawl(program: Command): void {
  addCrawlOptions(
    program.command('crawl').description('find all tracks of a genre and years, and fetch their previews'),
  )
    .option('--metadata-only', 'no audio: tracks, artists, albums and popularity alone')
    .option('--wait', 'stay until all is done (always so where nothing else runs the work)')
    .option('--json', 'print the outcome as JSON')
    .action((options: CrawlOptions) =>
      runInSession(async (session) => {
        const query = queryOf(options);
        const metadataOnly = options.metadataOnly ?? false;
        const { id, joined } = await audited(
          session,
          { action: 'crawl', details: { ...query, metadataOnly } },
          () => crawl(session, query, { metadataOnly }),
          (begun) => publicId('crawl', begun.id),
        );
        await waitAndTell(session, id, joined, options);
      }),
    );

  program
    .command('resume')
    .description('go on with crawls, trainings and batches of songs that were cancelled')
    .argument('<ids...>', 'crawl-N, model-N or batch-N')
    .option('--wait', 'stay until all is done (always so where nothing else runs the work)')
    .option('--json', 'print the outcome as JSON')
    .action((ids: string[], options: { wait?: boolean; json?: boolean }) =>
      runInSession(async (session) => {
        for (const text of ids) {
          // A bare number is a crawl's.
          const named = /^\d/.test(text) ? `crawl-${text}` : text;
          const { noun, id } = parsePublicId(named, ['crawl', 'model', 'batch']);
          if (noun === 'model') await resumeModel(session, id, options);
          else if (noun === 'batch') await resumeSongs(session, id, options);
          else {
            const crawl = await audited(session, { action: 'resume', target: text }, () =>
              resumeCrawl(session, id),
            );
            await waitAndTell(session, crawl.id, false, options);
          }
        }
      }),
    );

  program
    .command('crawls')
    .description('the crawls so far, newest first')
    .option('--limit <rows>', 'at most this many', count, 20)
    .option('--json', 'print the list as JSON')
    .action((options: { limit: number; json?: boolean }) =>
      runInSession(async (session) => {
        const { prisma, pool } = session.database;
        await settleCrawls(pool, session.queues);
        const crawls = await prisma.crawl.findMany({ orderBy: { id: 'desc' }, take: options.limit });
        const reports = await Promise.all(crawls.map(({ id }) => describeCrawl(session, id)));
        if (options.json) printJson({ crawls: reports });
        else if (reports.length === 0)
          print('no crawl yet: hiphop crawl, or hiphop ingest for a catalogue of files');
        else print(list(reports));
      }),
    );
}

/** What the options ask for. @throws UserError */
export function queryOf(options: CrawlFlags): CrawlQuery {
  const { genre, years: span, market: code, limit = null } = options;
  const query = crawlQuerySchema.safeParse({ genre: genre.trim(), years: span, market: code, limit });
  if (!query.success) {
    const issue = query.error.issues[0]!;
    throw new UserError(`--${String(issue.path[0])}: ${issue.message}`);
  }
  return query.data;
}

async function waitAndTell(
  session: Session,
  id: number,
  joined: boolean,
  options: { wait?: boolean; json?: boolean },
): Promise<void> {
  const row = await session.database.prisma.crawl.findUniqueOrThrow({ where: { id } });
  const own = (await session.workforce.missing(stagesOf(session, row))).length > 0;
  const stay = options.wait || own;
  if (stay) await waitForCrawl(session, id);
  const report = await describeCrawl(session, id);
  if (options.json) printJson({ ...report, joined });
  else print(describe(report, joined, stay ?? false));
  if (stay && report.tracks.total === 0) process.exitCode = exitStatus.failed;
}

/** Counting a million tracks takes a while: it is done so seldom that it takes this share of the time. */
const countingShare = 0.05;

/** Wait until a crawl is done: all asked, all its tracks ready or failed for good. */
export async function waitForCrawl(session: Session, id: number): Promise<void> {
  const { prisma, pool } = session.database;
  const row = await prisma.crawl.findUniqueOrThrow({ where: { id } });
  const bar = progress(publicId('crawl', id));
  let nextCount = 0;
  const tellProgress = async () => {
    const started = Date.now();
    const { pages, tracks } = await describeCrawl(session, id);
    nextCount = Date.now() + (Date.now() - started) / countingShare;
    const done = row.parametersHash === null ? tracks.total : tracks.ready + tracks.failed;
    bar.update(
      done,
      tracks.total,
      `(${pages.asked} pages asked, ${pages.queued} to ask, ${tracks.failed} failed)`,
    );
  };
  await waitFor(session, {
    stages: stagesOf(session, row),
    finished: async () => {
      await settleCrawls(pool, session.queues);
      const { state } = await prisma.crawl.findUniqueOrThrow({ where: { id }, select: { state: true } });
      if (state !== 'running' || Date.now() >= nextCount) await tellProgress();
      return state !== 'running';
    },
    repair: () => enqueueCrawl(session, id),
  }).finally(bar.stop);
}

/** A crawl in words. */
export function describe(report: CrawlReport, joined: boolean, waited: boolean): string {
  const { pages, tracks } = report;
  const share = (part: number, whole: number) => `${whole > 0 ? ((100 * part) / whole).toFixed(1) : '0'} %`;
  return [
    `${report.crawl} ${joined ? 'was running already and is joined' : `is ${report.state}`}${report.quota ? `, quota mode ${report.quota}` : ''}${report.honoursNot === null ? '' : `, NOT is ${report.honoursNot ? '' : 'not '}honoured`}`,
    `pages: ${pages.asked} asked, ${pages.queued} to ask, ${pages.skipped} not needed, ${pages.failed} failed; ${pages.rows} rows, ${pages.newRows} of them new (${share(pages.newRows, pages.rows)})`,
    `tracks: ${tracks.total} (${tracks.recordings} recordings on ${tracks.albums} albums), ${tracks.ready} with a spectrogram, ${tracks.failed} failed, ${tracks.unfinished} under way`,
    ...report.failures.map(({ stage, reason, count: times }) => `  ${times} x ${stage}: ${reason}`),
    ...(report.partitionsShort > 0
      ? [`${report.partitionsShort} partitions brought less than they promised`]
      : []),
    ...(!waited && report.state === 'running' ? ['hiphop crawls shows how it goes'] : []),
  ].join('\n');
}

function list(reports: readonly CrawlReport[]): string {
  return table(
    ['crawl', 'state', 'asked for', 'pages', 'new rows', 'tracks', 'ready', 'failed', 'since'],
    reports.map((report) => [
      ...[
        report.crawl,
        report.state,
        Object.values(report.query as object)
          .flat()
          .filter(Boolean)
          .join(' '),
      ],
      ...[report.pages.asked, report.pages.newRows, report.tracks.total, report.tracks.ready],
      ...[report.tracks.failed, report.startedAt.toISOString().slice(0, 16)],
    ]),
  );
}

function lastThreeYears(): [number, number] {
  const year = new Date().getUTCFullYear();
  return [year - 2, year];
}

function years(text: string): [number, number] {
  const match = /^(\d{4})(?:-(\d{4}))?$/.exec(text.trim());
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? from);
  if (!match || from > to || from < 1900 || to > 2100) {
    throw new InvalidArgumentError('expected a year or a span, e.g. 2019-2021');
  }
  return [from, to];
}

function market(text: string): string {
  if (!/^[A-Za-z]{2}$/.test(text))
    throw new InvalidArgumentError('expected a country code of two letters, e.g. US');
  return text.toUpperCase();
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1');
  return Number(text);
}
