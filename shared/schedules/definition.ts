/** What a schedule is: when, which steps, with what options; and the checks of what a person asks for. */
import { getNextMillis } from 'bullmq';
import { z } from 'zod';
import { reasonOf, UserError } from '../errors.ts';

/** The steps there are, in the only order that makes sense. */
export const stepNames = ['crawl', 'freeze', 'train'] as const;
export type StepName = (typeof stepNames)[number];

/** What the steps are asked to do, as their commands take it. */
export const scheduleOptionsSchema = z.strictObject({
  /** Null where no step crawls. */
  crawl: z
    .strictObject({
      source: z.string().min(1),
      genre: z.string().min(1),
      /** Null: those that the command takes by itself, which move on with the calendar. */
      years: z.string().min(1).nullable(),
      market: z.string().min(1),
      limit: z.int().positive().nullable(),
    })
    .nullable(),
  /** How a data set is cut; `train` without a step `freeze` before it cuts one as well. */
  freeze: z.strictObject({
    threshold: z.union([z.literal('median'), z.number()]),
    holdout: z.number(),
    test: z.number(),
    seed: z.int(),
  }),
  /** Null where no step trains. */
  train: z
    .strictObject({
      /** Names, or `auto`: what suits the catalogue and the machine on that night. */
      models: z.string().min(1),
      preset: z.string().min(1).nullable(),
      /** Folds; null: as the command decides. */
      crossValidate: z.int().nullable(),
      /** Also on a data set that models were trained on before. */
      always: z.boolean(),
    })
    .nullable(),
  /** How long a night may take, all steps together. */
  deadlineHours: z.number().positive(),
});
export type ScheduleOptions = z.infer<typeof scheduleOptionsSchema>;

/**
 * Read a comma-separated list of steps.
 * @throws UserError that says what is unknown, repeated or out of order
 */
export function parseSteps(list: string): StepName[] {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const there = `the steps are ${stepNames.join(', ')}`;
  const unknown = names.filter((name) => !stepNames.includes(name as StepName));
  if (unknown.length > 0) throw new UserError(`unknown step ${unknown.join(', ')}; ${there}`);
  if (names.length === 0) throw new UserError(`no step is named; ${there}`);
  const inOrder = stepNames.filter((name) => names.includes(name));
  if (inOrder.join() !== names.join()) {
    throw new UserError(
      `the steps ${names.join(',')} make no sense in this order: say --steps ${inOrder.join(',')}`,
    );
  }
  return inOrder;
}

/** @throws UserError when the name could not be typed, shown or told from an option */
export function checkScheduleName(name: string): void {
  if (/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,59}$/u.test(name)) return;
  throw new UserError(
    `"${name}" is no name for a schedule: up to 60 letters, digits, dots, dashes and underscores, the first a letter or digit`,
  );
}

/** @throws UserError when this machine does not know the time zone */
export function checkTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    throw new UserError(
      `there is no time zone "${timezone}"; they are named as in Europe/Berlin, America/New_York or UTC`,
    );
  }
}

/**
 * Check a pattern by the parser that the queue fires by.
 * @throws UserError that says what is wrong with it
 */
export function checkCron(cron: string, timezone: string): void {
  const expected = 'expected five fields: minute hour day month weekday, e.g. "0 3 * * *" for 3 at night';
  const fields = cron.trim().split(/\s+/);
  // The parser makes up what is missing, which nobody means.
  if (fields.length < 5 || fields.length > 6)
    throw new UserError(`"${cron}" is no cron pattern: ${expected}`);
  // Its H stands for a number drawn anew each time it is asked.
  if (/(^|[\s,])H/i.test(cron)) throw new UserError(`"${cron}" is no cron pattern: H is not known here`);
  let next: Date | null;
  try {
    next = nextTime(cron, timezone);
  } catch (error) {
    throw new UserError(`"${cron}" is no cron pattern (${reasonOf(error)}): ${expected}`);
  }
  if (!next) throw new UserError(`"${cron}" names a time that never comes`);
}

/** When a pattern fires next, or null when it never does. */
export function nextTime(cron: string, timezone: string, after = new Date()): Date | null {
  const next = getNextMillis(after.getTime(), { pattern: cron, tz: timezone });
  return next === undefined ? null : new Date(next);
}
