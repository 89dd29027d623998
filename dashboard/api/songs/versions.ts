/** Versions of one song, in order of time: did the new mix move? */
import { basename } from 'node:path';
import type { Database } from '../../../shared/database/index.ts';
import { literally } from '../../../shared/failures.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { sureEnough } from '../../../shared/scoring/pairs.ts';
import type { Yardstick } from './reliability.ts';
import type { Version } from './schemas.ts';

/** The newest are told. */
const most = 50;

/** All songs of this owner with this title, whatever its case. */
export async function versionsOf(
  { prisma }: Database,
  song: { title: string | null; ownerId: number | null },
  yardstickFor: (modelId: number) => Promise<Yardstick>,
): Promise<Version[]> {
  if (song.title === null) return [];
  const rows = await prisma.song.findMany({
    where: {
      title: { equals: literally(song.title), mode: 'insensitive' },
      batch: { ownerId: song.ownerId },
    },
    include: { score: true, batch: { select: { modelId: true } } },
    // One that is judged again keeps the time of its audio.
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: most,
  });
  rows.reverse();
  const versions: Version[] = [];
  for (const [index, row] of rows.entries()) {
    const { id, batchId, file, createdAt, state, score, batch } = row;
    versions.push({
      ...{ id: publicId('song', id), batch: publicId('batch', batchId), file: basename(file) },
      ...{ createdAt: createdAt.toISOString(), model: publicId('model', batch.modelId), step: state },
      percentile: score && Math.round(score.percentile),
      move: await moveOf(versionBefore(rows.slice(0, index), row), row, yardstickFor),
    });
  }
  return versions;
}

interface Judged {
  score: { probability: number } | null;
  contentHash: string | null;
  batch: { modelId: number };
}

/** What a version is held against: the last one of the same judge, where there is any. */
function versionBefore(earlier: readonly Judged[], now: Judged): Judged | undefined {
  const scored = earlier.filter(({ score }) => score !== null);
  return scored.findLast(({ batch }) => batch.modelId === now.batch.modelId) ?? scored.at(-1);
}

async function moveOf(
  before: Judged | undefined,
  now: Judged,
  yardstickFor: (modelId: number) => Promise<Yardstick>,
): Promise<Version['move']> {
  if (!before?.score || !now.score) return null;
  const nothing = { beyondNoise: false, share: null };
  if (before.batch.modelId !== now.batch.modelId) {
    return {
      direction: 'same',
      ...nothing,
      words: `judged by another model than ${before.contentHash === now.contentHash ? 'the same audio before' : 'the version before'}: not comparable`,
    };
  }
  const difference = now.score.probability - before.score.probability;
  if (difference === 0) {
    const same = before.contentHash === now.contentHash ? 'the same audio' : 'the same score';
    return { direction: 'same', ...nothing, words: `${same} as the version before` };
  }
  const { pairs } = await yardstickFor(now.batch.modelId);
  const sureness = pairs.at(difference);
  const beyondNoise = pairs.isSure(difference);
  const direction = difference > 0 ? 'up' : 'down';
  const counted = sureness
    ? `in held-out pairs that far apart the higher one was the popular one in ${Math.round(100 * sureness.share)} of 100 (${sureness.pairs} pairs)`
    : 'too few held-out pairs to say how sure that is';
  const words = beyondNoise
    ? `moved ${direction}, beyond noise: ${counted}`
    : `moved ${direction} a little, within noise: ${counted}; sure is from ${100 * sureEnough} on`;
  return { direction, beyondNoise, share: sureness?.share ?? null, words };
}
