import type { Prisma, PrismaClient } from '../../../shared/database/generated/client.ts';
import type { PipelineSnapshot } from './schemas.ts';

/** Open failures: how many there are in all, and the most frequent causes. */
export async function openFailures(
  prisma: PrismaClient,
  of: Prisma.FailureWhereInput,
  reasonsShown: number,
): Promise<PipelineSnapshot['failures']> {
  const where = { ...of, state: 'open' as const };
  const [open, groups] = await Promise.all([
    prisma.failure.count({ where }),
    prisma.failure.groupBy({
      by: ['stage', 'cause'],
      where,
      _count: true,
      orderBy: { _count: { id: 'desc' } },
      take: reasonsShown,
    }),
  ]);
  return {
    open,
    reasons: groups.map(({ stage, cause, _count }) => ({ stage, reason: cause, count: _count })),
  };
}
