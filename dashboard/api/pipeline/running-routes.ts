/** What runs, of all kinds, and stopping all of a kind at once. */
import { z } from 'zod';
import { cancel } from '../../../producers/cancel.ts';
import type { PrismaClient } from '../../../shared/database/generated/client.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { operators, staff } from '../../access/caller.ts';
import { Problem, problemOf } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { pipelineChanged } from './crawl-routes.ts';
import { readRunning } from './running.ts';
import { runningSchema } from './schemas.ts';

/** Nights first: with them goes what they have begun. */
const kinds = ['night', 'crawl', 'training', 'batch'] as const;
type Kind = (typeof kinds)[number];

const whole = z.int().min(0);
const countsSchema = z.object({ night: whole, crawl: whole, training: whole, batch: whole });

/** Ids of all that runs of a kind. A training runs while any of its models waits or trains. */
const idsOf: Record<Kind, (prisma: PrismaClient) => Promise<{ id: number }[]>> = {
  night: (prisma) => prisma.scheduleRun.findMany({ where: { state: 'running' }, select: { id: true } }),
  crawl: (prisma) => prisma.crawl.findMany({ where: { state: 'running' }, select: { id: true } }),
  training: (prisma) =>
    prisma.trainingRun.findMany({
      where: { models: { some: { state: { in: ['queued', 'training'] } } } },
      select: { id: true },
    }),
  batch: (prisma) => prisma.scoreBatch.findMany({ where: { state: 'running' }, select: { id: true } }),
};
const nouns = { night: 'night', crawl: 'crawl', training: 'run', batch: 'batch' } as const;

async function publicIds(prisma: PrismaClient, kind: Kind): Promise<string[]> {
  const rows = await idsOf[kind](prisma);
  return rows.map(({ id }) => publicId(nouns[kind], id));
}

export const runningRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/running',
    allows: staff,
    tag: 'pipeline',
    summary: 'Show what runs: crawls, trainings, batches of songs, nights',
    answer: z.object({
      total: whole,
      counts: countsSchema.describe('all that runs, by kind; a training is a run of one or more models'),
      items: z.array(runningSchema).describe('the oldest of each kind; models one by one'),
    }),
    run: async (_, { session }) => {
      const { prisma } = session.database;
      const counted = await Promise.all(
        kinds.map(async (kind) => [kind, (await idsOf[kind](prisma)).length] as const),
      );
      return {
        total: counted.reduce((sum, [, count]) => sum + count, 0),
        counts: Object.fromEntries(counted) as Record<Kind, number>,
        items: await readRunning(session),
      };
    },
  }),
  route({
    method: 'post',
    path: '/running/cancel',
    allows: operators,
    tag: 'pipeline',
    summary: 'Cancel all that runs, or all of a kind, so much as was counted',
    description:
      'What waits is taken out, what runs is stopped, what is done stays. What cannot be cancelled holds up none of the others.',
    body: z.strictObject({
      kind: z.enum(kinds).optional().describe('only this kind'),
      expected: whole.describe('how many it is about; refused (409) when it is another number by now'),
    }),
    answer: z.object({
      cancelled: z.array(z.string()).describe('public ids'),
      said: z.array(z.string()).describe('what was done, or why not, a line each'),
    }),
    target: () => null,
    run: async ({ body: { kind, expected } }, context) => {
      const { session, events } = context;
      const found = await Promise.all(
        (kind ? [kind] : kinds).map((one) => publicIds(session.database.prisma, one)),
      );
      const ids = found.flat();
      if (ids.length !== expected) {
        throw new Problem(
          409,
          `${ids.length} run by now, not ${expected}: nothing was done. Look at them, and say it again`,
        );
      }
      const cancelled: string[] = [];
      const said: string[] = [];
      for (const id of ids) {
        try {
          said.push(await cancel(session, id, { wait: false }));
          cancelled.push(id);
        } catch (error) {
          // It may be gone by now: the others before and after it are told of all the same.
          const problem = problemOf(error);
          if (problem.status === 500) session.log.error({ err: error, id }, 'it could not be cancelled');
          said.push(`${id} could not be cancelled: ${problem.message}`);
        }
      }
      pipelineChanged(context);
      for (const topic of ['models', 'songs', 'schedules']) events.changed(topic);
      return { cancelled, said };
    },
  }),
];
