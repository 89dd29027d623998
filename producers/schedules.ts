/** Schedules: rows that say what is done when; the queue's schedulers follow them. */
import type { Prisma, PrismaClient, Schedule } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import {
  checkCron,
  checkScheduleName,
  checkTimezone,
  nextTime,
  type ScheduleOptions,
  type StepName,
} from '../shared/schedules/definition.ts';
import { inTurn, type Night, nightNow, readNight, runningNight } from '../shared/schedules/nights.ts';
import { nextFiring, syncSchedules } from '../shared/schedules/sync.ts';
import type { Session } from './session.ts';

export interface ScheduleRequest {
  name: string;
  cron: string;
  timezone: string;
  steps: StepName[];
  options: ScheduleOptions;
}

/**
 * Add a schedule, or change the one of this name. A night that runs goes on as it began.
 * @throws UserError when name, pattern or time zone are wrong
 */
export async function addSchedule(
  session: Session,
  request: ScheduleRequest,
): Promise<{ schedule: Schedule; isNew: boolean }> {
  const { name, timezone, steps, options } = request;
  const cron = request.cron.trim().split(/\s+/).join(' ');
  checkScheduleName(name);
  checkTimezone(timezone);
  checkCron(cron, timezone);
  const data = { cron, timezone, steps, options: options as Prisma.InputJsonValue };
  const added = await inTurn(session.database.prisma, async (transaction) => {
    const isNew = !(await transaction.schedule.findUnique({ where: { name } }));
    const schedule = await transaction.schedule.upsert({
      where: { name },
      create: { name, ...data },
      update: data,
    });
    return { schedule, isNew };
  });
  await sync(session);
  return added;
}

/** Remove a schedule; its nights stay. Returns the one that still runs, which goes on. */
export async function removeSchedule(session: Session, name: string): Promise<Night | null> {
  const { prisma } = session.database;
  const { id } = await findSchedule(prisma, name);
  await prisma.schedule.deleteMany({ where: { id } });
  await sync(session);
  return runningNight(prisma, name);
}

/** Paused, a schedule starts no night; one that runs goes on. */
export async function pauseSchedule(session: Session, name: string, paused: boolean): Promise<Schedule> {
  const { prisma } = session.database;
  const { id } = await findSchedule(prisma, name);
  const schedule = await prisma.schedule.update({ where: { id }, data: { paused } });
  await sync(session);
  return schedule;
}

/**
 * Start a night now, paused or not. Where one runs that nobody works on, that one is gone on with.
 * @throws UserError when one runs already
 */
export async function runSchedule(session: Session, name: string): Promise<{ night: Night; isNew: boolean }> {
  const { prisma } = session.database;
  const { night, isNew } = await nightNow(prisma, await findSchedule(prisma, name));
  if (!isNew && (await isSomebodyAtWork(session))) {
    const id = publicId('night', night.id);
    throw new UserError(
      `${id} of ${name} still runs, since ${night.startedAt.toISOString()}: hiphop cancel ${id} stops it`,
    );
  }
  await sync(session); // enqueues the night: it has its row, and no job yet
  return { night, isNew };
}

/** Whether a worker is alive that starts what is due. */
export async function isSomebodyAtWork({ workforce }: Session): Promise<boolean> {
  return (await workforce.missing(['schedule'])).length === 0;
}

/**
 * Find a schedule by its name.
 * @throws UserError that lists what there is
 */
export async function findSchedule(prisma: PrismaClient, name: string): Promise<Schedule> {
  const found = await prisma.schedule.findUnique({ where: { name } });
  if (found) return found;
  const names = (await prisma.schedule.findMany({ orderBy: { name: 'asc' } })).map((row) => row.name);
  throw new UserError(
    `there is no schedule "${name}"; ${names.length > 0 ? `there are ${names.join(', ')}` : 'hiphop schedule add makes one'}`,
  );
}

/** All schedules by name, each with when it is due next, the night that runs and the last that ended. */
export async function listSchedules(session: Session) {
  const { prisma } = session.database;
  const schedules = await prisma.schedule.findMany({ orderBy: { name: 'asc' } });
  return Promise.all(schedules.map((schedule) => describeSchedule(session, schedule)));
}

export async function describeSchedule(session: Session, schedule: Schedule) {
  const { prisma } = session.database;
  const { id, name, cron, timezone, steps, options, paused } = schedule;
  const running = await runningNight(prisma, name);
  const last = await prisma.scheduleRun.findFirst({
    where: { scheduleName: name, state: { not: 'running' } },
    orderBy: { id: 'desc' },
  });
  const due = paused ? null : ((await nextFiring(session.queues, id)) ?? nextTime(cron, timezone));
  return {
    ...{ schedule: name, cron, timezone, steps, options, paused },
    nextAt: due,
    running: running ? describeNight(running) : null,
    last: last ? describeNight(readNight(last)) : null,
  };
}

/** The nights of one schedule or of all, newest first, at most `limit`. */
export async function listNights(prisma: PrismaClient, name: string | undefined, limit: number, offset = 0) {
  if (name !== undefined && !(await prisma.scheduleRun.findFirst({ where: { scheduleName: name } }))) {
    await findSchedule(prisma, name); // one that was removed has nights as well
  }
  const where = name === undefined ? {} : { scheduleName: name };
  const rows = await prisma.scheduleRun.findMany({
    where,
    orderBy: { id: 'desc' },
    take: limit,
    skip: offset,
  });
  return {
    total: await prisma.scheduleRun.count({ where }),
    nights: rows.map((row) => describeNight(readNight(row))),
  };
}

export function describeNight({ id, scheduleName, state, reason, steps, ...night }: Night) {
  const { startedAt, deadlineAt, finishedAt } = night;
  return {
    ...{ night: publicId('night', id), schedule: scheduleName, state, reason },
    ...{ startedAt, deadlineAt, finishedAt },
    seconds: finishedAt ? Math.round((finishedAt.getTime() - startedAt.getTime()) / 1000) : null,
    steps: steps.map((step) => ({
      ...{ step: step.name, state: step.state, worksOn: step.worksOn, outcome: step.outcome },
      ...{ startedAt: step.startedAt, finishedAt: step.finishedAt },
    })),
  };
}

async function sync({ database, queues }: Session): Promise<void> {
  await syncSchedules({ prisma: database.prisma, queues });
}
