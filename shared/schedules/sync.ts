/**
 * The rows of `schedules` are the truth; the queue's job schedulers, which fire, follow them. Run after
 * every change, and now and then: a restored database or an emptied Redis has rows and no schedulers.
 */
import type { JobSchedulerJson } from 'bullmq';
import type { Prisma, PrismaClient, Schedule } from '../database/generated/client.ts';
import type { Queue } from '../queues/backend.ts';
import type { Queues } from '../queues/queues.ts';
import { stages } from '../stages.ts';
import { inTurn } from './nights.ts';

/** Failed jobs stay in the queue this long, in seconds, as those of all stages do. */
const keepFailedSeconds = 14 * 24 * 3600;

export interface Synced {
  /** Schedulers that were made or changed, and that were removed. */
  made: number;
  removed: number;
  /** Nights under way whose job was lost and is made again. */
  resumed: number;
}

/**
 * Bring the queue's job schedulers in step with the rows, and enqueue nights under way whose job is
 * lost. Changes nothing where nothing is amiss; may run in any number of processes at once (they take
 * turns: on PostgreSQL parallel upserts can deadlock).
 */
export async function syncSchedules(parts: { prisma: PrismaClient; queues: Queues }): Promise<Synced> {
  const queue = parts.queues.of('schedule');
  return inTurn(parts.prisma, async (transaction) => {
    const rows = await transaction.schedule.findMany({ where: { paused: false }, orderBy: { id: 'asc' } });
    const wanted = new Map(rows.map((row) => [schedulerId(row.id), row]));
    const synced: Synced = { made: 0, removed: 0, resumed: 0 };
    const found = new Map<string, JobSchedulerJson>();
    for (const scheduler of await queue.getJobSchedulers(0, -1)) found.set(scheduler.key, scheduler);
    for (const id of found.keys()) {
      if (wanted.has(id)) continue;
      await queue.removeJobScheduler(id);
      synced.removed++;
    }
    for (const [id, row] of wanted) {
      if (await isInStep(queue, row, found.get(id))) continue;
      await upsert(queue, id, row);
      synced.made++;
    }
    for (const night of await transaction.scheduleRun.findMany({ where: { state: 'running' } })) {
      if (await resumeNight(parts.queues, transaction, night)) synced.resumed++;
    }
    return synced;
  });
}

/** When the queue will start the next night of a schedule; null where it has no scheduler for it. */
export async function nextFiring(queues: Queues, scheduleId: number): Promise<Date | null> {
  const scheduler = await queues.of('schedule').getJobScheduler(schedulerId(scheduleId));
  return scheduler?.next ? new Date(scheduler.next) : null;
}

async function isInStep(queue: Queue, row: Schedule, found: JobSchedulerJson | undefined): Promise<boolean> {
  if (!found || found.pattern !== row.cron || found.tz !== row.timezone || !found.next) return false;
  // A scheduler lives on through its next job alone: another is made when that one is started.
  if (await queue.getJob(`repeat:${found.key}:${found.next}`)) return true;
  return (await queue.getJobScheduler(found.key))?.next !== found.next; // started meanwhile
}

async function upsert(queue: Queue, id: string, row: Schedule): Promise<void> {
  const { attempts, backoff } = stages.schedule;
  await queue.upsertJobScheduler(
    id,
    { pattern: row.cron, tz: row.timezone },
    {
      name: 'schedule',
      data: stages.schedule.payload.parse({ scheduleId: row.id }),
      opts: { attempts, backoff, removeOnComplete: true, removeOnFail: { age: keepFailedSeconds } },
    },
  );
}

/** Enqueue a night that runs and whose job is gone. Says whether it was. */
async function resumeNight(
  queues: Queues,
  transaction: Prisma.TransactionClient,
  night: { id: number; jobId: string },
): Promise<boolean> {
  if (await queues.of('schedule').getJob(night.jobId)) return false;
  const payload = { nightId: night.id };
  const jobId = stages.schedule.jobId(payload);
  await transaction.scheduleRun.update({ where: { id: night.id }, data: { jobId } });
  await queues.enqueue('schedule', [payload]);
  return true;
}

const schedulerId = (scheduleId: number) => `schedule-${scheduleId}`;
