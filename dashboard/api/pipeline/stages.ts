/** The stages as they stand: depths, pauses, who is at work. */
import type { Session } from '../../../producers/session.ts';
import type { PrismaClient, WorkerProcess } from '../../../shared/database/generated/client.ts';
import { aliveWorkers } from '../../../shared/heartbeat.ts';
import { type StageName, stageNames, stages } from '../../../shared/stages.ts';
import type { PipelineSnapshot, StageState, WorkerState } from './schemas.ts';

type Paused = PipelineSnapshot['paused'][number];

export async function readStages({
  queues,
  database,
}: Session): Promise<{ stages: StageState[]; workers: WorkerState[] }> {
  const [counts, workers] = await Promise.all([queues.allCounts(), aliveWorkers(database.prisma)]);
  return {
    stages: stageNames.map((stage) => ({
      ...{ stage, does: stages[stage].does, ...counts[stage] },
      workers: workers.filter((worker) => worker.stages.includes(stage)).length,
      board: boardOf(stage),
    })),
    workers: workers.map(describeWorker),
  };
}

export const boardOf = (stage: StageName) => `/queues/queue/${stage}`;

export function describeWorker({
  host,
  pid,
  stages: run,
  backend,
  startedAt,
  heartbeatAt,
}: WorkerProcess): WorkerState {
  return {
    ...{ host, pid, stages: run, backend },
    since: startedAt.toISOString(),
    // Beats come every few seconds: a coarser time leaves the snapshot as it is.
    heartbeatAt: new Date(10_000 * Math.floor(heartbeatAt.getTime() / 10_000)).toISOString(),
  };
}

/** The stages and schedules that are paused. */
export async function readPauses(prisma: PrismaClient, states: readonly StageState[]): Promise<Paused[]> {
  const held = states.filter(({ paused }) => paused);
  const schedules = await prisma.schedule.findMany({
    where: { paused: true },
    select: { name: true },
    orderBy: { name: 'asc' },
  });
  return Promise.all([
    ...held.map(({ stage }) => whoPaused(prisma, `stage ${stage}`, stageActions, [stage, 'all'])),
    ...schedules.map(({ name }) => whoPaused(prisma, `schedule ${name}`, scheduleActions, [name])),
  ]);
}

/** Audit actions that begin or end a pause: of the API, of the queues' board, and of the command line. */
const stageActions = {
  pause: ['POST /queues/{stage}/pause', 'PUT /queues/pause'],
  resume: ['POST /queues/{stage}/resume', 'PUT /queues/resume'],
};
const scheduleActions = {
  pause: ['POST /schedules/{schedule}/pause', 'schedule pause'],
  resume: ['POST /schedules/{schedule}/resume', 'schedule resume'],
};

/** The newest entry of the audit says who; where that is the end of a pause, somebody paused past the audit. */
async function whoPaused(
  prisma: PrismaClient,
  what: string,
  { pause, resume }: typeof stageActions,
  targets: string[],
): Promise<Paused> {
  const entry = await prisma.auditEntry.findFirst({
    where: { action: { in: [...pause, ...resume] }, target: { in: targets }, status: { lt: 300 } },
    orderBy: { id: 'desc' },
  });
  if (!entry || !pause.includes(entry.action)) return { what, by: null, since: null };
  return { what, by: entry.who, since: entry.at.toISOString() };
}
