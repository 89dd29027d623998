import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { stringify } from 'csv-stringify/sync';
import type { Model } from '../../shared/database/generated/client.ts';
import { exitStatus, runInSession } from '../cli.ts';
import { print, printJson, progress, table, withInterval } from '../output.ts';
import {
  describeBatch,
  enqueueBatch,
  findSongs,
  type Scores,
  type SongFile,
  score,
  scoringModel,
} from '../score.ts';
import type { Session } from '../session.ts';
import { waitFor } from '../wait.ts';

interface ScoreOptions {
  model?: string;
  json?: boolean;
  csv?: string;
}

export function registerScore(program: Command): void {
  program
    .command('score')
    .description('rank songs that are not released yet: a sieve over many, no oracle on one')
    .argument('<paths...>', 'audio files, or folders of them')
    .option('--model <id>', 'score with this model instead of the champion')
    .option('--json', 'print the ranking as JSON')
    .option('--csv <file>', 'also write the ranking to a CSV file')
    .action((paths: string[], options: ScoreOptions) =>
      runInSession(async (session) => {
        const model = await scoringModel(session, options.model);
        const scores = await scoreAndWait(session, model, await findSongs(paths));
        if (options.csv) await writeFile(options.csv, toCsv(scores));
        if (options.json) printJson(toJson(scores));
        else print(describeScores(scores));
        if (scores.songs.every((song) => 'error' in song)) process.exitCode = exitStatus.failed;
      }),
    );
}

export async function scoreAndWait(
  session: Session,
  model: Model,
  songs: readonly SongFile[],
): Promise<Scores> {
  const { prisma } = session.database;
  const batch = await score(session, model, songs);
  const bar = progress('songs');
  await waitFor(session, {
    stages: ['preview', 'embedding', 'spectrogram', 'score'],
    finished: async () => {
      const underWay = await prisma.song.count({
        where: { batchId: batch.id, state: { in: ['queued', 'fetched'] } },
      });
      bar.update(songs.length - underWay, songs.length);
      const { state } = await prisma.scoreBatch.findUniqueOrThrow({ where: { id: batch.id } });
      return state !== 'running';
    },
    repair: () => enqueueBatch(session, batch.id),
  }).finally(bar.stop);
  return describeBatch(session, batch.id);
}

export function describeScores(scores: Scores): string {
  const { model, songs } = scores;
  const rows = songs.map((song) =>
    'error' in song
      ? ['-', song.file, '-', '-', `not scored: ${song.error}`]
      : [
          song.rank,
          song.file,
          song.probability.toFixed(2),
          `${Math.round(song.percentile)}`,
          song.warnings.join('; '),
        ],
  );
  const { basis, n, rocAuc, rocAucCi95 } = model.reliability;
  const auc = rocAuc === null ? 'could not be measured' : withInterval(rocAuc, rocAucCi95);
  return [
    table(['rank', 'song', 'probability', 'percentile', ''], rows),
    '',
    `Scored by ${model.id} (${model.name}), ${championText(model)}, trained on ${model.dataset}.`,
    `Its ROC-AUC by ${basis} is ${auc} on ${n}`,
    'songs of artists it never heard: 0.5 is chance, 1 would be perfect. The probability is that of sounding',
    'like songs that became popular there; much of success is not in the sound. Percentile: the share of',
    `the data set's ${model.holdoutN} holdout songs that score lower. Use it as a sieve over many songs, not as a judge of one.`,
  ].join('\n');
}

/** One flat object about the model beside the ranking. */
function toJson({ model, songs }: Scores) {
  const { id, name, dataset, championSince, holdoutN, reliability } = model;
  return { model: id, championSince, reliability: { name, dataset, ...reliability, holdoutN }, songs };
}

function championText({ championSince }: Scores['model']): string {
  return championSince ? `champion since ${championSince.toISOString()}` : 'which is not the champion';
}

function toCsv(scores: Scores): string {
  const columns = [
    ...['rank', 'file', 'probability', 'percentile', 'error', 'warnings'],
    ...['model', 'champion_since'],
  ];
  const { id, championSince } = scores.model;
  const model = { model: id, champion_since: championSince?.toISOString() ?? '' };
  const rows = scores.songs.map((song) =>
    'error' in song
      ? { file: song.file, error: song.error, ...model }
      : { ...song, warnings: song.warnings.join('; '), ...model },
  );
  // A cell that begins like a formula must not become one when a spreadsheet opens the file.
  return stringify(rows, { header: true, columns, escape_formulas: true });
}
