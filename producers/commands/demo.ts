/** The demo: a simulated world with a planted, audible rule goes through the real system, end to end. */
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { parse } from 'csv-parse/sync';
import { type Config, parseConfig } from '../../shared/config.ts';
import { rocAuc } from '../../shared/learning/evaluation/index.ts';
import { exitStatus, runCommand } from '../cli.ts';
import { crawl, describeCrawl } from '../crawl.ts';
import { print, printJson, tell, withInterval } from '../output.ts';
import { findSongs, type Scores, scoringModel } from '../score.ts';
import { withSession } from '../session.ts';
import { startSimulator, writeUnheardSongs } from '../simulator.ts';
import { describe as describeCrawlReport, waitForCrawl } from './crawl.ts';
import { describeScores, scoreAndWait } from './score.ts';
import { trainAndWait } from './train.ts';
import { describeAnswer } from './train-text.ts';

interface DemoOptions {
  tracks: number;
  songs: number;
  seed: number;
  json?: boolean;
}

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('crawl a small simulated world, learn from its previews and rank unheard songs')
    .option('--tracks <n>', 'tracks of the catalogue', count, 700)
    .option('--songs <n>', 'unheard songs', count, 12)
    .option('--seed <n>', 'of the music and the learning', count, 7)
    .option('--json', 'print the outcome as JSON')
    .action((options: DemoOptions) =>
      runCommand(false, async (cli) => {
        // A folder and a server of its own, so that a real catalogue is never mixed with made-up music.
        const dataDir = join(cli.config.dataDir, 'demo');
        mkdirSync(dataDir, { recursive: true });
        const world = await startSimulator([
          ...['--tracks', String(options.tracks), '--seed', String(options.seed), '--chaos', 'mild'],
          ...['--cache', join(dataDir, 'previews')],
        ]);
        try {
          const outside = parseConfig({ SIMULATOR_URL: world.url }).outside;
          // The planted rule needs no tagger, and its models are not trained here.
          const own = { dataDir, databaseUrl: undefined, outside, tagger: 'off' as const };
          await demo({ ...cli.config, ...own }, cli, options);
        } finally {
          await world.stop();
        }
      }),
    );
}

async function demo(
  config: Config,
  cli: { log: Parameters<typeof withSession>[1]; signal: AbortSignal },
  options: DemoOptions,
): Promise<void> {
  const started = performance.now();
  const step = (title: string) => tell(`\n[${((performance.now() - started) / 1000).toFixed(0)} s] ${title}`);
  const music = join(config.dataDir, 'music');
  tell(
    'Everything outside is simulated: Spotify with its search, quota and bad minutes, its previews, Deezer.\n' +
      'A rule is planted in the music: tracks with a deep sub-bass and rolling hats are "popular". The program\n' +
      'is not told. It gets audio and popularity, as it would of the real ones, and has to find out.',
  );
  await withSession(config, cli.log, cli.signal, async (session) => {
    step(`Crawl ${options.tracks} tracks: search pages, previews, mel spectrograms, each a job in a queue`);
    const query = { genre: 'hip-hop', years: [2019, 2021] as [number, number], market: 'US', limit: null };
    const { id } = await crawl(session, query, { metadataOnly: false });
    const unheard = writeUnheardSongs(music, options, cli.signal);
    await Promise.all([waitForCrawl(session, id), unheard]);
    const crawled = await describeCrawl(session, id);
    tell(describeCrawlReport(crawled, false, true));

    step('Freeze a data set, then train three models on it: the majority, a linear one, a network');
    const trained = await trainAndWait(session, {
      ...{ models: 'dummy,logistic,crnn', crossValidate: false as const, wait: true, seed: options.seed },
      ...{ threshold: 'median', holdout: 0.15, test: 0.15 },
    });
    tell(describeAnswer(trained));

    step('Score the unheard songs with the champion');
    const songs = await findSongs([join(music, 'unheard')]);
    const scores = await scoreAndWait(session, await scoringModel(session, undefined), songs);
    const shown: Scores = {
      ...scores,
      songs: scores.songs.map((song) => ({ ...song, file: basename(song.file) })),
    };
    const verdict = await compareWithTruth(shown, join(music, 'unheard-truth.csv'), trained.threshold);
    const champion = trained.models.find((model) => model.id === trained.champion);
    const holdoutAuc = champion && 'holdout' in champion ? champion.holdout.rocAuc : null;
    step('Done');
    if (options.json) printJson({ crawled, trained, scores: shown, holdoutAuc, ...verdict });
    else {
      print(describeScores(shown));
      print('');
      print(
        `The planted truth, which no model saw: of the ${verdict.upperHalf} songs in the upper half of this ranking ${verdict.popularInUpperHalf} would become popular, of the ${verdict.songs - verdict.upperHalf} below ${verdict.popular - verdict.popularInUpperHalf}.`,
      );
      print(
        champion && 'holdout' in champion
          ? `Holdout ROC-AUC of the champion ${champion.id} (${champion.name}): ${withInterval(holdoutAuc, champion.holdout.rocAucCi95)} on ${champion.holdout.n} tracks; of this ranking: ${verdict.rankingAuc.toFixed(3)} on ${verdict.songs} songs.`
          : `ROC-AUC of this ranking: ${verdict.rankingAuc.toFixed(3)} on ${verdict.songs} songs.`,
      );
    }
    if (scores.songs.some((song) => 'error' in song)) process.exitCode = exitStatus.failed;
  });
}

/** How well the ranking does by the popularity that was planted, with the data set's threshold. */
async function compareWithTruth(scores: Scores, path: string, threshold: number) {
  const rows = parse(await readFile(path, 'utf8'), { columns: true }) as {
    file: string;
    popularity: string;
  }[];
  const truth = new Map(rows.map((row) => [basename(row.file), Number(row.popularity)]));
  const ranked = scores.songs.flatMap((song) =>
    'error' in song ? [] : [{ ...song, popular: (truth.get(song.file) ?? 0) >= threshold }],
  );
  const upperHalf = ranked.slice(0, Math.ceil(ranked.length / 2));
  return {
    songs: ranked.length,
    popular: ranked.filter((song) => song.popular).length,
    upperHalf: upperHalf.length,
    popularInUpperHalf: upperHalf.filter((song) => song.popular).length,
    rankingAuc:
      rocAuc(
        ranked.map((song) => song.probability),
        ranked.map((song) => (song.popular ? 1 : 0)),
      ) ?? Number.NaN,
  };
}

function count(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}
