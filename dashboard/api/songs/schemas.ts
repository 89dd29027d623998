/** What the songs' routes and events take and answer. */
import { z } from 'zod';

const at = z.iso.datetime().describe('ISO 8601, UTC');
const whole = z.int().min(0);

export const songCountsSchema = z.object({
  total: whole,
  waiting: whole.describe('uploaded, to be fetched by a worker'),
  decoding: whole,
  judging: whole,
  scored: whole,
  failed: whole,
});
export type SongCounts = z.infer<typeof songCountsSchema>;

export const batchItemSchema = z.object({
  id: z.string().describe('public id, e.g. `batch-3`'),
  name: z.string().nullable(),
  state: z.enum(['empty', 'running', 'done', 'cancelled']),
  createdAt: at,
  finishedAt: at.nullable(),
  model: z.string(),
  modelName: z.string(),
  owner: z.string().nullable().describe('null: of the command line or of this machine'),
  counts: songCountsSchema,
});
export type BatchItem = z.infer<typeof batchItemSchema>;

/** How far a model may be trusted, from songs that it never heard. */
export const reliabilitySchema = z.object({
  model: z.string(),
  name: z.string(),
  dataSet: z.string(),
  dataSetId: z.string(),
  tracks: whole.describe('of the data set'),
  trainedAt: at.nullable(),
  codeVersion: z.string().nullable(),
  basis: z.string().describe('how the songs were kept from it'),
  n: whole.describe('songs that it never heard'),
  groups: whole.describe('groups of them that share no artist or recording: each counts once'),
  rocAuc: z.number().nullable(),
  rocAucCi95: z.tuple([z.number(), z.number()]).nullable(),
  betterThanChance: z.boolean().describe('the interval lies above .5'),
  calibrationError: z.number().nullable(),
  baseRate: z.number().describe('share of popular ones among them, each group counting once'),
  dummy: z.number().describe('ROC-AUC of always saying the same'),
  logistic: z.number().nullable().describe('ROC-AUC of the linear model on mel statistics on the same songs'),
  released: z.object({ from: at.nullable(), to: at.nullable() }).describe('of the songs of its data set'),
  threshold: z.number().describe('popular means a popularity of at least this'),
  holdoutN: whole.describe('songs that a percentile compares with'),
  pairs: whole.describe('pairs of held-out songs behind how sure an order is'),
  compared: z.string().describe('the group compared with, the period and n, in one sentence'),
  words: z.array(z.string()).describe('all of it in plain sentences'),
});
export type Reliability = z.infer<typeof reliabilitySchema>;

export const scoreSchema = z.object({
  probability: z
    .number()
    .describe(
      'of sounding like songs that became popular, as the model says it: more digits than it carries',
    ),
  percentile: z.number().describe("share of the data set's holdout songs that score lower, 0 to 100"),
  rank: z
    .object({ from: z.int(), to: z.int(), of: z.int() })
    .describe(
      'among the judged songs of its batch, ties included: from the best that it may be to the worst',
    ),
  share: z
    .object({ count: z.int(), of: z.int(), words: z.string() })
    .nullable()
    .describe('the probability rounded to what its calibration carries; null: not even halves are'),
  dots: z
    .array(z.number())
    .nullable()
    .describe(
      '20 equally likely values of the share of popular songs among those scored alike; null: too few',
    ),
  alike: z
    .object({ songs: whole, popular: whole, groups: whole })
    .nullable()
    .describe(
      'held-out songs that were scored most alike; `popular` of the `groups` became so, each counting once',
    ),
  beyond: z
    .enum(['above', 'below'])
    .nullable()
    .describe('the score lies outside of those of all held-out songs, on this side'),
  unfamiliarity: z
    .number()
    .nullable()
    .describe('share of tracks, in percent, nearer to their nearest than this song'),
  comparedBy: z.string().nullable(),
  verdict: z.object({ kind: z.enum(['more', 'less', 'inconclusive', 'unlike']), sentence: z.string() }),
  aboveNext: z
    .object({
      share: z.number(),
      atLeast: z
        .number()
        .nullable()
        .describe('the share with other songs, by resampling whole groups (95 %, one-sided); null: too few'),
      ...{ pairs: whole, songs: whole, groups: whole },
    })
    .nullable()
    .describe(
      'how often, in held-out pairs that far apart of which one became popular, it was the higher one',
    ),
});
export type ScoreView = z.infer<typeof scoreSchema>;

const stepSchema = z
  .enum(['waiting', 'decoding', 'judging', 'scored', 'failed', 'cancelled'])
  .describe('cancelled: it was under way when its batch was cancelled');

export const songItemSchema = z.object({
  id: z.string().describe('public id, e.g. `song-7`'),
  file: z.string(),
  title: z.string().nullable(),
  step: stepSchema,
  reason: z.string().nullable().describe('why it is not judged, where it will not be'),
  warnings: z.array(z.string()),
  createdAt: at,
  uploaded: z.boolean().describe('its audio is kept here'),
  explained: z.boolean(),
  score: scoreSchema.nullable(),
});
export type SongItem = z.infer<typeof songItemSchema>;

export const batchSchema = batchItemSchema.extend({
  explain: whole.describe('so many of the best songs are explained'),
  judgeAgain: z
    .string()
    .nullable()
    .describe('the champion, where another model judged these songs: it can judge them again'),
  reliability: reliabilitySchema,
  songs: z.array(songItemSchema).describe('best first, then those under way, then those that failed'),
});
export type BatchView = z.infer<typeof batchSchema>;

export const versionSchema = z.object({
  id: z.string(),
  batch: z.string(),
  file: z.string(),
  createdAt: at,
  model: z.string(),
  step: stepSchema,
  percentile: z.number().nullable(),
  holdoutN: whole.nullable().describe('songs that the percentile compares with'),
  move: z
    .object({
      direction: z.enum(['up', 'down', 'same']),
      beyondNoise: z.boolean(),
      share: z.number().nullable(),
      words: z.string(),
    })
    .nullable()
    .describe(
      'against the last version of the same model, which is named where it is not the one before; null: nothing to compare with',
    ),
});
export type Version = z.infer<typeof versionSchema>;

export const songSchema = songItemSchema.extend({
  batch: z.string(),
  reliability: reliabilitySchema,
  spectrogram: z
    .object({
      bands: z.int(),
      frames: z.int(),
      seconds: z.number().describe('length of the excerpt'),
      startSeconds: z.number().describe('where the excerpt begins in the song'),
      durationSeconds: z.number(),
      topHz: z.number().describe('upper edge of the highest band'),
      ticks: z.array(
        z.object({ hz: z.number(), place: z.number().describe('0 is the lowest edge, 1 the highest') }),
      ),
    })
    .nullable(),
  explanation: z.looseObject({}).nullable().describe('as `hiphop score --explain` writes it'),
  unexplained: z.string().nullable().describe('why it could not be explained when that was last tried'),
  versions: z.array(versionSchema),
});
export type SongView = z.infer<typeof songSchema>;

export const newBatchSchema = z.strictObject({
  name: z.string().trim().min(1).max(120).nullable().default(null),
  model: z
    .string()
    .regex(/^(model-)?\d{1,9}$/, 'expected something like model-3')
    .nullable()
    .default(null)
    .describe('null: the champion'),
  explain: z.int().min(0).max(100).default(3).describe('explain so many of the best songs'),
});

/** Pushed as event `songs`. */
export const songsSnapshot = z.object({
  batches: z.array(batchItemSchema).describe('those that run, and the newest'),
  explained: whole.describe('songs that are explained, of all batches'),
  unexplained: whole.describe('songs that could not be explained when that was last tried'),
});
export type SongsSnapshot = z.infer<typeof songsSnapshot>;
