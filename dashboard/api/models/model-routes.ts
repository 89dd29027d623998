import { z } from 'zod';
import { cancel } from '../../../producers/cancel.ts';
import { compare } from '../../../producers/comparison.ts';
import { promoteByHand, rollBack } from '../../../producers/promotions.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { modelFamilies } from '../../../shared/learning/families.ts';
import type { DataSetCounts } from '../../../shared/learning/freeze.ts';
import { findChampion, isComparison } from '../../../shared/registry/index.ts';
import { everyone, operators } from '../../access/caller.ts';
import { saidSchema } from '../pipeline/schemas.ts';
import { notFound } from '../problem.ts';
import { type Context, idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { confusionAt, judgedOf, precisionRecall } from './curves.ts';
import { evaluationsOf, mainEvaluation, metricsOf, modelColumns, modelRow, withSeeds } from './describe.ts';
import {
  type ComparisonView,
  comparisonSchema,
  leaderboardSchema,
  type ModelView,
  modelSchema,
  promotionSchema,
  reasonBody,
} from './schemas.ts';

const params = z.object({ model: idOf('model') });
type Prisma = Context['session']['database']['prisma'];

async function describe(prisma: Prisma, id: number): Promise<ModelView> {
  const model = await prisma.model.findUnique({
    where: { id },
    select: {
      ...modelColumns,
      topology: true,
      dataSet: true,
      trainingRun: { select: { decision: true } },
      promotions: { orderBy: { id: 'asc' } },
    },
  });
  if (!model) return notFound(publicId('model', id));
  const champion = await findChampion(prisma);
  const metrics = metricsOf(model);
  const main = metrics && mainEvaluation(metrics);
  const judged = main ? await judgedOf(prisma, model, metrics.crossValidation !== null) : [];
  const live = (model.progress as { curve?: ModelView['epochs'] } | null)?.curve ?? [];
  const epochs = (metrics as { epochs?: ModelView['epochs'] } | null)?.epochs ?? live;
  const studies = metrics?.studies;
  return {
    ...modelRow(model, champion?.id ?? null),
    description: Object.hasOwn(modelFamilies, model.name)
      ? modelFamilies[model.name as keyof typeof modelFamilies].description
      : null,
    ...{ codeVersion: model.codeVersion, options: model.options as Record<string, unknown> },
    imported: model.imported as Record<string, unknown> | null,
    evaluations: metrics ? evaluationsOf(metrics) : [],
    epochs: epochs.map(({ epoch, trainLoss, testLoss, testRocAuc }) => ({
      ...{ epoch, trainLoss, testLoss, testRocAuc },
    })),
    rocCurve: main?.rocCurve?.map(([x, y]): [number, number] => [x, y]) ?? null,
    precisionRecall: precisionRecall(judged),
    reliability: [...(main?.reliability ?? [])].map(({ n, meanProbability, popular, ci95 }) => ({
      ...{ n, meanProbability, popular, ci95 },
    })),
    confusion: main ? confusionAt(judged, main.decisionThreshold ?? 0.5) : null,
    counts: model.dataSet.counts as unknown as DataSetCounts & Record<string, unknown>,
    studies: studies
      ? {
          learningCurve: [...studies.learningCurve],
          byYear: studies.byYear.map((row) => ({ ...row })),
          bySource: studies.bySource.map((row) => ({ ...row })),
          confounds: [...studies.confounds],
        }
      : null,
    warnings: [...(metrics?.warnings ?? [])],
    decision: (model.trainingRun.decision as { reason?: string } | null)?.reason ?? null,
    promotions: model.promotions.map((row) => promotionView({ ...row, model })),
    topology: model.topology,
  };
}

function promotionView(row: {
  promotedAt: Date;
  promotedBy: string;
  reason: string;
  modelId: number;
  model: { name: string };
}) {
  return {
    ...{ model: publicId('model', row.modelId), name: row.model.name, at: row.promotedAt.toISOString() },
    ...{ by: row.promotedBy, reason: row.reason },
  };
}

export const modelRoutesOfOne: readonly Route[] = [
  route({
    method: 'get',
    path: '/models',
    allows: everyone,
    tag: 'models',
    summary: 'The registry as a leaderboard: best first, then those without figures',
    query: z.object({
      name: z.string().optional(),
      dataSet: idOf('data-set').optional(),
      state: z.enum(['queued', 'training', 'ready', 'failed', 'cancelled']).optional(),
      nullTests: z
        .enum(['true', 'false'])
        .default('false')
        .describe('with models trained on permuted labels'),
    }),
    answer: leaderboardSchema,
    run: async ({ query }, { session }) => {
      const { prisma } = session.database;
      const models = await prisma.model.findMany({
        where: {
          ...(query.name ? { name: query.name } : {}),
          ...(query.dataSet ? { dataSetId: query.dataSet } : {}),
          ...(query.state ? { state: query.state } : {}),
        },
        select: modelColumns,
      });
      const champion = await findChampion(prisma);
      const rows = withSeeds(models.map((model) => modelRow(model, champion?.id ?? null)));
      const shown = rows.filter(({ nullTest }) => query.nullTests === 'true' || !nullTest);
      const figure = (row: (typeof rows)[number]) => row.figures?.rocAuc ?? -1;
      return {
        champion: champion && publicId('model', champion.id),
        hiddenNullTests: rows.length - shown.length,
        models: shown.sort((a, b) => figure(b) - figure(a)),
      };
    },
  }),
  route({
    method: 'get',
    path: '/models/compare',
    allows: everyone,
    tag: 'models',
    summary: 'Models side by side; of two the paired test',
    query: z.object({
      models: z
        .string()
        .regex(/^(model-)?\d{1,9}(,(model-)?\d{1,9}){1,7}$/, 'expected two to eight ids: model-3,model-4')
        .describe('public ids, comma-separated'),
    }),
    answer: comparisonSchema,
    run: async ({ query: { models: list } }, { session }) => {
      const { prisma } = session.database;
      const ids = [...new Set(list.split(',').map((text) => Number(text.replace('model-', ''))))];
      const champion = await findChampion(prisma);
      const found = await prisma.model.findMany({ where: { id: { in: ids } }, select: modelColumns });
      const models = ids.map(
        (id) => found.find((model) => model.id === id) ?? notFound(publicId('model', id)),
      );
      const ready = models.every(({ state }) => state === 'ready');
      return {
        models: models.map((model) => {
          const metrics = metricsOf(model);
          const curve = metrics && mainEvaluation(metrics).rocCurve;
          return {
            ...modelRow(model, champion?.id ?? null),
            rocCurve: curve?.map(([x, y]): [number, number] => [x, y]) ?? null,
            ...{
              options: model.options as Record<string, unknown>,
              warnings: [...(metrics?.warnings ?? [])],
            },
          };
        }),
        paired: ids.length === 2 && ready ? await paired(session, ids as [number, number]) : null,
      };
    },
  }),
  route({
    method: 'get',
    path: '/models/{model}',
    allows: everyone,
    tag: 'models',
    summary: 'Everything about a model but its weights',
    params,
    answer: modelSchema,
    run: ({ params: { model: id } }, { session }) => describe(session.database.prisma, id),
  }),
  route({
    method: 'post',
    path: '/models/{model}/cancel',
    allows: operators,
    tag: 'models',
    summary: 'Cancel a training: it stops within a second, on whichever machine it runs',
    params,
    answer: saidSchema,
    run: async ({ params: { model: id } }, { session, events }) => {
      const said = await cancel(session, publicId('model', id));
      events.changed('models');
      return { said };
    },
  }),
  route({
    method: 'post',
    path: '/models/{model}/promote',
    allows: operators,
    tag: 'models',
    summary: 'Make a model the champion, which scores songs from now on',
    params,
    body: reasonBody,
    answer: promotionSchema,
    startsWork: true,
    run: async ({ params: { model: id }, body: { reason } }, { session, events, caller }) => {
      await promoteByHand(session, publicId('model', id), reason, caller.name);
      events.changed('models');
      return newestPromotion(session.database.prisma);
    },
  }),
  route({
    method: 'post',
    path: '/champion/rollback',
    allows: operators,
    tag: 'models',
    summary: 'Make the champion before champion again',
    body: reasonBody,
    answer: promotionSchema,
    startsWork: true,
    target: (_, { model }) => model,
    run: async ({ body: { reason } }, { session, events, caller }) => {
      await rollBack(session, reason, caller.name);
      events.changed('models');
      return newestPromotion(session.database.prisma);
    },
  }),
  route({
    method: 'get',
    path: '/promotions',
    allows: everyone,
    tag: 'models',
    summary: 'Who was champion since when and why, newest first',
    query: z.object(pageQuery),
    answer: pageOf(promotionSchema),
    run: async ({ query: { offset, limit } }, { session }) => {
      const { prisma } = session.database;
      const [total, rows] = await Promise.all([
        prisma.promotion.count(),
        prisma.promotion.findMany({
          ...{ orderBy: { id: 'desc' }, skip: offset, take: limit },
          include: { model: { select: { name: true } } },
        }),
      ]);
      return { total, offset, limit, items: rows.map(promotionView) };
    },
  }),
];

async function newestPromotion(prisma: Prisma) {
  const row = await prisma.promotion.findFirstOrThrow({
    orderBy: { id: 'desc' },
    include: { model: { select: { name: true } } },
  });
  return promotionView(row);
}

async function paired(
  session: Context['session'],
  [a, b]: [number, number],
): Promise<ComparisonView['paired']> {
  const { verdict, comparisons } = await compare(session, publicId('model', a), publicId('model', b));
  return {
    verdict,
    comparisons: comparisons.map((found) => ({
      ...{ basis: found.basis, beyondNoise: found.beyondNoise },
      ...(isComparison(found)
        ? { n: found.n, difference: found.difference, ci95: found.ci95, reason: null }
        : { n: null, difference: null, ci95: null, reason: found.reason }),
    })),
  };
}
