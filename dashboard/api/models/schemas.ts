/** What the routes and events of data sets and models take and answer. */
import { z } from 'zod';

const at = z.iso.datetime().describe('ISO 8601, UTC');
const whole = z.int().min(0);
const interval = z.tuple([z.number(), z.number()]).nullable().describe('95 %');

export const topSchema = z
  .object({ n: whole, precision: z.number(), ci95: interval, baseRate: z.number() })
  .nullable()
  .describe('share of popular songs among the best ranked; null: not measured');

export const evaluationSchema = z.object({
  basis: z.string().describe('which songs it is measured on'),
  n: whole,
  accuracy: z.number().nullable(),
  rocAuc: z.number().nullable(),
  rocAucCi95: interval,
  logLoss: z.number().nullable(),
  ece: z.number().nullable().describe('expected calibration error'),
  eceByChance: z
    .number()
    .nullable()
    .describe('what a perfectly calibrated model of so many songs would have'),
  top10: topSchema,
  top20: topSchema,
  decisionThreshold: z.number().nullable().describe('popular is decided from this probability on'),
});
export type EvaluationView = z.infer<typeof evaluationSchema>;

export const progressSchema = z.object({
  phase: z.string(),
  fold: z.int().nullable(),
  folds: z.int().nullable(),
  epoch: z.int(),
  epochs: z.int().describe('at most'),
});

/** What the leaderboard can be ordered by. */
export const leaderboardSorts = [
  ...(['auc', 'n', 'accuracy', 'top10', 'top20', 'ece', 'time', 'parameters'] as const),
  ...(['created', 'model', 'state', 'dataSet', 'id'] as const),
] as const;
export const modelStates = ['queued', 'training', 'ready', 'failed', 'cancelled'] as const;

export const modelRowSchema = z.object({
  id: z.string().describe('public id, e.g. `model-3`'),
  name: z.string(),
  champion: z.boolean(),
  state: z.enum(modelStates),
  error: z.string().nullable(),
  dataSet: z.string(),
  dataSetId: z.string(),
  run: z.string(),
  preset: z.string().nullable(),
  seed: z.int().nullable(),
  nullTest: z.boolean().describe('trained on permuted labels'),
  parameters: z.int().nullable(),
  backend: z.string().nullable(),
  figures: evaluationSchema
    .nullable()
    .describe('out of fold where there is a cross-validation, else the holdout'),
  trainSeconds: z.number().nullable(),
  createdAt: at,
  finishedAt: at.nullable(),
  progress: progressSchema.nullable(),
  seeds: z
    .object({ n: whole, mean: z.number(), spread: z.number().describe('standard deviation') })
    .nullable()
    .describe('ROC-AUC over n seeds of models that differ in nothing else; null: there is one seed alone'),
});
export type ModelRow = z.infer<typeof modelRowSchema>;

export const leaderboardSchema = z.object({
  champion: z.string().nullable(),
  hiddenNullTests: whole.describe('trained on permuted labels; shown with nullTests=true'),
  total: whole.describe('models that fit'),
  offset: whole,
  limit: whole,
  models: z.array(modelRowSchema),
  choices: z
    .object({ names: z.array(z.string()), backends: z.array(z.string()) })
    .describe('what there is to filter by'),
});
export type Leaderboard = z.infer<typeof leaderboardSchema>;

const epochSchema = z.object({
  epoch: z.int(),
  trainLoss: z.number().nullable(),
  testLoss: z.number().nullable(),
  testRocAuc: z.number().nullable(),
});
const point = z.tuple([z.number(), z.number()]);
const figure = z.object({ n: whole, rocAuc: z.number().nullable(), rocAucCi95: interval });

export const promotionSchema = z.object({
  model: z.string(),
  name: z.string(),
  at,
  by: z.string(),
  reason: z.string(),
});
export type PromotionView = z.infer<typeof promotionSchema>;

export const modelSchema = modelRowSchema.extend({
  description: z.string().nullable(),
  codeVersion: z.string().nullable(),
  options: z.looseObject({}),
  imported: z.looseObject({}).nullable(),
  evaluations: z.array(evaluationSchema).describe('out of fold, holdout and test, as far as there are'),
  epochs: z.array(epochSchema).describe('of the final fit, or of the fit under way'),
  rocCurve: z.array(point).nullable().describe('false against true positive rate'),
  precisionRecall: z.array(point).nullable().describe('recall against precision'),
  reliability: z.array(
    z.object({ n: whole, meanProbability: z.number(), popular: z.number(), ci95: interval }),
  ),
  confusion: z
    .object({ truePositive: whole, falsePositive: whole, falseNegative: whole, trueNegative: whole })
    .nullable()
    .describe('at its decision threshold, on the songs of its figures'),
  counts: z.looseObject({}).describe("of its data set's sides"),
  studies: z
    .object({
      learningCurve: z.array(figure.extend({ tracks: whole })),
      byYear: z.array(z.looseObject({})),
      bySource: z.array(z.looseObject({})),
      confounds: z.array(figure.extend({ by: z.string() })),
    })
    .nullable(),
  warnings: z.array(z.string()),
  decision: z.string().nullable().describe("its run's decision on the champion, or its own, in words"),
  promotions: z.array(promotionSchema),
  topology: z.unknown(),
});
export type ModelView = z.infer<typeof modelSchema>;

export const comparisonSchema = z.object({
  models: z.array(
    modelRowSchema.extend({
      rocCurve: z.array(point).nullable(),
      options: z.looseObject({}),
      warnings: z.array(z.string()),
    }),
  ),
  paired: z
    .object({
      verdict: z.string(),
      comparisons: z.array(
        z.object({
          basis: z.string(),
          n: whole.nullable(),
          difference: z.number().nullable().describe('ROC-AUC of the second less that of the first'),
          ci95: interval,
          beyondNoise: z.boolean(),
          reason: z.string().nullable().describe('why it could not be compared'),
        }),
      ),
    })
    .nullable()
    .describe('of two models, on the same songs, none of which either learned from'),
});
export type ComparisonView = z.infer<typeof comparisonSchema>;

export const sideSchema = z.object({ tracks: whole, popular: whole });

export const dataSetRowSchema = z.object({
  id: z.string(),
  name: z.string(),
  tracks: whole,
  groups: whole,
  threshold: z.number(),
  thresholdRule: z.string(),
  createdAt: at,
  models: whole,
  sides: z.object({ train: sideSchema, test: sideSchema, holdout: sideSchema }),
});
export type DataSetRow = z.infer<typeof dataSetRowSchema>;

export const runSchema = z.object({
  run: z.string(),
  dataSet: z.string(),
  dataSetId: z.string(),
  startedAt: at,
  finishedAt: at.nullable(),
  options: z.looseObject({}),
  models: z.array(
    z.object({ id: z.string(), name: z.string(), state: z.string(), rocAuc: z.number().nullable() }),
  ),
  decision: z.string().nullable(),
  later: z
    .array(z.object({ model: z.string(), reason: z.string() }))
    .describe('decisions on models that were resumed or retried after the run had ended'),
});
export type RunView = z.infer<typeof runSchema>;

export const dataSetSchema = dataSetRowSchema.extend({
  seed: z.int(),
  contentHash: z.string(),
  parametersHash: z.string(),
  parameters: z.looseObject({}),
  counts: z.looseObject({}),
});
export type DataSetView = z.infer<typeof dataSetSchema>;

export const trainBodySchema = z.strictObject({
  dataSet: z.string().regex(/^(data-set-)?\d{1,9}$/, 'expected something like data-set-1'),
  models: z.array(z.string()).min(1).nullable().default(null).describe('null: what suits the data set'),
  crossValidate: z
    .int()
    .min(2)
    .max(20)
    .nullable()
    .optional()
    .describe('folds; null: none; left out: as suits'),
  preset: z.string().nullable().default(null),
  seed: z.int().min(0).max(2_147_483_647).default(1),
  features: z
    .array(z.enum(['audio', 'release', 'artist']))
    .min(1)
    .default(['audio']),
  shuffleLabels: z.boolean().default(false).describe('the null test'),
});

export const reasonBody = z.strictObject({
  reason: z.string().trim().min(3).max(500).describe('why, for who asks later'),
});

/** Pushed as event `models`. */
export const modelsSnapshot = z.object({
  champion: z.string().nullable(),
  training: z.array(
    z.object({ id: z.string(), name: z.string(), state: z.string(), progress: progressSchema.nullable() }),
  ),
  newest: z.string().nullable().describe('the model that ended last'),
});
export type ModelsSnapshot = z.infer<typeof modelsSnapshot>;
