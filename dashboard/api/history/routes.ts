import { z } from 'zod';
import { operators, staff } from '../../access/caller.ts';
import { fileRoute, type Route, route } from '../route.ts';
import { historyOf, type Span, spans } from './history.ts';
import { cursorPattern, logText, readLog } from './log.ts';
import { historySchema, logPageSchema } from './schemas.ts';

/** A download has so many lines at most, the newest. */
const mostDownloaded = 50_000;

const filter = {
  text: z.string().max(200).optional().describe('words of the message, or how they begin'),
  level: z.enum(['info', 'warn', 'error', 'fatal']).optional().describe('at least'),
  stage: z.string().max(40).optional(),
  job: z.string().max(200).optional(),
  host: z.string().max(200).optional(),
  process: z.string().max(40).optional().describe('worker, dashboard or up'),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
};

export const historyRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/history',
    allows: staff,
    tag: 'system',
    summary: 'Throughput, failures, durations and requests to the outside, over up to 90 days',
    query: z.object({ span: z.enum(Object.keys(spans) as [Span, ...Span[]]).default('24h') }),
    answer: historySchema,
    run: ({ query: { span } }, { session }) => historyOf(session.database.pool, span),
  }),
  route({
    method: 'get',
    path: '/logs',
    allows: operators,
    tag: 'system',
    summary: 'Search the log of all processes on all machines, newest first',
    query: z.object({
      ...filter,
      before: z
        .string()
        .regex(cursorPattern, 'expected `next` of the page before')
        .optional()
        .describe('older than what was read: `next` of the page before'),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    answer: logPageSchema,
    run: ({ query: { limit, before, ...query } }, { session }) =>
      readLog(session.database.pool, query, { limit, before }),
  }),
  fileRoute({
    method: 'get',
    path: '/logs.txt',
    allows: operators,
    tag: 'system',
    summary: `Download the log as text: what fits the filter, the newest ${mostDownloaded} lines at most`,
    query: z.object(filter),
    produces: ['text/plain'],
    run: async ({ query }, { session }) => ({
      ...{ mediaType: 'text/plain', fileName: 'hiphop-log.txt' },
      bytes: await logText(session.database.pool, query, mostDownloaded),
    }),
  }),
];
