import { z } from 'zod';
import { cancel } from '../../../producers/cancel.ts';
import { crawl, resumeCrawl } from '../../../producers/crawl.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { operators, staff } from '../../access/caller.ts';
import { notFound } from '../problem.ts';
import { type Context, idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { crawlCounts } from './crawl-counts.ts';
import { describeRow } from './current-crawl.ts';
import { estimateCrawl } from './estimate.ts';
import {
  crawlBodySchema,
  crawlDetailSchema,
  crawlListItemSchema,
  estimateSchema,
  saidSchema,
} from './schemas.ts';
import { pipelineOf } from './snapshot.ts';

const params = z.object({ crawl: idOf('crawl') });

/** What has changed is read anew, and pushed to all who look. */
export function pipelineChanged({ session, events }: Pick<Context, 'session' | 'events'>): void {
  pipelineOf(session).forget();
  events.changed('pipeline');
}

async function findCrawl({ session }: Context, id: number) {
  const row = await session.database.prisma.crawl.findUnique({ where: { id } });
  return row ?? notFound(publicId('crawl', id));
}

export const crawlRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/crawls',
    allows: staff,
    tag: 'pipeline',
    summary: 'List the crawls, newest first',
    query: z.object({ ...pageQuery, state: z.enum(['running', 'done', 'cancelled']).optional() }),
    answer: pageOf(crawlListItemSchema),
    run: async ({ query: { offset, limit, state } }, { session }) => {
      const { prisma } = session.database;
      const where = state ? { state } : {};
      const rows = await prisma.crawl.findMany({ where, orderBy: { id: 'desc' }, skip: offset, take: limit });
      const counts = await crawlCounts(session.database, rows);
      const items = rows.map((row) => ({ ...describeRow(row), ...counts.get(row.id)! }));
      return { total: await prisma.crawl.count({ where }), offset, limit, items };
    },
  }),
  route({
    method: 'get',
    path: '/crawls/{crawl}',
    allows: staff,
    tag: 'pipeline',
    summary: 'Show a crawl: how far it is, and what brought less than it promised',
    params,
    answer: crawlDetailSchema,
    run: async ({ params: { crawl: id } }, context) =>
      pipelineOf(context.session).crawl(await findCrawl(context, id)),
  }),
  route({
    method: 'post',
    path: '/crawls/estimate',
    allows: staff,
    tag: 'pipeline',
    summary: 'Say what a crawl would cost',
    description:
      'Asks nothing of the outside: it is told from earlier crawls, else from the shape of the search.',
    body: crawlBodySchema,
    answer: estimateSchema,
    unaudited: true,
    run: ({ body }, { session }) => estimateCrawl(session, body),
  }),
  route({
    method: 'post',
    path: '/crawls',
    allows: operators,
    tag: 'pipeline',
    summary: 'Start a crawl of Spotify',
    description: 'Where one of the same query runs already, that one is joined.',
    body: crawlBodySchema,
    answer: z.object({
      crawl: z.string(),
      joined: z.boolean().describe('one of the same query was running'),
    }),
    status: 202,
    startsWork: true,
    target: (_, answer) => answer.crawl,
    run: async ({ body: { metadataOnly, ...query } }, context) => {
      const { id, joined } = await crawl(context.session, query, { metadataOnly });
      pipelineChanged(context);
      return { crawl: publicId('crawl', id), joined };
    },
  }),
  route({
    method: 'post',
    path: '/crawls/{crawl}/cancel',
    allows: operators,
    tag: 'pipeline',
    summary: 'Cancel a crawl: what waits is taken out, what is done stays',
    params,
    answer: saidSchema,
    run: async ({ params: { crawl: id } }, context) => {
      const said = await cancel(context.session, publicId('crawl', id), { wait: false });
      pipelineChanged(context);
      return { said };
    },
  }),
  route({
    method: 'post',
    path: '/crawls/{crawl}/resume',
    allows: operators,
    tag: 'pipeline',
    summary: 'Go on with a crawl that was cancelled',
    params,
    answer: saidSchema,
    status: 202,
    startsWork: true,
    run: async ({ params: { crawl: id } }, context) => {
      const { state } = await resumeCrawl(context.session, id);
      pipelineChanged(context);
      return { said: `${publicId('crawl', id)} is ${state}` };
    },
  }),
];
