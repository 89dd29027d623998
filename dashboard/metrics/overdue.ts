/** How late nights are, by the schedule's own pattern: a weekly one is not late after a day. */
import type { PrismaClient } from '../../shared/database/generated/client.ts';
import { nextTime } from '../../shared/schedules/definition.ts';

/** After one of these a schedule begins anew: what was due before is not asked for. */
const beginnings = [
  ...['POST /schedules/{schedule}/resume', 'schedule resume'],
  ...['PUT /schedules/{schedule}', 'schedule add'],
];

/** Of each schedule that is not paused: its name, and for how many seconds a night has been due. */
export async function readOverdue(prisma: PrismaClient, now = new Date()): Promise<[string, number][]> {
  const schedules = await prisma.schedule.findMany({ where: { paused: false } });
  const names = schedules.map(({ name }) => name);
  const [nights, begun] = await Promise.all([
    prisma.scheduleRun.groupBy({
      by: ['scheduleName'],
      where: { state: 'done', scheduleName: { in: names } },
      _max: { finishedAt: true },
    }),
    prisma.auditEntry.groupBy({
      by: ['target'],
      where: { action: { in: beginnings }, target: { in: names }, status: { lt: 300 } },
      _max: { at: true },
    }),
  ]);
  return schedules.map(({ name, cron, timezone, createdAt }) => {
    const done = nights.find(({ scheduleName }) => scheduleName === name)?._max.finishedAt;
    const anew = begun.find(({ target }) => target === name)?._max.at;
    const since = new Date(Math.max(...[createdAt, done, anew].map((time) => time?.getTime() ?? 0)));
    return [name, overdueSeconds(cron, timezone, since, now)];
  });
}

/**
 * How long the first night after a moment has been due, in seconds; 0: it is to come.
 * @param since when a night was last done, or the schedule began
 */
export function overdueSeconds(cron: string, timezone: string, since: Date, now: Date): number {
  const due = nextTime(cron, timezone, since);
  return due ? Math.max(0, (now.getTime() - due.getTime()) / 1000) : 0;
}
