/** What the catalogue's routes take and answer. */
import { z } from 'zod';

const at = z.iso.datetime().describe('ISO 8601, UTC');
const day = z.iso.date().describe('year-month-day');
const whole = z.int().min(0);

export const trackStates = ['listed', 'queued', 'fetched', 'ready', 'failed'] as const;
export const trackSorts = ['title', 'popularity', 'released', 'id'] as const;

export const trackItemSchema = z.object({
  id: z.string().describe('public id, e.g. `track-7`'),
  title: z.string(),
  artists: z.array(z.string()),
  album: z.string().nullable(),
  genre: z.string().nullable(),
  released: day.nullable(),
  popularity: z.number().nullable().describe('newest reading, 0 to 100'),
  durationSeconds: z.number().nullable(),
  isrc: z.string().nullable(),
  source: z.string(),
  state: z.enum(trackStates),
  reason: z.string().nullable(),
});
export type TrackItem = z.infer<typeof trackItemSchema>;

export const trackSchema = trackItemSchema.extend({
  readings: z
    .array(
      z.object({
        at,
        value: z.number().nullable(),
        rank: z.int().nullable(),
        origin: z.string(),
        crawl: z.string().nullable(),
      }),
    )
    .describe('the newest 200, oldest first'),
  spectrogram: z
    .object({
      bands: z.int(),
      frames: z.int(),
      seconds: z.number(),
      startSeconds: z.number(),
      durationSeconds: z.number(),
      ticks: z.array(z.object({ hz: z.number(), place: z.number() })),
      warnings: z.array(z.string()),
    })
    .nullable(),
  previewKept: z.boolean().describe('its audio is still in the database'),
  heardByTagger: z.boolean(),
  dataSets: z.array(z.object({ id: z.string(), name: z.string(), split: z.string(), popular: z.boolean() })),
  predictions: z
    .array(z.object({ model: z.string(), name: z.string(), side: z.string(), probability: z.number() }))
    .describe('by models that had not heard it'),
  crawls: z.array(z.object({ crawl: z.string(), startedAt: at })),
  attempts: z.array(
    z.object({
      failure: z.string(),
      stage: z.string(),
      state: z.string(),
      reason: z.string(),
      attempts: whole,
      at,
    }),
  ),
  attributes: z.looseObject({}),
});
export type TrackView = z.infer<typeof trackSchema>;

export const binSchema = z.object({ from: z.number(), to: z.number(), count: whole });

export const overviewSchema = z.object({
  of: z.string().describe('`catalogue`, or the name of a data set'),
  asOf: at,
  tracks: whole,
  popularity: z.object({
    n: whole,
    threshold: z.number().nullable().describe('popular is from here on; null: no data set says'),
    bins: z.array(binSchema),
  }),
  releases: z.object({ n: whole, months: z.array(z.object({ month: z.string(), count: whole })) }),
  previews: z.array(z.object({ state: z.string(), count: whole })),
  missing: z
    .array(z.object({ reason: z.string(), count: whole }))
    .describe('why audio is missing, most frequent first'),
  durations: z.object({ n: whole, bins: z.array(binSchema) }),
  artists: z.array(z.object({ name: z.string(), count: whole })),
  genres: z.array(z.object({ name: z.string().nullable(), count: whole })),
  sources: z.array(z.object({ name: z.string(), count: whole })),
});
export type Overview = z.infer<typeof overviewSchema>;
