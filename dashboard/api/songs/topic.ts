/** Batches under way, and those that just ended, as event: each artist sees their own. */
import type { Session } from '../../../producers/session.ts';
import type { Prisma } from '../../../shared/database/generated/client.ts';
import type { Topic } from '../../events/hub.ts';
import { batchInclude, batchItems } from './describe.ts';
import type { SongsSnapshot } from './schemas.ts';

/** A failure that is about a song and not its batch: its score stands, its explanation failed. */
export const failedExplanation = { stage: 'score', state: 'open', songId: { not: null } } as const;

/** So many of the newest batches are told, and all that run. */
const most = 20;

export function songsTopic({ database: { prisma } }: Session): Topic {
  return {
    name: 'songs',
    audience: ({ role, accountId }) =>
      role === 'operator' ? 'all' : role === 'artist' && accountId !== null ? String(accountId) : null,
    everyMs: 1_000,
    read: async (audience): Promise<SongsSnapshot> => {
      const where = audience === 'all' ? {} : { ownerId: Number(audience) };
      const batches = (more: Prisma.ScoreBatchFindManyArgs) =>
        prisma.scoreBatch.findMany({ orderBy: { id: 'desc' }, ...more, include: batchInclude });
      const [running, newest, explained, unexplained] = await Promise.all([
        batches({ where: { ...where, state: 'running' } }),
        batches({ where, take: most }),
        prisma.explanation.count({ where: { song: { batch: where } } }),
        prisma.failure.count({ where: { ...failedExplanation, song: { batch: where } } }),
      ]);
      const told = new Map([...running, ...newest].map((row) => [row.id, row]));
      const rows = [...told.values()].sort((a, b) => b.id - a.id);
      return { batches: await batchItems(prisma, rows), explained, unexplained };
    },
  };
}
