/**
 * Stage schedule: one night of a schedule. Its steps run one after the other, each a command of the
 * command line and then a wait until the database says that the work is truly finished. All that was
 * done is in the night's row, so that another worker goes on where this one was killed.
 */
import { publicId } from '../shared/identifiers.ts';
import { changeNight, dueNight, type Night, readNight } from '../shared/schedules/nights.ts';
import type { SchedulePayload } from '../shared/stages.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';
import { type CommandRunner, commandRunner } from './schedule/command.ts';
import { Shift, TakenError } from './schedule/shift.ts';
import { StepWork } from './schedule/step-work.ts';

export function buildSchedule(
  { config, database: { prisma } }: Pick<Services, 'config' | 'database'>,
  runCommand: CommandRunner = commandRunner(config),
): Handler<'schedule'> {
  return {
    stage: 'schedule',
    run: async (payload, context) => {
      const night = await findNight(payload, context.jobId);
      if (!night) return { outcome: 'skipped', why: 'the schedule was removed or is paused' };
      if (night.state !== 'running')
        return { outcome: 'skipped', why: night.reason ?? `it is ${night.state}` };
      const shift = await Shift.begin(prisma, night, context);
      if (!shift) return { outcome: 'skipped', why: 'it has just ended' };
      return work(shift, runCommand, context);
    },
    fail: async (payload, reason, jobId) => {
      const night = await rowOf(payload, jobId);
      if (!night) {
        const schedule =
          'scheduleId' in payload &&
          (await prisma.schedule.findUnique({ where: { id: payload.scheduleId } }));
        return schedule ? { subject: subjectOf(schedule.name) } : null;
      }
      await changeNight(prisma, night.id, { end: { state: 'failed', reason } });
      return { subject: subjectOf(night.scheduleName) };
    },
  };

  async function findNight(payload: SchedulePayload, jobId: string): Promise<Night | null> {
    return 'nightId' in payload ? rowOf(payload, jobId) : dueNight(prisma, payload.scheduleId, jobId);
  }

  async function rowOf(payload: SchedulePayload, jobId: string): Promise<Night | null> {
    const where = 'nightId' in payload ? { id: payload.nightId } : { jobId };
    const row = await prisma.scheduleRun.findUnique({ where });
    return row && readNight(row);
  }
}

async function work(shift: Shift, runCommand: CommandRunner, { log }: JobContext): Promise<Outcome> {
  const { id, scheduleName, steps } = shift.night;
  log.info({ night: publicId('night', id), schedule: scheduleName }, 'at work on a night');
  try {
    for (const { name } of steps) await new StepWork(name, shift, runCommand).run();
    await shift.end();
  } catch (error) {
    if (error instanceof TakenError) return { outcome: 'skipped', why: error.message };
    throw error;
  }
  // A night that went well is the answer to those that did not.
  await shift.prisma.failure.updateMany({
    where: { stage: 'schedule', ...subjectOf(scheduleName), state: { in: ['open', 'retried'] } },
    data: { state: 'resolved' },
  });
  return { outcome: 'done' };
}

const subjectOf = (scheduleName: string) => ({ subject: `schedule ${scheduleName}` });
