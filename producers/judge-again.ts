/** Songs that were judged before, judged again by today's champion: only what is judged alike can be compared. */
import type { ScoreBatch } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { enqueueBatch, scoringModel } from './score.ts';
import type { Session } from './session.ts';

const longestName = 120;

/**
 * Begin a batch of the same songs for today's champion; the old one stays. What was decoded for the champion's
 * data set is not decoded again.
 * @throws UserError when there is no champion, it is the judge already, or the songs are still under way
 */
export async function judgeAgain(session: Session, batchId: number): Promise<ScoreBatch> {
  const { prisma } = session.database;
  const champion = await scoringModel(session, undefined);
  const batch = await prisma.scoreBatch.findUnique({
    where: { id: batchId },
    include: { songs: { where: { contentHash: { not: null } }, orderBy: { id: 'asc' } } },
  });
  const name = publicId('batch', batchId);
  if (!batch) throw new UserError(`there is no ${name}`);
  const judge = publicId('model', champion.id);
  if (batch.modelId === champion.id) {
    throw new UserError(`${name} was judged by ${judge}, which is the champion still`);
  }
  if (batch.state === 'running') throw new UserError(`${name} is still being judged: wait for it`);
  // What could not be decoded cannot be decoded now.
  const songs = batch.songs.filter(({ state }) => state === 'scored' || state === 'ready');
  if (songs.length === 0) throw new UserError(`${name} has no song that was judged`);
  const { parametersHash } = await prisma.dataSet.findUniqueOrThrow({ where: { id: champion.dataSetId } });
  const decoded = await prisma.spectrogram.findMany({
    where: { parametersHash, contentHash: { in: songs.map(({ contentHash }) => contentHash!) } },
    select: { contentHash: true },
  });
  const hashes = new Set(decoded.map(({ contentHash }) => contentHash));
  const again = await prisma.scoreBatch.create({
    data: {
      ...{ modelId: champion.id, ownerId: batch.ownerId, explain: batch.explain },
      name: `${(batch.name ?? name).slice(0, longestName - 20)}, by ${judge}`,
      songs: {
        createMany: {
          // Its place among the versions of a song is where the audio came in, not where it was judged.
          data: songs.map(({ file, location, title, contentHash, createdAt, warnings }) => ({
            ...{ file, location, title, contentHash, createdAt, warnings },
            state: hashes.has(contentHash!) ? ('ready' as const) : ('queued' as const),
          })),
        },
      },
    },
  });
  await enqueueBatch(session, again.id);
  return again;
}
