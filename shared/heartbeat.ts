import type { PrismaClient, WorkerProcess } from './database/generated/client.ts';

/** A worker process says that it is alive this often, in milliseconds. */
export const heartbeatMs = 3_000;
/** One that is silent for longer is taken for gone, in milliseconds. */
const silenceMs = 12_000;

/** Say that a worker process is alive, by the database's clock: those of machines differ. */
export async function beat(prisma: PrismaClient, id: string): Promise<void> {
  await prisma.$executeRaw`UPDATE worker_processes SET heartbeat_at = now() WHERE id = ${id}`;
}

/** The worker processes that are alive, on all machines. */
export async function aliveWorkers(prisma: PrismaClient): Promise<WorkerProcess[]> {
  const [clock] = await prisma.$queryRaw<[{ now: Date }]>`SELECT now()`;
  return prisma.workerProcess.findMany({
    where: { stoppedAt: null, heartbeatAt: { gt: new Date(clock.now.getTime() - silenceMs) } },
    orderBy: { startedAt: 'asc' },
  });
}
