/** Versions of one song, in order of time: did the new mix move? */
import { basename } from 'node:path';
import type { Database } from '../../../shared/database/index.ts';
import { literally } from '../../../shared/failures.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { sureEnough } from '../../../shared/scoring/pairs.ts';
import { stepOf } from './describe.ts';
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
    include: { score: true, batch: { select: { modelId: true, state: true } } },
    // One that is judged again keeps the time of its audio.
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: most,
  });
  rows.reverse();
  const versions: Version[] = [];
  for (const [index, row] of rows.entries()) {
    const { id, batchId, file, createdAt, state, score, batch } = row;
    const yardstick = score && (await yardstickFor(batch.modelId));
    const earlier = rows.slice(0, index);
    const before = versionBefore(earlier, row);
    // The last one may be of another judge, or without a score.
    const skips = before && before !== earlier.at(-1);
    const name = skips ? `${basename(before.file)} (${publicId('song', before.id)})` : null;
    versions.push({
      ...{ id: publicId('song', id), batch: publicId('batch', batchId), file: basename(file) },
      ...{
        createdAt: createdAt.toISOString(),
        model: publicId('model', batch.modelId),
        step: stepOf(state, batch),
      },
      percentile: score && Math.round(score.percentile),
      holdoutN: yardstick?.reliability.holdoutN ?? null,
      move: await moveOf(before, row, { name, yardstickFor }),
    });
  }
  return versions;
}

/** `82 of 100` */
const ofHundred = (share: number) => `${Math.round(100 * share)} of 100`;

interface Judged {
  id: number;
  file: string;
  score: { probability: number } | null;
  contentHash: string | null;
  batch: { modelId: number };
}

/** What a version is held against: the last one of the same judge, where there is any. */
function versionBefore(earlier: readonly Judged[], now: Judged): Judged | undefined {
  const scored = earlier.filter(({ score }) => score !== null);
  return scored.findLast(({ batch }) => batch.modelId === now.batch.modelId) ?? scored.at(-1);
}

interface Against {
  /** Of what it is held against; null: that is the version before. */
  name: string | null;
  yardstickFor: (modelId: number) => Promise<Yardstick>;
}

async function moveOf(
  before: Judged | undefined,
  now: Judged,
  { name, yardstickFor }: Against,
): Promise<Version['move']> {
  if (!before?.score || !now.score) return null;
  const nothing = { beyondNoise: false, share: null };
  const sameAudio = before.contentHash === now.contentHash;
  if (before.batch.modelId !== now.batch.modelId) {
    const other = name ?? (sameAudio ? 'the same audio before' : 'the version before');
    return { direction: 'same', ...nothing, words: `judged by another model than ${other}: not comparable` };
  }
  const difference = now.score.probability - before.score.probability;
  if (difference === 0) {
    const same = sameAudio ? 'the same audio' : 'the same score';
    return { direction: 'same', ...nothing, words: `${same} as ${name ?? 'the version before'}` };
  }
  const { pairs, reliability } = await yardstickFor(now.batch.modelId);
  const sureness = pairs.at(difference);
  const beyondNoise = pairs.isSure(difference);
  const direction = difference > 0 ? 'up' : 'down';
  const moved = `moved ${direction}${name ? ` from ${name}` : ''}`;
  if (!reliability.betterThanChance) {
    const words = `${moved}, which says nothing: this model may be no better than chance`;
    return { direction, ...nothing, words };
  }
  const atLeast = sureness?.atLeast ?? null;
  const least = atLeast === null ? '' : `, in at least ${ofHundred(atLeast)} with other songs`;
  const counted = sureness
    ? `of two held-out songs that far apart, one of which became popular, it was the higher one in ${ofHundred(sureness.share)} cases${least}; n = ${sureness.songs} songs by ${sureness.groups} artists`
    : 'too few held-out songs to say how sure that is';
  const words = beyondNoise
    ? `${moved}, beyond noise: ${counted}`
    : `${moved}, within noise: ${counted}; sure is from at least ${100 * sureEnough} with other songs on`;
  return { direction, beyondNoise, share: sureness?.share ?? null, words };
}
