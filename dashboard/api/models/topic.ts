/** What trains, and who is champion, as event. */
import type { Session } from '../../../producers/session.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { findChampionId } from '../../../shared/registry/index.ts';
import type { Topic } from '../../events/hub.ts';
import { progressOf } from './describe.ts';
import type { ModelsSnapshot } from './schemas.ts';

export function modelsTopic({ database: { prisma } }: Session): Topic {
  return {
    name: 'models',
    audience: () => 'all',
    everyMs: 1_000,
    read: async (): Promise<ModelsSnapshot> => {
      const [champion, training, newest] = await Promise.all([
        findChampionId(prisma),
        prisma.model.findMany({
          where: { state: { in: ['queued', 'training'] } },
          select: { id: true, name: true, state: true, progress: true },
          orderBy: { id: 'asc' },
        }),
        prisma.model.findFirst({
          where: { finishedAt: { not: null } },
          orderBy: { finishedAt: 'desc' },
          select: { id: true },
        }),
      ]);
      return {
        champion: champion === null ? null : publicId('model', champion),
        training: training.map(({ id, name, state, progress }) => ({
          ...{ id: publicId('model', id), name, state },
          progress: progressOf({ progress }),
        })),
        newest: newest && publicId('model', newest.id),
      };
    },
  };
}
