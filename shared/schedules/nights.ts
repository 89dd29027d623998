/**
 * Nights: one row for each time a schedule is due or asked for, and at most one of a schedule that
 * runs. Whoever works on a night signs its row, and only who signed last may write on: a worker that
 * was taken for dead and is not finds out and stops.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Prisma, PrismaClient, Schedule, ScheduleRun } from '../database/generated/client.ts';
import { type Noun, parsePublicId, publicId } from '../identifiers.ts';
import { stages } from '../stages.ts';
import { type ScheduleOptions, type StepName, scheduleOptionsSchema, stepNames } from './definition.ts';

/** A night whose deadline passed so long ago and that still runs has nobody at work on it, in milliseconds. */
const abandonedMs = 10 * 60_000;

const stepSchema = z.strictObject({
  name: z.enum(stepNames),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'skipped', 'cancelled']),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  /** Public id of what it works on: `crawl-3`, `data-set-4`, `run-5`; null until that is known. */
  worksOn: z.string().nullable(),
  /** Id of the newest row of its kind before it began: what is newer, it has made. */
  newestBefore: z.int().nullable(),
  /** For people: what came of it, or why it failed or was skipped. */
  outcome: z.string().nullable(),
});
export type NightStep = z.infer<typeof stepSchema>;

/** What the column `steps` holds. */
const recordSchema = z.strictObject({
  /** Who works on it, a random id; null: nobody yet. */
  worker: z.string().nullable(),
  steps: z.array(stepSchema),
});

export type Night = Omit<ScheduleRun, 'steps' | 'options'> & {
  options: ScheduleOptions;
  worker: string | null;
  steps: NightStep[];
};

type Transaction = Prisma.TransactionClient;

export function readNight({ steps, options, ...row }: ScheduleRun): Night {
  return { ...row, ...recordSchema.parse(steps), options: scheduleOptionsSchema.parse(options) };
}

/** One at a time over all machines: what decides by several rows, or keeps the queue in step with them. */
export async function inTurn<T>(
  prisma: PrismaClient,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return prisma.$transaction(async (transaction) => {
    await transaction.$executeRaw`SELECT pg_advisory_xact_lock(801230077)`;
    return work(transaction);
  });
}

/** The night of a schedule that runs. By its name: a schedule that was removed and added is the same. */
export async function runningNight(prisma: Transaction, scheduleName: string): Promise<Night | null> {
  const row = await prisma.scheduleRun.findFirst({ where: { scheduleName, state: 'running' } });
  return row && readNight(row);
}

/**
 * The night of a scheduler's job: the row it began before, else a new one. Where another night of the
 * schedule still runs, the new row is `skipped` and says so. Null when the schedule is gone or paused.
 */
export async function dueNight(
  prisma: PrismaClient,
  scheduleId: number,
  jobId: string,
): Promise<Night | null> {
  return inTurn(prisma, async (transaction) => {
    const known = await transaction.scheduleRun.findUnique({ where: { jobId } });
    if (known) return readNight(known);
    const schedule = await transaction.schedule.findUnique({ where: { id: scheduleId } });
    if (!schedule || schedule.paused) return null;
    const other = await stillRunning(transaction, schedule.name);
    return createNight(transaction, schedule, jobId, other);
  });
}

/** Begin a night now. Returns the one that still runs, if there is one, instead. */
export async function nightNow(
  prisma: PrismaClient,
  schedule: Schedule,
): Promise<{ night: Night; isNew: boolean }> {
  return inTurn(prisma, async (transaction) => {
    const other = await stillRunning(transaction, schedule.name);
    if (other) return { night: other, isNew: false };
    const night = await createNight(transaction, schedule, `schedule-asked-${randomUUID()}`, null);
    const jobId = stages.schedule.jobId({ nightId: night.id });
    await transaction.scheduleRun.update({ where: { id: night.id }, data: { jobId } });
    return { night: { ...night, jobId }, isNew: true };
  });
}

/** The running night, unless nobody can be at work on it any more: then it has failed. */
async function stillRunning(transaction: Transaction, scheduleName: string): Promise<Night | null> {
  const other = await runningNight(transaction, scheduleName);
  if (!other || Date.now() < other.deadlineAt.getTime() + abandonedMs) return other;
  await writeNight(transaction, other.id, {
    end: { state: 'failed', reason: 'nobody was at work on it when its deadline passed' },
  });
  return null;
}

async function createNight(
  transaction: Transaction,
  schedule: Schedule,
  jobId: string,
  other: Night | null,
): Promise<Night> {
  const options = scheduleOptionsSchema.parse(schedule.options);
  const now = new Date();
  const steps = schedule.steps.map((name): NightStep => {
    const nothing = { startedAt: null, finishedAt: null, worksOn: null, newestBefore: null, outcome: null };
    return { name: name as StepName, state: other ? 'skipped' : 'waiting', ...nothing };
  });
  const skipped = other && {
    state: 'skipped' as const,
    reason: `${publicId('night', other.id)} of this schedule was still running`,
    finishedAt: now,
  };
  const row = await transaction.scheduleRun.create({
    data: {
      ...{ scheduleId: schedule.id, scheduleName: schedule.name, jobId, options, startedAt: now },
      steps: { worker: null, steps },
      deadlineAt: new Date(now.getTime() + options.deadlineHours * 3_600_000),
      ...skipped,
    },
  });
  return readNight(row);
}

export interface NightChange {
  /** Who signed must be this one; left out: whoever did. */
  worker?: string;
  /** Sign it. */
  sign?: string;
  step?: { name: StepName } & Partial<NightStep>;
  /** End the night. A step that runs ends with it, those that wait are not begun. */
  end?: { state: 'done' | 'failed' | 'cancelled'; reason: string | null };
}

/** Change a night that runs. Null when it runs no more, or somebody else has signed it. */
export async function changeNight(
  prisma: PrismaClient,
  id: number,
  change: NightChange,
): Promise<Night | null> {
  return prisma.$transaction((transaction) => writeNight(transaction, id, change));
}

async function writeNight(transaction: Transaction, id: number, change: NightChange): Promise<Night | null> {
  await transaction.$executeRaw`SELECT FROM schedule_runs WHERE id = ${id} FOR UPDATE`;
  const row = await transaction.scheduleRun.findUnique({ where: { id } });
  if (row?.state !== 'running') return null;
  const night = readNight(row);
  if (change.worker !== undefined && change.worker !== night.worker) return null;
  const now = new Date();
  const steps = night.steps
    .map((step) => (step.name === change.step?.name ? { ...step, ...change.step } : step))
    .map((step) => (change.end ? endStep(step, change.end, now) : step));
  const updated = await transaction.scheduleRun.update({
    where: { id },
    data: {
      steps: { worker: change.sign ?? night.worker, steps },
      ...(change.end ? { ...change.end, finishedAt: now } : {}),
    },
  });
  return readNight(updated);
}

function endStep(step: NightStep, end: NonNullable<NightChange['end']>, now: Date): NightStep {
  if (step.state === 'running') {
    return { ...step, state: end.state, finishedAt: now.toISOString(), outcome: end.reason };
  }
  return step.state === 'waiting' ? { ...step, state: 'skipped', outcome: 'the night ended before' } : step;
}

/** Whether a step has made what it works on, or joined in what was there already. */
export function isOwnWork(step: NightStep): boolean {
  if (step.worksOn === null) return false;
  const nouns: readonly Noun[] = ['crawl', 'data-set', 'run'];
  return parsePublicId(step.worksOn, nouns).id > (step.newestBefore ?? 0);
}
