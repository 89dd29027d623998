/** What the schedules' routes and events take and answer. */
import { z } from 'zod';

const at = z.iso.datetime().describe('ISO 8601, UTC');

export const nightStepSchema = z.object({
  step: z.string(),
  state: z.string(),
  startedAt: at.nullable(),
  finishedAt: at.nullable(),
  seconds: z.int().nullable(),
  worksOn: z.string().nullable().describe('public id of the crawl, data set or run'),
  outcome: z.string().nullable(),
});

export const nightSchema = z.object({
  night: z.string().describe('public id, e.g. `night-4`'),
  schedule: z.string(),
  state: z.enum(['running', 'done', 'failed', 'skipped', 'cancelled']),
  reason: z.string().nullable(),
  startedAt: at,
  deadlineAt: at,
  finishedAt: at.nullable(),
  seconds: z.int().nullable(),
  steps: z.array(nightStepSchema),
});
export type NightItem = z.infer<typeof nightSchema>;

export const stepNameSchema = z.enum(['crawl', 'freeze', 'train']);

const crawlStep = z.strictObject({
  genre: z.string().trim().min(1).max(60).default('hip-hop'),
  years: z
    .string()
    .regex(/^\d{4}(-\d{4})?$/, 'expected a year or a span, e.g. 2019-2021')
    .nullable()
    .default(null)
    .describe('null: the last three years, as the calendar moves on'),
  market: z
    .string()
    .regex(/^[A-Za-z]{2}$/, 'expected a country code of two letters, e.g. US')
    .transform((code) => code.toUpperCase())
    .default('US'),
  limit: z.int().positive().nullable().default(null).describe('so many tracks are enough; null: all'),
});

const freezeStep = z.strictObject({
  threshold: z.union([z.literal('median'), z.number().min(0).max(100)]).default('median'),
  holdout: z.number().gt(0).lt(1).default(0.1),
  test: z.number().gt(0).lt(1).default(0.15),
  seed: z.int().min(0).default(1),
});

const trainStep = z.strictObject({
  models: z
    .string()
    .default('auto')
    .describe('names, comma-separated; `auto`: what suits catalogue and machine'),
  preset: z.string().nullable().default(null),
  crossValidate: z.int().min(2).max(50).nullable().default(null).describe('folds; null: as suits'),
  always: z.boolean().default(false).describe('also on a data set that models were trained on before'),
});

export const scheduleBodySchema = z.strictObject({
  cron: z.string().min(1).max(120).describe('minute hour day month weekday, e.g. `0 3 * * *`'),
  timezone: z.string().min(1).max(60).describe('that the pattern is read in, e.g. `Europe/Berlin`'),
  steps: z.array(stepNameSchema).min(1).describe('in the order crawl, freeze, train'),
  crawl: crawlStep.default(crawlStep.parse({})),
  freeze: freezeStep.default(freezeStep.parse({})),
  train: trainStep.default(trainStep.parse({})),
  deadlineHours: z.number().positive().max(168).default(12).describe('for the whole night'),
});
export type ScheduleBody = z.infer<typeof scheduleBodySchema>;

export const newScheduleSchema = scheduleBodySchema.extend({ name: z.string().min(1).max(60) });

export const scheduleSchema = z.object({
  schedule: z.string(),
  cron: z.string(),
  timezone: z.string(),
  steps: z.array(z.string()),
  options: z.looseObject({}).describe('what each step is asked to do'),
  paused: z.boolean(),
  nextAt: at.nullable().describe('null while it is paused'),
  running: nightSchema.nullable(),
  last: nightSchema.nullable(),
});
export type ScheduleItem = z.infer<typeof scheduleSchema>;

/** Pushed as event `schedules`. */
export const schedulesSnapshot = z.object({
  schedules: z.array(scheduleSchema),
  working: z.boolean().describe('whether a worker is alive that starts what is due'),
  newestNight: z.string().nullable(),
});
export type SchedulesSnapshot = z.infer<typeof schedulesSnapshot>;

export const firingsSchema = z.object({ timezone: z.string(), next: z.array(at) });
