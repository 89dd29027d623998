/** What the history and the log answer. */
import { z } from 'zod';

const at = z.iso.datetime().describe('ISO 8601, UTC');
const whole = z.int().min(0);

export const historySchema = z.object({
  spans: z.array(at).describe('beginning of each hour or day, oldest first'),
  unit: z.enum(['hour', 'day']),
  stages: z.array(
    z.object({
      stage: z.string(),
      done: z.array(whole).describe('runs that ended well, by span; skipped ones included'),
      failed: z.array(whole).describe('runs that failed, also those that were tried again'),
      meanSeconds: z.array(z.number().nullable()),
      p95Seconds: z.array(z.number().nullable()),
    }),
  ),
  ready: z.array(whole).describe('tracks that got their spectrogram'),
  requests: z.array(
    z.object({
      service: z.string(),
      status: z.string().describe('`none`: no whole answer came'),
      counts: z.array(whole),
    }),
  ),
  waits: z
    .array(z.object({ service: z.string(), counts: z.array(whole), seconds: z.array(z.number()) }))
    .describe('how often and how long services asked to be left alone'),
});
export type History = z.infer<typeof historySchema>;

export const logLineSchema = z.object({
  id: z.string(),
  at,
  level: z.enum(['info', 'warn', 'error', 'fatal']),
  host: z.string(),
  pid: z.int(),
  process: z.string(),
  stage: z.string().nullable(),
  job: z.string().nullable(),
  message: z.string(),
  fields: z.looseObject({}),
});
export type LogItem = z.infer<typeof logLineSchema>;

export const logPageSchema = z.object({
  items: z.array(logLineSchema).describe('newest first'),
  next: z.string().nullable().describe('`before` of the next page; null: there is none'),
});
export type LogPage = z.infer<typeof logPageSchema>;
