import { z } from 'zod';
import { cancel } from '../../../producers/cancel.ts';
import { checkPreset, parseModelNames, train } from '../../../producers/train.ts';
import { checkTagger, planFacts, planTraining } from '../../../producers/training-plan.ts';
import type { DataSet, Model, TrainingRun } from '../../../shared/database/generated/client.ts';
import { parsePublicId, publicId } from '../../../shared/identifiers.ts';
import type { DataSetCounts } from '../../../shared/learning/freeze.ts';
import { everyone, operators } from '../../access/caller.ts';
import { saidSchema } from '../pipeline/schemas.ts';
import { notFound } from '../problem.ts';
import { type Context, idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { mainEvaluation, metricsOf } from './describe.ts';
import {
  type DataSetRow,
  dataSetRowSchema,
  dataSetSchema,
  type RunView,
  runSchema,
  trainBodySchema,
} from './schemas.ts';

type Run = TrainingRun & {
  dataSet: Pick<DataSet, 'id' | 'name'>;
  models: Pick<Model, 'id' | 'name' | 'state' | 'metrics'>[];
};

const runInclude = {
  dataSet: { select: { id: true, name: true } },
  models: { select: { id: true, name: true, state: true, metrics: true }, orderBy: { id: 'asc' } },
} as const;

function runView(run: Run): RunView {
  return {
    ...{
      run: publicId('run', run.id),
      dataSet: run.dataSet.name,
      dataSetId: publicId('data-set', run.dataSet.id),
    },
    ...{ startedAt: run.startedAt.toISOString(), finishedAt: run.finishedAt?.toISOString() ?? null },
    options: run.options as Record<string, unknown>,
    models: run.models.map((model) => {
      const metrics = metricsOf(model);
      return {
        ...{ id: publicId('model', model.id), name: model.name, state: model.state },
        rocAuc: metrics && mainEvaluation(metrics).rocAuc,
      };
    }),
    decision: (run.decision as { reason?: string } | null)?.reason ?? null,
  };
}

function dataSetRow(row: DataSet & { _count: { models: number } }): DataSetRow {
  const counts = row.counts as unknown as Partial<DataSetCounts>;
  const side = (name: 'train' | 'test' | 'holdout') => ({
    tracks: counts[name]?.tracks ?? 0,
    popular: counts[name]?.popular ?? 0,
  });
  return {
    ...{
      id: publicId('data-set', row.id),
      name: row.name,
      tracks: counts.tracks ?? 0,
      groups: counts.groups ?? 0,
    },
    ...{ threshold: row.threshold, thresholdRule: row.thresholdRule, createdAt: row.createdAt.toISOString() },
    ...{
      models: row._count.models,
      sides: { train: side('train'), test: side('test'), holdout: side('holdout') },
    },
  };
}

const countModels = { _count: { select: { models: true } } } as const;

export const dataSetRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/data-sets',
    allows: everyone,
    tag: 'models',
    summary: 'List the frozen data sets, newest first',
    query: z.object(pageQuery),
    answer: pageOf(dataSetRowSchema),
    run: async ({ query: { offset, limit } }, { session }) => {
      const { prisma } = session.database;
      const [total, rows] = await Promise.all([
        prisma.dataSet.count(),
        prisma.dataSet.findMany({ orderBy: { id: 'desc' }, skip: offset, take: limit, include: countModels }),
      ]);
      return { total, offset, limit, items: rows.map(dataSetRow) };
    },
  }),
  route({
    method: 'get',
    path: '/data-sets/{dataSet}',
    allows: everyone,
    tag: 'models',
    summary: 'Show a data set: its sides, its threshold, what was trained on it',
    params: z.object({ dataSet: idOf('data-set') }),
    answer: dataSetSchema,
    run: async ({ params: { dataSet: id } }, { session }) => {
      const row = await session.database.prisma.dataSet.findUnique({
        where: { id },
        include: {
          ...countModels,
          parameters: true,
          trainingRuns: { include: runInclude, orderBy: { id: 'desc' } },
        },
      });
      if (!row) return notFound(publicId('data-set', id));
      return {
        ...dataSetRow(row),
        ...{ seed: row.seed, contentHash: row.contentHash, parametersHash: row.parametersHash },
        parameters: row.parameters.parameters as Record<string, unknown>,
        counts: row.counts as Record<string, unknown>,
        runs: row.trainingRuns.map(runView),
      };
    },
  }),
  route({
    method: 'get',
    path: '/training-runs',
    allows: everyone,
    tag: 'models',
    summary: 'List the training runs, newest first, each with its decision on the champion',
    query: z.object(pageQuery),
    answer: pageOf(runSchema),
    run: async ({ query: { offset, limit } }, { session }) => {
      const { prisma } = session.database;
      const [total, rows] = await Promise.all([
        prisma.trainingRun.count(),
        prisma.trainingRun.findMany({
          orderBy: { id: 'desc' },
          skip: offset,
          take: limit,
          include: runInclude,
        }),
      ]);
      return { total, offset, limit, items: rows.map(runView) };
    },
  }),
  route({
    method: 'get',
    path: '/training-runs/{run}',
    allows: everyone,
    tag: 'models',
    summary: 'Show a training run',
    params: z.object({ run: idOf('run') }),
    answer: runSchema,
    run: async ({ params: { run: id } }, { session }) => {
      const row = await session.database.prisma.trainingRun.findUnique({
        where: { id },
        include: runInclude,
      });
      return runView(row ?? notFound(publicId('run', id)));
    },
  }),
  route({
    method: 'post',
    path: '/training-runs',
    allows: operators,
    tag: 'models',
    summary: 'Train models on a frozen data set; the best challenges the champion',
    body: trainBodySchema,
    answer: z.object({ run: z.string(), notes: z.array(z.string()).describe('what was decided, and why') }),
    status: 202,
    startsWork: true,
    target: (_, { run }) => run,
    run: async ({ body }, { session, events }) => {
      const { id } = parsePublicId(body.dataSet, ['data-set']);
      const dataSet = await session.database.prisma.dataSet.findUnique({ where: { id } });
      if (!dataSet) return notFound(publicId('data-set', id));
      const asked = body.models && parseModelNames(body.models.join());
      // Which back end there is, the machine decides that trains.
      const facts = await planFacts(session, dataSet, null);
      const plan = planTraining(facts, { models: asked, folds: body.crossValidate });
      checkPreset(plan.models, body.preset);
      checkTagger(plan.models, facts);
      const { preset, seed, features, shuffleLabels } = body;
      const run = await train(session, {
        models: [...plan.models],
        dataSet,
        options: { preset, seed, features, shuffleLabels, crossValidationFolds: plan.crossValidationFolds },
      });
      events.changed('models');
      return { run: publicId('run', run.id), notes: [...plan.notes] };
    },
  }),
  route({
    method: 'post',
    path: '/training-runs/{run}/cancel',
    allows: operators,
    tag: 'models',
    summary: 'Cancel what of a training run is not finished',
    params: z.object({ run: idOf('run') }),
    answer: saidSchema,
    run: async ({ params: { run: id } }, { session, events }: Context) => {
      const said = await cancel(session, publicId('run', id));
      events.changed('models');
      return { said };
    },
  }),
];
