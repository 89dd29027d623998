/** Explains songs that have been scored: the best of a batch, or one that somebody asks about. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { MelSpectrogramParameters } from '../shared/audio/mel.ts';
import { readEmbeddings } from '../shared/database/embeddings.ts';
import type {
  SpectrogramParameters as ParametersRow,
  Prisma,
  Score,
  Song,
} from '../shared/database/generated/client.ts';
import { loadAudio } from '../shared/database/uploads.ts';
import { CancelledError, PermanentError, reasonOf, UserError } from '../shared/errors.ts';
import { recordFailure } from '../shared/failures.ts';
import { publicId } from '../shared/identifiers.ts';
import { type ExplanationContent, isChecked } from '../shared/learning/explain/content.ts';
import { type ExplainRequest, hearingOf } from '../shared/learning/explain/explain-song.ts';
import type { TypicalSound } from '../shared/learning/explain/typical.ts';
import { explanationSentences } from '../shared/learning/explain/words.ts';
import { modelFamily } from '../shared/learning/families.ts';
import { type ModelMetrics, modelTitle } from '../shared/registry/models.ts';
import { roundedShare, unknownCalibration } from '../shared/scoring/calibrated.ts';
import { taggerInput } from '../shared/tagger/input.ts';
import { findTagger, taggerName } from '../shared/tagger/provision.ts';
import { type Likeness, likenessOf, readTypicalSound } from './explain-likeness.ts';
import type { JobContext, Services } from './handler.ts';
import { type JudgingModel, readRecordings, storedModel } from './judge-audio.ts';

/** What is drawn at random while explaining is the same every time. */
const seed = 1;

export type ExplainingModel = JudgingModel & {
  dataSet: { id: number; name: string; parametersHash: string; parameters: ParametersRow };
};

interface ScoredSong {
  readonly id: number;
  readonly file: string;
  readonly location: string;
  readonly contentHash: string;
  readonly probability: number;
  readonly percentile: number;
}

/**
 * Explain the best songs of a batch, those that are not yet. A song that cannot be explained keeps its score:
 * the reason becomes a row among the failures.
 * @throws CancelledError when this process shuts down: what is left is explained when the job is run again
 */
export async function explainBatch(
  batchId: number,
  model: ExplainingModel,
  count: number,
  context: JobContext,
  services: Services,
): Promise<Explained> {
  const stillWanted = async () => {
    const batch = await services.database.prisma.scoreBatch.findUnique({ where: { id: batchId } });
    if (batch?.state !== 'running') throw new CancelledError(`the batch is ${batch?.state ?? 'gone'}`);
  };
  const songs = await bestSongs(batchId, count, services);
  return explainSongs(songs, batchId, model, stillWanted, context, services);
}

export interface Explained {
  explained: number;
  failed: number;
}

/** Explain one song that is scored, whatever its rank, and has no explanation that was fully checked. */
export async function explainSong(
  songId: number,
  model: ExplainingModel,
  context: JobContext,
  services: Services,
): Promise<Explained> {
  const row = await services.database.prisma.score.findUnique({ where: { songId }, include: withSong });
  const songs = row && isMissing(row.song.explanation) ? [scoredSong(row)] : [];
  return explainSongs(songs, row?.song.batchId ?? 0, model, async () => {}, context, services);
}

async function explainSongs(
  songs: readonly ScoredSong[],
  batchId: number,
  model: ExplainingModel,
  stillWanted: () => Promise<void>,
  context: JobContext,
  services: Services,
): Promise<Explained> {
  let failed = 0;
  let common: Promise<TypicalSound> | undefined;
  for (const song of songs) {
    await stillWanted();
    try {
      common ??= readTypicalSound(services.database, model.dataSet);
      await explainOne(song, model, await common, context, services);
    } catch (error) {
      if (context.signal.aborted || error instanceof CancelledError) throw error;
      if (!(await services.database.prisma.song.findUnique({ where: { id: song.id } }))) continue;
      failed++;
      context.log.error({ err: error, song: song.file }, 'the song could not be explained; its score stands');
      await keepFailure(song, batchId, reasonOf(error), services);
    }
  }
  return { explained: songs.length - failed, failed };
}

const withSong = { song: { include: { explanation: { select: { content: true } } } } } as const;

/** An explanation that was made before there were all checks is made anew. */
function isMissing(explanation: { content: Prisma.JsonValue } | null): boolean {
  return explanation === null || !isChecked(explanation.content as unknown as ExplanationContent);
}

async function bestSongs(batchId: number, count: number, { database }: Services): Promise<ScoredSong[]> {
  const rows = await database.prisma.score.findMany({
    where: { song: { batchId } },
    orderBy: [{ rank: 'asc' }, { songId: 'asc' }],
    take: count,
    include: withSong,
  });
  return rows.filter(({ song }) => isMissing(song.explanation)).map(scoredSong);
}

function scoredSong({ song, probability, percentile }: Score & { song: Song }): ScoredSong {
  const { id, file, location, contentHash } = song;
  return { id, file, location, contentHash: contentHash!, probability, percentile };
}

async function explainOne(
  song: ScoredSong,
  model: ExplainingModel,
  typical: TypicalSound,
  context: JobContext,
  services: Services,
): Promise<void> {
  const { database } = services;
  const { dataSet } = model;
  const { contentHash, probability, percentile } = song;
  const [recording] = await readRecordings(database, model, [contentHash], null);
  if (!recording) throw new PermanentError('the music tagger has not heard this song');
  const row = await database.prisma.spectrogram.findUniqueOrThrow({
    where: { contentHash_parametersHash: { contentHash, parametersHash: dataSet.parametersHash } },
    select: { audioHash: true, excerptStartSeconds: true },
  });
  const embedding = (await readEmbeddings(database.pool, [contentHash], taggerName)).get(contentHash) ?? null;
  const compared = { contentHash, audioHash: row.audioHash, spectrogram: recording, embedding };
  const [likeness] = await likenessOf(database, dataSet, [compared]);
  const hears = hearingOf(modelFamily(model.name));
  const input = hears.tagger ? await taggerInputOf(song, context, services) : { tagger: null, why: null };
  const { decision, picture } = await services.judge().explain(
    storedModel(model),
    {
      ...{ recording, typical, seed, tagger: input.tagger },
      parameters: dataSet.parameters.parameters as unknown as MelSpectrogramParameters,
      start: row.excerptStartSeconds,
      title: basename(song.file),
      subtitle: subtitleOf(song, model),
    },
    context.signal,
  );
  const missing = missingParts(hears, input.why, likeness!);
  const content = {
    ...{ model: publicId('model', model.id), name: model.name, dataSet: dataSet.name },
    ...{ file: song.file, probability, percentile, decision, ...likeness!, missing },
  };
  await keep(song, { ...content, sentences: explanationSentences(content) }, picture, services);
}

/** The score with no more digits than the model's calibration carries. */
function subtitleOf({ probability, percentile }: ScoredSong, model: ExplainingModel): string {
  const { crossValidation, holdout } = model.metrics as unknown as ModelMetrics;
  const share = roundedShare(probability, (crossValidation ?? holdout).ece ?? unknownCalibration);
  const sounds = share ? `sounds like songs of which ${share.words} became popular; ` : '';
  return `${sounds}${Math.round(percentile)} % of ${holdout.n} holdout songs score lower; judged by ${modelTitle(model)}, trained on ${model.dataSet.name}`;
}

/** The tagger's input of a song, or why it cannot be had here. */
async function taggerInputOf(
  { location, contentHash }: ScoredSong,
  { signal }: JobContext,
  { config, database, spectrograms }: Services,
): Promise<{ tagger: ExplainRequest['tagger']; why: string | null }> {
  const without = (why: string) => ({ tagger: null, why });
  if (config.tagger === 'off') return without('the tagger is off (TAGGER=off)');
  if (findTagger(config.cacheDir) === undefined) {
    return without('the tagger is not set up on the machine that explained it (hiphop doctor --fix)');
  }
  const bytes = (await readFile(location).catch(() => null)) ?? (await loadAudio(database.pool, contentHash));
  if (!bytes) return without('its audio could not be read again');
  if (createHash('sha256').update(bytes).digest('hex') !== contentHash) {
    return without('its file has changed since it was scored');
  }
  try {
    return { tagger: await spectrograms().makeLogMelExcerpt(bytes, taggerInput, signal), why: null };
  } catch (error) {
    if (error instanceof PermanentError || error instanceof UserError) return without(error.message);
    throw error;
  }
}

function missingParts(hears: ReturnType<typeof hearingOf>, why: string | null, { tags }: Likeness): string[] {
  const parts: string[] = [];
  if (why !== null && hears.spectrogram) {
    parts.push(`The part of the model that judges by the music tagger is left out: ${why}.`);
  } else if (why !== null) {
    parts.push(`What carried the decision cannot be shown: ${why}.`);
  } else if (!hears.spectrogram && !hears.tagger) {
    parts.push('The model does not listen: it says the same of every song.');
  }
  if (!tags) parts.push('There are no tags: the music tagger has not heard the song, or not the data set.');
  return parts;
}

async function keep(
  { id }: ScoredSong,
  content: ExplanationContent,
  picture: Uint8Array,
  { database }: Services,
): Promise<void> {
  const stored = { content: content as unknown as Prisma.InputJsonValue, picture: Buffer.from(picture) };
  await database.prisma.$transaction([
    database.prisma.explanation.upsert({
      where: { songId: id },
      create: { songId: id, ...stored },
      update: stored,
    }),
    database.prisma.failure.updateMany({
      where: { songId: id, stage: 'score', state: { in: ['open', 'retried'] } },
      data: { state: 'resolved' },
    }),
  ]);
}

async function keepFailure(
  { id, file }: ScoredSong,
  batchId: number,
  reason: string,
  { database }: Services,
): Promise<void> {
  await recordFailure(database.prisma, {
    ...{ stage: 'score', kind: 'permanent', attempts: 1, subject: file, songId: id },
    reason: `the song is scored, but could not be explained: ${reason}`,
    payload: { batchId, songId: id },
  });
}
