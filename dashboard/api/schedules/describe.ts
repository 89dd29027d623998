/** Schedules and nights as the API tells them. */
import { type describeNight, describeSchedule, isSomebodyAtWork } from '../../../producers/schedules.ts';
import type { Session } from '../../../producers/session.ts';
import type { Schedule } from '../../../shared/database/generated/client.ts';
import { withoutFolders } from '../../../shared/failure-causes.ts';
import { publicId } from '../../../shared/identifiers.ts';
import type { NightItem, ScheduleItem, SchedulesSnapshot } from './schemas.ts';

type Described = ReturnType<typeof describeNight>;

export function nightItem(night: Described): NightItem {
  return {
    ...{ night: night.night, schedule: night.schedule, state: night.state, seconds: night.seconds },
    reason: night.reason && withoutFolders(night.reason),
    startedAt: night.startedAt.toISOString(),
    deadlineAt: night.deadlineAt.toISOString(),
    finishedAt: night.finishedAt?.toISOString() ?? null,
    steps: night.steps.map(({ startedAt, finishedAt, outcome, ...step }) => ({
      ...{ ...step, startedAt, finishedAt },
      seconds:
        startedAt && finishedAt ? Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000) : null,
      outcome: outcome && withoutFolders(outcome),
    })),
  };
}

export async function scheduleItem(session: Session, row: Schedule): Promise<ScheduleItem> {
  const { nextAt, running, last, options, ...rest } = await describeSchedule(session, row);
  return {
    ...rest,
    options: options as Record<string, unknown>,
    nextAt: nextAt?.toISOString() ?? null,
    running: running && nightItem(running),
    last: last && nightItem(last),
  };
}

export async function readSchedules(session: Session): Promise<SchedulesSnapshot> {
  const { prisma } = session.database;
  const [rows, newest, working] = await Promise.all([
    prisma.schedule.findMany({ orderBy: { name: 'asc' } }),
    prisma.scheduleRun.findFirst({ orderBy: { id: 'desc' }, select: { id: true } }),
    isSomebodyAtWork(session),
  ]);
  return {
    schedules: await Promise.all(rows.map((row) => scheduleItem(session, row))),
    working,
    newestNight: newest && publicId('night', newest.id),
  };
}
