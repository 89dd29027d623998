import { z } from 'zod';
import { cancel } from '../../../producers/cancel.ts';
import { checkPreset, parseModelNames, train } from '../../../producers/train.ts';
import { checkTagger, planFacts, planTraining } from '../../../producers/training-plan.ts';
import type { DataSet, Model, TrainingRun } from '../../../shared/database/generated/client.ts';
import type { Database } from '../../../shared/database/index.ts';
import { parsePublicId, publicId } from '../../../shared/identifiers.ts';
import type { Decision } from '../../../shared/registry/index.ts';
import { everyone, operators } from '../../access/caller.ts';
import { saidSchema } from '../pipeline/schemas.ts';
import { notFound } from '../problem.ts';
import { type Context, idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { figuresJoin, mainFiguresSql } from './leaderboard.ts';
import { type RunView, runSchema, trainBodySchema } from './schemas.ts';

type Run = TrainingRun & {
  dataSet: Pick<DataSet, 'id' | 'name'>;
  models: Pick<Model, 'id' | 'name' | 'state'>[];
};

const runInclude = {
  dataSet: { select: { id: true, name: true } },
  models: { select: { id: true, name: true, state: true }, orderBy: { id: 'asc' } },
} as const;

async function runViews({ pool }: Database, runs: readonly Run[]): Promise<RunView[]> {
  // The one figure that is shown, and not the curves that are stored beside it.
  const { rows } = await pool.query<{ id: number; rocAuc: number | null }>(
    `SELECT m.id, (${mainFiguresSql}->>'rocAuc')::float8 AS "rocAuc" FROM models m ${figuresJoin} WHERE m.training_run_id = ANY($1)`,
    [runs.map(({ id }) => id)],
  );
  const rocAuc = new Map(rows.map((row) => [row.id, row.rocAuc]));
  return runs.map((run) => {
    const decision = run.decision as unknown as Decision | null;
    return {
      run: publicId('run', run.id),
      ...{ dataSet: run.dataSet.name, dataSetId: publicId('data-set', run.dataSet.id) },
      ...{ startedAt: run.startedAt.toISOString(), finishedAt: run.finishedAt?.toISOString() ?? null },
      options: run.options as Record<string, unknown>,
      models: run.models.map(({ id, name, state }) => ({
        ...{ id: publicId('model', id), name, state, rocAuc: rocAuc.get(id) ?? null },
      })),
      decision: decision?.reason ?? null,
      later: (decision?.later ?? []).map(({ challenger, reason }) => ({ model: challenger, reason })),
    };
  });
}

export const runRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/training-runs',
    allows: everyone,
    tag: 'models',
    summary: 'List the training runs, newest first, each with its decision on the champion',
    query: z.object({ dataSet: idOf('data-set').optional(), ...pageQuery }),
    answer: pageOf(runSchema),
    run: async ({ query: { dataSet, offset, limit } }, { session }) => {
      const { prisma } = session.database;
      const where = dataSet === undefined ? {} : { dataSetId: dataSet };
      const [total, rows] = await Promise.all([
        prisma.trainingRun.count({ where }),
        prisma.trainingRun.findMany({
          where,
          orderBy: { id: 'desc' },
          skip: offset,
          take: limit,
          include: runInclude,
        }),
      ]);
      return { total, offset, limit, items: await runViews(session.database, rows) };
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
      const [view] = await runViews(session.database, [row ?? notFound(publicId('run', id))]);
      return view!;
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
