import { z } from 'zod';
import { cancel } from '../../../producers/cancel.ts';
import { resumeTraining } from '../../../producers/resume-training.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { findChampionId } from '../../../shared/registry/index.ts';
import { everyone, operators } from '../../access/caller.ts';
import { saidSchema } from '../pipeline/schemas.ts';
import { notFound } from '../problem.ts';
import { idOf, pageQuery, type Route, route } from '../route.ts';
import { pairedTest } from './comparisons.ts';
import { mainEvaluation, metricsOf, modelColumns, modelRow } from './describe.ts';
import { describeModel } from './describe-model.ts';
import { leaderboard } from './leaderboard.ts';
import {
  comparisonSchema,
  leaderboardSchema,
  leaderboardSorts,
  modelSchema,
  modelStates,
} from './schemas.ts';

const params = z.object({ model: idOf('model') });

export const modelRoutesOfOne: readonly Route[] = [
  route({
    method: 'get',
    path: '/models',
    allows: everyone,
    tag: 'models',
    summary: 'The registry as a leaderboard: best first, then those without figures',
    query: z.object({
      name: z.string().max(60).optional(),
      dataSet: idOf('data-set').optional(),
      run: idOf('run').optional(),
      backend: z.string().max(60).optional(),
      state: z.enum(modelStates).optional(),
      nullTests: z
        .enum(['true', 'false'])
        .default('false')
        .describe('with models trained on permuted labels'),
      sort: z
        .enum([...leaderboardSorts, ...leaderboardSorts.map((name) => `-${name}` as const)])
        .default('-auc')
        .describe('a minus turns the order round; what has no such figure comes last'),
      ...pageQuery,
    }),
    answer: leaderboardSchema,
    run: async ({ query: { nullTests, ...asked } }, { session }) => {
      const { prisma, pool } = session.database;
      const champion = await findChampionId(prisma);
      return leaderboard(pool, champion, { ...asked, nullTests: nullTests === 'true' });
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
    run: async ({ query: { models: list } }, { session, signal }) => {
      const { prisma } = session.database;
      const ids = [...new Set(list.split(',').map((text) => Number(text.replace('model-', ''))))];
      const champion = await findChampionId(prisma);
      const found = await prisma.model.findMany({ where: { id: { in: ids } }, select: modelColumns });
      const models = ids.map(
        (id) => found.find((model) => model.id === id) ?? notFound(publicId('model', id)),
      );
      const [first, second, ...more] = ids;
      const two = first !== undefined && second !== undefined && more.length === 0;
      const ready = models.every(({ state }) => state === 'ready');
      return {
        models: models.map((model) => {
          const metrics = metricsOf(model);
          const curve = metrics && mainEvaluation(metrics).rocCurve;
          return {
            ...modelRow(model, champion),
            rocCurve: curve?.map(([x, y]): [number, number] => [x, y]) ?? null,
            ...{
              options: model.options as Record<string, unknown>,
              warnings: [...(metrics?.warnings ?? [])],
            },
          };
        }),
        paired: two && ready ? await pairedTest(session, first, second, signal) : null,
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
    run: ({ params: { model: id } }, { session }) => describeModel(session, id),
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
    path: '/models/{model}/resume',
    allows: operators,
    tag: 'models',
    summary: 'Go on with a training that was cancelled, from its last epoch where it kept one',
    params,
    answer: saidSchema,
    status: 202,
    startsWork: true,
    run: async ({ params: { model: id } }, { session, events }) => {
      const said = await resumeTraining(session, id);
      events.changed('models');
      return { said };
    },
  }),
];
