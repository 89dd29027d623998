/** Score: put songs that are not released yet through the same stages as the catalogue, and rank them. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Model, ScoreBatch } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { parsePublicId, publicId } from '../shared/identifiers.ts';
import { findChampion, isNullTest, type ModelMetrics, newestPromotion } from '../shared/registry/index.ts';
import { PairCurve } from '../shared/scoring/pairs.ts';
import { type RankRange, rankRanges } from '../shared/scoring/ranks.ts';
import { isBetterThanChance, judgedUnheard } from '../shared/scoring/unheard.ts';
import { isAudioPath } from '../shared/sources/folder/files.ts';
import type { Session } from './session.ts';

export interface SongFile {
  /** As it is shown: the path as given, or below the folder that was given. */
  file: string;
  /** Absolute path. */
  location: string;
}

/**
 * Find the songs that were asked for: files as they are named, folders with all audio below them.
 * A file that is named is always a row, whatever it turns out to be; a missing one too.
 * @throws UserError when a folder holds no audio at all
 */
export async function findSongs(paths: readonly string[]): Promise<SongFile[]> {
  const songs: SongFile[] = [];
  for (const path of paths) {
    const location = resolve(path);
    const found = await stat(location).catch(() => null);
    if (!found?.isDirectory()) {
      songs.push({ file: path, location });
      continue;
    }
    const entries = await readdir(location, { recursive: true, withFileTypes: true });
    const audio = entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && isAudioPath(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    if (audio.length === 0) throw new UserError(`there is no audio file in ${path}`);
    songs.push(...audio.map((file) => ({ file: join(path, relative(location, file)), location: file })));
  }
  return [...new Map(songs.map((song) => [song.location, song])).values()];
}

/**
 * The model that scores: the one named, else the champion.
 * @throws UserError when there is none yet, or it is not trained
 */
export async function scoringModel(session: Session, named: string | undefined): Promise<Model> {
  const { prisma } = session.database;
  if (named === undefined) {
    const champion = await findChampion(prisma);
    if (champion) return champion;
    const trained = await prisma.model.count({ where: { state: 'ready' } });
    throw new UserError(
      trained > 0
        ? 'no model is champion: name one with --model, or choose one with hiphop promote (hiphop models lists them)'
        : 'there is no trained model yet: hiphop ingest CATALOGUE, then hiphop train',
    );
  }
  const { id } = parsePublicId(named, ['model']);
  const model = await prisma.model.findUnique({ where: { id } });
  if (!model) throw new UserError(`there is no ${publicId('model', id)}; hiphop models lists what there is`);
  if (model.state !== 'ready')
    throw new UserError(`${publicId('model', id)} cannot score: it is ${model.state}`);
  if (isNullTest(model)) {
    throw new UserError(
      `${publicId('model', id)} cannot score: it was trained on permuted labels, as a null test, and knows nothing`,
    );
  }
  return model;
}

/** @param explain so many of the best songs are to be explained */
export async function score(
  session: Session,
  model: Model,
  songs: readonly SongFile[],
  explain = 0,
): Promise<ScoreBatch> {
  const { prisma } = session.database;
  const batch = await prisma.scoreBatch.create({
    data: { modelId: model.id, explain, songs: { createMany: { data: songs.map((song) => ({ ...song })) } } },
  });
  await enqueueBatch(session, batch.id);
  return batch;
}

/** Enqueue the songs of a batch that are under way, or its scoring when none is. */
export async function enqueueBatch(session: Session, batchId: number): Promise<void> {
  const batch = await session.database.prisma.scoreBatch.findUniqueOrThrow({
    where: { id: batchId },
    include: {
      songs: { where: { state: { in: ['queued', 'fetched'] } }, select: { id: true } },
      model: { include: { dataSet: { select: { parametersHash: true } } } },
    },
  });
  const { parametersHash } = batch.model.dataSet;
  if (batch.songs.length === 0) await session.queues.enqueue('score', [{ batchId }]);
  await session.queues.enqueue(
    'preview',
    batch.songs.map(({ id }) => ({ kind: 'song' as const, id, parametersHash })),
  );
}

export interface ScoredSong {
  file: string;
  probability: number;
  percentile: number;
  /** Its place in the order of the scores, however small the differences are. */
  rank: number;
  /** The places that it may have as far as the order is sure. */
  ranks: RankRange;
  warnings: string[];
}

export interface Scores {
  batchId: number;
  model: {
    id: string;
    name: string;
    dataset: string;
    /** Since when it is the champion; null: it is not. */
    championSince: Date | null;
    /** The model's own reliability, so that nobody takes a sieve for an oracle. */
    reliability: {
      basis: string;
      n: number;
      rocAuc: number | null;
      rocAucCi95: [number, number] | null;
      /** Mean distance of what it says from what was true; null: not measured. */
      calibrationError: number | null;
    };
    /** Songs that a percentile compares with. */
    holdoutN: number;
  };
  /** Best first, then those that could not be scored. */
  songs: (ScoredSong | { file: string; error: string })[];
}

/** The answer of `hiphop score`. */
export async function describeBatch(session: Session, batchId: number): Promise<Scores> {
  const batch = await session.database.prisma.scoreBatch.findUniqueOrThrow({
    where: { id: batchId },
    include: {
      songs: { include: { score: true }, orderBy: { id: 'asc' } },
      model: { include: { dataSet: true } },
    },
  });
  const { model } = batch;
  const promotion = await newestPromotion(session.database.prisma);
  const metrics = model.metrics as unknown as ModelMetrics;
  const { crossValidation, holdout } = metrics;
  const { n, rocAuc, rocAucCi95, ece } = crossValidation ?? holdout;
  const basis = crossValidation ? `${crossValidation.folds}-fold cross-validation` : 'holdout';
  const scored = batch.songs
    .flatMap(({ file, warnings, score: row }) =>
      row
        ? [{ file, probability: row.probability, percentile: row.percentile, rank: row.rank, warnings }]
        : [],
    )
    .sort((a, b) => a.rank - b.rank || b.probability - a.probability);
  const unheard = await judgedUnheard(session.database.prisma, model);
  const { sureFrom } = new PairCurve(unheard.judged, isBetterThanChance(unheard));
  const ranks = rankRanges(
    scored.map(({ probability }) => probability),
    sureFrom,
  );
  const failed = batch.songs
    .filter((song) => song.score === null)
    .map((song) => ({ file: song.file, error: song.failureReason ?? `not scored: ${song.state}` }));
  return {
    batchId,
    model: {
      id: publicId('model', model.id),
      name: model.name,
      dataset: model.dataSet.name,
      championSince: promotion?.modelId === model.id ? promotion.promotedAt : null,
      reliability: { basis, n, rocAuc, rocAucCi95, calibrationError: ece ?? null },
      holdoutN: holdout.n,
    },
    songs: [...scored.map((song, index) => ({ ...song, ranks: ranks[index]! })), ...failed],
  };
}
