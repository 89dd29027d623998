import { z } from 'zod';
import { type StageName, stageNames } from '../../../shared/stages.ts';
import { operators, staff } from '../../access/caller.ts';
import { type Context, type Route, route } from '../route.ts';
import { pipelineChanged } from './crawl-routes.ts';
import { pausedSchema, stageSchema, workerSchema } from './schemas.ts';
import { readPauses, readStages } from './stages.ts';

const params = z.object({ stage: z.enum(stageNames as [StageName, ...StageName[]]) });

const queuesSchema = z.object({
  kind: z.enum(['postgresql', 'redis']).describe('what carries the queues'),
  stages: z.array(stageSchema),
  paused: z.array(pausedSchema),
});

async function readQueues({ session }: Pick<Context, 'session'>) {
  const { stages } = await readStages(session);
  const paused = await readPauses(session.database.prisma, stages);
  return { kind: session.queues.kind, stages, paused };
}

export const queueRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/queues',
    allows: staff,
    tag: 'pipeline',
    summary: 'Show the queues: a stage each, with depth, pause and workers',
    answer: queuesSchema,
    run: (_, context) => readQueues(context),
  }),
  ...(['pause', 'resume'] as const).map((verb) =>
    route({
      method: 'post',
      path: `/queues/{stage}/${verb}`,
      allows: operators,
      tag: 'pipeline',
      summary:
        verb === 'pause'
          ? 'Hold a stage on all machines: jobs under way end, none begins'
          : 'End the pause of a stage',
      params,
      answer: stageSchema,
      run: async ({ params: { stage } }, context) => {
        await context.session.queues[verb](stage);
        // The entry of the audit, which says who, is written after this answer.
        context.response.once('finish', () => setTimeout(() => pipelineChanged(context), 50));
        pipelineChanged(context);
        const { stages } = await readStages(context.session);
        return stages.find((state) => state.stage === stage)!;
      },
    }),
  ),
  route({
    method: 'get',
    path: '/workers',
    allows: staff,
    tag: 'pipeline',
    summary: 'List the worker processes that are alive, on all machines',
    answer: z.array(workerSchema),
    run: async (_, { session }) => (await readStages(session)).workers,
  }),
];
