import type { PrismaClient, WorkerProcess } from './database/generated/client.ts';

/** A worker process says that it is alive this often, in milliseconds. */
export const heartbeatMs = 3_000;
/** One that is silent for longer is taken for gone, in milliseconds. */
const silenceMs = 12_000;

/** The worker processes that are alive, on all machines. */
export async function aliveWorkers(prisma: PrismaClient): Promise<WorkerProcess[]> {
  return prisma.workerProcess.findMany({
    where: { stoppedAt: null, heartbeatAt: { gt: new Date(Date.now() - silenceMs) } },
    orderBy: { startedAt: 'asc' },
  });
}
