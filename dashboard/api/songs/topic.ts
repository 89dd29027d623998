/** Batches under way, and those that just ended, as event: each artist sees their own. */
import type { Session } from '../../../producers/session.ts';
import type { Topic } from '../../events/hub.ts';
import { batchInclude, batchItem, countSongs } from './describe.ts';
import type { SongsSnapshot } from './schemas.ts';

/** The newest batches are told. */
const most = 20;

export function songsTopic({ database: { prisma } }: Session): Topic {
  return {
    name: 'songs',
    audience: ({ role, accountId }) =>
      role === 'operator' ? 'all' : role === 'artist' && accountId !== null ? String(accountId) : null,
    everyMs: 1_000,
    read: async (audience): Promise<SongsSnapshot> => {
      const rows = await prisma.scoreBatch.findMany({
        where: audience === 'all' ? {} : { ownerId: Number(audience) },
        include: batchInclude,
        orderBy: { id: 'desc' },
        take: most,
      });
      const counts = await prisma.song.groupBy({
        by: ['batchId', 'state'],
        where: { batchId: { in: rows.map(({ id }) => id) } },
        _count: true,
      });
      return {
        batches: rows.map((row) =>
          batchItem(row, countSongs(counts.filter(({ batchId }) => batchId === row.id))),
        ),
      };
    },
  };
}
