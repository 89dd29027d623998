/** Batches and songs as the API tells them: with no more certainty than there is. */
import { basename } from 'node:path';
import type {
  Explanation,
  Model,
  Prisma,
  PrismaClient,
  Score,
  ScoreBatch,
  Song,
} from '../../../shared/database/generated/client.ts';
import { uploadedHash } from '../../../shared/database/uploads.ts';
import { withoutFolders } from '../../../shared/failure-causes.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { roundedShare, unknownCalibration } from '../../../shared/scoring/calibrated.ts';
import { rankRanges } from '../../../shared/scoring/ranks.ts';
import { verdictOf } from '../../../shared/scoring/verdict.ts';
import type { Yardstick } from './reliability.ts';
import type { BatchItem, ScoreView, SongCounts, SongItem } from './schemas.ts';

export const batchInclude = {
  model: { select: { id: true, name: true } },
  owner: { select: { name: true } },
} satisfies Prisma.ScoreBatchInclude;

export type BatchRow = ScoreBatch & { model: Pick<Model, 'id' | 'name'>; owner: { name: string } | null };
export type SongRow = Song & { score: Score | null; explanation: Pick<Explanation, 'songId'> | null };

export const noSongs: SongCounts = { total: 0, waiting: 0, decoding: 0, judging: 0, scored: 0, failed: 0 };

const steps = {
  queued: 'waiting',
  fetched: 'decoding',
  ready: 'judging',
  scored: 'scored',
  failed: 'failed',
} as const;

/** How far a song is: what was under way when its batch was cancelled is so no more. */
export function stepOf(state: Song['state'], batch: Pick<ScoreBatch, 'state'>): SongItem['step'] {
  const step = steps[state];
  return batch.state === 'cancelled' && step !== 'scored' && step !== 'failed' ? 'cancelled' : step;
}

export function countSongs(states: readonly { state: Song['state']; _count: number }[]): SongCounts {
  const counts = { ...noSongs };
  for (const { state, _count } of states) {
    counts[steps[state]] += _count;
    counts.total += _count;
  }
  return counts;
}

export function batchItem(row: BatchRow, counts: SongCounts): BatchItem {
  const { id, name, state, createdAt, finishedAt, model, owner } = row;
  // One that was cancelled takes no song, not even where none is left in it.
  const isEmpty = counts.total === 0 && state !== 'cancelled';
  return {
    ...{ id: publicId('batch', id), name, state: isEmpty ? 'empty' : state },
    ...{ createdAt: createdAt.toISOString(), finishedAt: finishedAt?.toISOString() ?? null },
    ...{ model: publicId('model', model.id), modelName: model.name, owner: owner?.name ?? null, counts },
  };
}

/** Batches, each with how far its songs are. */
export async function batchItems(prisma: PrismaClient, rows: readonly BatchRow[]): Promise<BatchItem[]> {
  const counts = await prisma.song.groupBy({
    by: ['batchId', 'state'],
    where: { batchId: { in: rows.map(({ id }) => id) } },
    _count: true,
  });
  return rows.map((row) => batchItem(row, countSongs(counts.filter(({ batchId }) => batchId === row.id))));
}

/** The songs of a batch: best first, then those under way, then those that failed. */
export function describeSongs(
  songs: readonly SongRow[],
  batch: Pick<ScoreBatch, 'state'>,
  yardstick: Yardstick,
): SongItem[] {
  const scored = songs
    .filter((song) => song.score !== null)
    .sort((a, b) => b.score!.probability - a.score!.probability || a.id - b.id);
  const ranks = rankRanges(
    scored.map(({ score }) => score!.probability),
    yardstick.pairs.sureFrom,
  );
  const rest = songs.filter((song) => song.score === null);
  return [
    ...scored.map((song, index) =>
      songItem(
        song,
        batch,
        scoreView(
          song.score!,
          { ...ranks[index]!, of: scored.length },
          scored[index + 1]?.score ?? null,
          yardstick,
        ),
      ),
    ),
    ...rest.filter(({ state }) => state !== 'failed').map((song) => songItem(song, batch, null)),
    ...rest.filter(({ state }) => state === 'failed').map((song) => songItem(song, batch, null)),
  ];
}

export function songItem(song: SongRow, batch: Pick<ScoreBatch, 'state'>, score: ScoreView | null): SongItem {
  const { id, file, title, state, failureReason, warnings, createdAt, location, explanation } = song;
  const step = stepOf(state, batch);
  const failed = state === 'failed' ? withoutFolders(failureReason ?? 'it failed') : null;
  return {
    ...{ id: publicId('song', id), file: basename(file), title, step, warnings },
    reason: step === 'cancelled' ? 'its batch is cancelled: resume it to go on' : failed,
    ...{ createdAt: createdAt.toISOString(), uploaded: Boolean(uploadedHash(location)) },
    ...{ explained: explanation !== null, score },
  };
}

function scoreView(
  score: Score,
  rank: ScoreView['rank'],
  next: Score | null,
  yardstick: Yardstick,
): ScoreView {
  const { probability, percentile, unfamiliarity, comparedBy } = score;
  const { reliability, heldOut, pairs } = yardstick;
  const around = heldOut.around(probability);
  const beyond = heldOut.beyond(probability);
  const evidence = {
    ...{ betterThanChance: reliability.betterThanChance, unfamiliarity, beyond },
    ...{ neighbourhood: around, baseRate: heldOut.baseRate, heldOut: heldOut.count },
  };
  return {
    ...{ probability, percentile: Math.round(percentile), rank },
    share: roundedShare(probability, reliability.calibrationError ?? unknownCalibration),
    dots: around && [...around.dots],
    beyond,
    alike: around && { songs: around.songs, popular: around.popular, groups: around.groups },
    ...{ unfamiliarity, comparedBy, verdict: verdictOf(evidence) },
    aboveNext: next && pairs.at(probability - next.probability),
  };
}
