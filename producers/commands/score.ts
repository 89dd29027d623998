import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'csv-stringify/sync';
import type { Model } from '../../shared/database/generated/client.ts';
import { publicId } from '../../shared/identifiers.ts';
import { roundedShare, unknownCalibration } from '../../shared/scoring/calibrated.ts';
import type { RankRange } from '../../shared/scoring/ranks.ts';
import { audioStages, type StageName } from '../../shared/stages.ts';
import { audited } from '../audit.ts';
import { exitStatus, runInSession } from '../cli.ts';
import { type Explained, writeExplanations } from '../explanations.ts';
import { print, printJson, progress, save, table, withInterval } from '../output.ts';
import { resumeBatch } from '../resume-batch.ts';
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
  /** How many songs; true where the number is left out. */
  explain?: number | true;
  explainDir: string;
}

/** Songs that are explained where nobody says how many. */
const defaultExplained = 3;

export function registerScore(program: Command): void {
  program
    .command('score')
    .description('rank songs that are not released yet: a sieve over many, no oracle on one')
    .argument('<paths...>', 'audio files, or folders of them')
    .option('--model <id>', 'score with this model instead of the champion')
    .option('--json', 'print the ranking as JSON')
    .option('--csv <file>', 'also write the ranking to a CSV file')
    .option(
      '--explain [songs]',
      `say what carried the decision on the best songs, and draw it (${defaultExplained} songs; some seconds each)`,
      parseExplain,
    )
    .option('--explain-dir <folder>', 'where the explanations are written', 'explanations')
    .action((paths: string[], options: ScoreOptions) =>
      runInSession(async (session) => {
        const model = await scoringModel(session, options.model);
        const count = options.explain === true ? defaultExplained : (options.explain ?? 0);
        const scores = await scoreAndWait(session, model, await findSongs(paths), count);
        if (options.csv) await save(options.csv, toCsv(scores));
        const explained =
          count > 0 ? await writeExplanations(session, scores.batchId, count, options.explainDir) : [];
        if (options.json) printJson(toJson(scores, explained));
        else print([describeScores(scores), ...explained.map(describeExplanation)].join('\n\n'));
        failWhereNoneIsScored(scores);
      }),
    );
}

export async function scoreAndWait(
  session: Session,
  model: Model,
  songs: readonly SongFile[],
  explain = 0,
): Promise<Scores> {
  const { id } = await score(session, model, songs, explain);
  await waitForBatch(session, id, explain > 0);
  return describeBatch(session, id);
}

async function waitForBatch(session: Session, batchId: number, explains: boolean): Promise<void> {
  const { prisma } = session.database;
  const bar = progress('songs');
  await waitFor(session, {
    stages: scoringStages(session),
    finished: async () => {
      const [songs, underWay] = await Promise.all([
        prisma.song.count({ where: { batchId } }),
        prisma.song.count({ where: { batchId, state: { in: ['queued', 'fetched'] } } }),
      ]);
      const note = underWay === 0 && explains ? 'scored; explaining the best' : '';
      bar.update(songs - underWay, songs, note);
      const { state } = await prisma.scoreBatch.findUniqueOrThrow({ where: { id: batchId } });
      return state !== 'running';
    },
    repair: () => enqueueBatch(session, batchId),
  }).finally(bar.stop);
}

const scoringStages = ({ config }: Session): StageName[] => [...audioStages(config), 'score'];

/** The command `resume` of a batch: go on with it, and show its ranking where it is waited for. */
export async function resumeSongs(
  session: Session,
  id: number,
  options: { wait?: boolean; json?: boolean },
): Promise<void> {
  const batch = publicId('batch', id);
  const said = await audited(session, { action: 'resume', target: batch }, () => resumeBatch(session, id));
  const own = (await session.workforce.missing(scoringStages(session))).length > 0;
  if (!options.wait && !own) {
    if (options.json) printJson({ batch, said });
    else print(said);
    return;
  }
  await waitForBatch(session, id, false);
  const scores = await describeBatch(session, id);
  if (options.json) printJson({ batch, said, ...toJson(scores, []) });
  else print(`${said}\n\n${describeScores(scores)}`);
  failWhereNoneIsScored(scores);
}

function failWhereNoneIsScored({ songs }: Scores): void {
  if (songs.every((song) => 'error' in song)) process.exitCode = exitStatus.failed;
}

export function describeScores(scores: Scores): string {
  const { model, songs } = scores;
  const rows = songs.map((song) =>
    'error' in song
      ? ['-', song.file, '-', '-', `not scored: ${song.error}`]
      : [
          rankText(song.ranks),
          song.file,
          aboutText(song.probability, model),
          `${Math.round(song.percentile)}`,
          song.warnings.join('; '),
        ],
  );
  const { basis, n, rocAuc, rocAucCi95 } = model.reliability;
  const auc = rocAuc === null ? 'could not be measured' : withInterval(rocAuc, rocAucCi95);
  return [
    table(['rank', 'song', 'popular, of songs like it', 'percentile', ''], rows),
    '',
    `Scored by ${model.id} (${model.name}), ${championText(model)}, trained on ${model.dataset}.`,
    `Its ROC-AUC by ${basis} is ${auc} on ${n}`,
    'songs of artists it never heard: 0.5 is chance, 1 would be perfect. Popular, of songs like it: how many of those',
    'that sound like it became so, as the model estimates it; much of success is not in the sound. Percentile: the',
    `share of the data set's ${model.holdoutN} holdout songs that score lower. Songs share ranks where, of two songs that it`,
    'never heard and that far apart, the higher one may be the popular one in less than 3 of 4 cases. Use it as a sieve',
    'over many songs, not as a judge of one.',
  ].join('\n');
}

const rankText = ({ from, to }: RankRange) => (from === to ? `${from}` : `${from}-${to}`);

function describeExplanation(explained: Explained): string {
  if ('error' in explained) return `${explained.file}: not explained: ${explained.error}`;
  const { file, content, picture } = explained;
  return [`${file}:`, ...content.sentences, `Picture: ${picture}`].join('\n  ');
}

/** A probability with no more digits than the model's calibration carries. */
function aboutText(probability: number, { reliability }: Scores['model']): string {
  const error = reliability.calibrationError ?? unknownCalibration;
  return roundedShare(probability, error)?.words ?? 'not to be told';
}

function parseExplain(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected how many songs; without a number put --explain after the files');
}

/** One flat object about the model beside the ranking. */
function toJson({ model, songs }: Scores, explained: readonly Explained[]) {
  const { id, name, dataset, championSince, holdoutN, reliability } = model;
  const explanations = new Map(explained.map(({ file, ...explanation }) => [file, explanation]));
  return {
    ...{ model: id, championSince, reliability: { name, dataset, ...reliability, holdoutN } },
    songs: songs.map((song) => {
      const explanation = explanations.get(song.file);
      return explanation ? { ...song, explanation } : song;
    }),
  };
}

function championText({ championSince }: Scores['model']): string {
  return championSince ? `champion since ${championSince.toISOString()}` : 'which is not the champion';
}

function toCsv(scores: Scores): string {
  const columns = [
    ...['rank', 'rank_from', 'rank_to', 'file', 'about', 'percentile', 'model_estimate', 'calibration_error'],
    ...['error', 'warnings', 'model', 'champion_since'],
  ];
  const { id, championSince, reliability } = scores.model;
  const model = { model: id, champion_since: championSince?.toISOString() ?? '' };
  const rows = scores.songs.map((song) =>
    'error' in song
      ? { file: song.file, error: song.error, ...model }
      : {
          ...{ ...song, ...model, warnings: song.warnings.join('; ') },
          ...{ rank_from: song.ranks.from, rank_to: song.ranks.to },
          ...{ about: aboutText(song.probability, scores.model), percentile: Math.round(song.percentile) },
          model_estimate: song.probability.toFixed(2),
          calibration_error: reliability.calibrationError?.toFixed(2) ?? '',
        },
  );
  // A cell that begins like a formula must not become one when a spreadsheet opens the file.
  return stringify(rows, { header: true, columns, escape_formulas: true });
}
