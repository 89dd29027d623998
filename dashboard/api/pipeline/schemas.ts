/** What the pipeline's routes and events answer. */
import { z } from 'zod';

const at = z.iso.datetime().describe('ISO 8601, UTC');
const stage = z.string().describe('a stage, e.g. `preview`');
const whole = z.int().min(0);

export const pausedSchema = z.object({
  what: z.string().describe('what is paused, in words, e.g. `stage preview` or `schedule nightly`'),
  by: z.string().nullable().describe('who paused it; null: not known, or not told'),
  since: at.nullable().describe('null: not known'),
});

export const stageSchema = z.object({
  stage,
  does: z.string(),
  waiting: whole.describe('jobs that wait, also for the end of a pause'),
  active: whole,
  delayed: whole.describe('jobs that wait for their time, e.g. for another attempt'),
  failed: whole.describe('jobs that failed for good in the last 14 days and are still in the queue'),
  paused: z.boolean(),
  workers: whole.describe('processes alive that run this stage'),
  board: z.string().describe('address of its queue among these pages'),
});
export type StageState = z.infer<typeof stageSchema>;

export const workerSchema = z.object({
  host: z.string(),
  pid: z.int(),
  stages: z.array(z.string()),
  backend: z
    .string()
    .nullable()
    .describe('`tensorflow-gpu`, `tensorflow-cpu` or `wasm`; null: it has not loaded TensorFlow so far'),
  since: at,
  heartbeatAt: at,
});
export type WorkerState = z.infer<typeof workerSchema>;

export const reasonCountSchema = z.object({ stage, reason: z.string(), count: whole });

/** How far a crawl is. */
export const funnelSchema = z.object({
  pages: z.object({
    asked: whole,
    queued: whole.describe('known to be asked still; answers may ask for more'),
    skipped: whole.describe('not needed: all they could bring had come'),
    failed: whole,
  }),
  tracks: z.object({
    found: whole,
    fetched: whole.describe('with audio, now or before'),
    ready: whole.describe('with a spectrogram'),
    failed: whole,
    unfinished: whole.describe('under way'),
  }),
});
export type Funnel = z.infer<typeof funnelSchema>;

/** An honest time left: a range with what it is made from, or why there is none. */
export const timeLeftSchema = z.union([
  z.object({
    known: z.literal(true),
    fromSeconds: z.number(),
    toSeconds: z.number().nullable().describe('null: it may be any longer'),
    basis: z.string().describe('what the figures are made from'),
  }),
  z.object({ known: z.literal(false), basis: z.string().describe('why it is not known') }),
]);
export type TimeLeft = z.infer<typeof timeLeftSchema>;

export const ratesSchema = z.object({
  overSeconds: z.number().describe('length of the time that was watched'),
  pages: z.number().describe('asked a minute'),
  found: z.number().describe('tracks found a minute'),
  fetched: z.number().describe('previews fetched a minute'),
  ready: z.number().describe('spectrograms ready a minute'),
  ended: z.number().describe('tracks ready or failed a minute'),
});
export type Rates = z.infer<typeof ratesSchema>;

export const crawlStateSchema = z.object({
  crawl: z.string().describe('public id, e.g. `crawl-3`'),
  state: z.enum(['running', 'done', 'cancelled']),
  source: z.string(),
  asked: z.string().describe('what was asked for, in words'),
  audio: z.boolean().describe('false: tracks and popularity alone'),
  quota: z.string().nullable().describe("the source's quota mode, once it is known"),
  startedAt: at,
  searchedAt: at.nullable().describe('when the last page was asked'),
  finishedAt: at.nullable(),
});

export const currentCrawlSchema = crawlStateSchema.extend({
  funnel: funnelSchema,
  rates: ratesSchema.nullable().describe('null: not watched for long enough, or it does not run'),
  timeLeft: timeLeftSchema.nullable().describe('null: it does not run'),
  failed: whole.describe('open failures of this crawl'),
  failures: z.array(reasonCountSchema).describe('their most frequent reasons, most frequent first'),
});
export type CurrentCrawl = z.infer<typeof currentCrawlSchema>;

export const runningSchema = z.object({
  id: z.string(),
  what: z.string().describe('in words'),
  since: at,
  done: whole.nullable(),
  total: whole.nullable(),
  noun: z.string().describe('what is counted'),
});

export const nightBriefSchema = z.object({
  night: z.string(),
  schedule: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  startedAt: at,
  finishedAt: at.nullable(),
  steps: z.array(z.object({ step: z.string(), state: z.string() })),
});

export const problemLineSchema = z.object({
  severity: z.enum(['bad', 'warn']),
  text: z.string().describe('what is wrong and what to do'),
  link: z.string().nullable().describe('page that helps'),
});
export type ProblemLine = z.infer<typeof problemLineSchema>;

/** What the home page and the frame of all pages show, pushed as event `pipeline`. */
export const pipelineSnapshot = z.object({
  asOf: at.describe('when its oldest part was read, in steps of ten seconds'),
  paused: z.array(pausedSchema),
  crawl: currentCrawlSchema.nullable().describe('the newest that runs, else the newest'),
  queues: z.enum(['postgresql', 'redis']),
  stages: z.array(stageSchema),
  workers: z.array(workerSchema),
  running: z.array(runningSchema),
  nights: z.array(nightBriefSchema).describe('the last ones, newest first'),
  next: z
    .array(z.object({ schedule: z.string(), at, timezone: z.string() }))
    .describe('what is due next, soonest first'),
  failures: z.object({
    open: whole,
    reasons: z.array(reasonCountSchema).describe('open, most frequent first'),
  }),
  champion: z.object({ model: z.string(), name: z.string() }).nullable(),
  problems: z.array(problemLineSchema).describe('empty: all is well'),
});
export type PipelineSnapshot = z.infer<typeof pipelineSnapshot>;

export const crawlListItemSchema = crawlStateSchema.extend({
  pages: whole.describe('asked'),
  tracks: whole.describe('found'),
});
export type CrawlListItem = z.infer<typeof crawlListItemSchema>;

export const crawlDetailSchema = currentCrawlSchema.extend({
  honoursNot: z.boolean().nullable().describe("whether the source's search honours NOT"),
  rows: whole.describe('rows in all answers'),
  newRows: whole.describe('of them not known to this crawl before'),
  recordings: whole.describe('different recordings among its tracks'),
  albums: whole,
  short: z.object({
    total: whole.describe('partitions that brought less than they promised'),
    items: z.array(
      z.object({
        query: z.string(),
        expected: z.number().nullable(),
        total: whole.nullable(),
        note: z.string(),
      }),
    ),
  }),
});
export type CrawlDetail = z.infer<typeof crawlDetailSchema>;

/** From and to; `to` null: it may be any more. */
export const rangeSchema = z.object({ from: z.number(), to: z.number().nullable() });
export type Range = z.infer<typeof rangeSchema>;

export const crawlBodySchema = z.strictObject({
  genre: z.string().trim().min(1).max(60).default('hip-hop'),
  years: z
    .tuple([z.int().min(1900).max(2100), z.int().min(1900).max(2100)])
    .refine(([from, to]) => from <= to, 'the first year comes after the last')
    .describe('first and last year of release'),
  market: z
    .string()
    .regex(/^[A-Za-z]{2}$/, 'expected a country code of two letters, e.g. US')
    .transform((code) => code.toUpperCase())
    .default('US'),
  limit: z
    .int()
    .min(1)
    .max(100_000_000)
    .nullable()
    .default(null)
    .describe('so many tracks are enough; null: all'),
  metadataOnly: z.boolean().default(false).describe('no audio: tracks, artists, albums and popularity alone'),
});
export type CrawlBody = z.infer<typeof crawlBodySchema>;

export const estimateSchema = z.object({
  requests: rangeSchema.describe('search pages to be asked of the source'),
  lookups: rangeSchema.describe('recordings to be looked up at Deezer, which the source tells too little of'),
  downloads: rangeSchema.describe('previews to be fetched; 0 of metadata alone'),
  hours: rangeSchema,
  basis: z.string().describe('what the figures are made from, and how sure they are'),
  earlier: z.array(z.string()).describe('the crawls they are made from'),
  running: z.string().nullable().describe('a crawl of the same query that runs: it would be joined'),
  obstacle: z.string().nullable().describe('why it cannot be started now, and what to do'),
});
export type Estimate = z.infer<typeof estimateSchema>;

export const failureSchema = z.object({
  failure: z.string(),
  stage,
  kind: z
    .enum(['permanent', 'exhausted'])
    .describe('permanent: the input is wrong; exhausted: all attempts failed'),
  state: z.enum(['open', 'retried', 'resolved', 'dismissed']),
  reason: z.string(),
  subject: z.string().nullable().describe('what it is about; null: not told'),
  about: z.string().nullable().describe('public id of the track, model or batch'),
  crawl: z.string().nullable(),
  attempts: whole,
  at: at.describe('when it last changed'),
});
export type FailureItem = z.infer<typeof failureSchema>;

export const reasonGroupSchema = reasonCountSchema.extend({ newest: at });
export type ReasonGroup = z.infer<typeof reasonGroupSchema>;

export const saidSchema = z.object({ said: z.string().describe('what was done, in one line') });
