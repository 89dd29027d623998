/** What is a caller's own: who asks for another's is told that there is none. */
import type { Prisma } from '../../../shared/database/generated/client.ts';
import { publicId } from '../../../shared/identifiers.ts';
import type { Caller } from '../../access/caller.ts';
import { notFound } from '../problem.ts';
import type { Context } from '../route.ts';
import { batchInclude } from './describe.ts';

/** An artist has their own batches, an operator sees all. */
export function ownBatches({ role, accountId }: Caller): Prisma.ScoreBatchWhereInput {
  return role === 'operator' ? {} : { ownerId: accountId ?? -1 };
}

/** @throws Problem 404 */
export async function findBatch({ session, caller }: Pick<Context, 'session' | 'caller'>, id: number) {
  const row = await session.database.prisma.scoreBatch.findFirst({
    where: { id, ...ownBatches(caller) },
    include: batchInclude,
  });
  return row ?? notFound(publicId('batch', id));
}

/** @throws Problem 404 */
export async function findSong({ session, caller }: Pick<Context, 'session' | 'caller'>, id: number) {
  const row = await session.database.prisma.song.findFirst({
    where: { id, batch: ownBatches(caller) },
    include: { score: true, explanation: { select: { songId: true } }, batch: { include: batchInclude } },
  });
  return row ?? notFound(publicId('song', id));
}
