import { z } from 'zod';
import { dismissFailures, retryFailures } from '../../../producers/failures.ts';
import type { Failure } from '../../../shared/database/generated/client.ts';
import { withoutFolders } from '../../../shared/failure-causes.ts';
import { type FailureFilter, failureWhere } from '../../../shared/failures.ts';
import { parsePublicId, publicId } from '../../../shared/identifiers.ts';
import { type Caller, operators, staff } from '../../access/caller.ts';
import { Problem } from '../problem.ts';
import { type Context, idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { type BulkBody, bulkBodySchema, retriedSchema } from './bulk-schemas.ts';
import { pipelineChanged } from './crawl-routes.ts';
import { type FailureItem, failureSchema, reasonGroupSchema } from './schemas.ts';
import { subjectInWords } from './words.ts';

/** Groups of reasons are listed up to so many. */
const groupsShown = 200;

const filterQuery = {
  state: z.enum(['open', 'retried', 'resolved', 'dismissed', 'all']).default('open'),
  stage: z.string().optional(),
  reason: z.string().optional().describe('a reason as /failures/reasons lists it, to the letter'),
  text: z.string().max(200).optional().describe('part of the reason or the subject'),
  crawl: idOf('crawl').optional(),
};

interface Asked {
  state?: FailureFilter['state'] | 'all' | undefined;
  stage?: string | undefined;
  reason?: string | undefined;
  text?: string | undefined;
  crawl?: number | undefined;
}

/** What is asked for as rows know it. */
function filterOf(
  { state, stage, reason, text, crawl }: Asked,
  { role }: Pick<Caller, 'role'>,
): FailureFilter {
  return {
    // A hit would tell what a song is called.
    blindToSongs: role !== 'operator',
    ...(state && state !== 'all' ? { state } : {}),
    ...(stage ? { stage } : {}),
    ...(reason ? { cause: reason } : {}),
    ...(text ? { text } : {}),
    ...(crawl ? { crawlId: crawl } : {}),
  };
}

export const failureRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/failures',
    allows: staff,
    tag: 'pipeline',
    summary: 'List what failed for good, newest first',
    description: 'Which song a failure is about is told to operators alone.',
    query: z.object({ ...filterQuery, ...pageQuery }),
    answer: pageOf(failureSchema),
    run: async ({ query: { offset, limit, ...asked } }, { session, caller }) => {
      const { prisma } = session.database;
      const where = failureWhere(filterOf(asked, caller));
      const [total, rows] = await Promise.all([
        prisma.failure.count({ where }),
        prisma.failure.findMany({
          ...{ where, orderBy: { id: 'desc' }, skip: offset, take: limit },
          include: { song: { select: { batchId: true } } },
        }),
      ]);
      return { total, offset, limit, items: rows.map((row) => describe(row, caller)) };
    },
  }),
  route({
    method: 'get',
    path: '/failures/reasons',
    allows: staff,
    tag: 'pipeline',
    summary: 'Count failures by stage and reason, most frequent first',
    description: 'Reasons that differ by an address, a file or a number alone are counted as one.',
    query: z.object(filterQuery),
    answer: z.object({
      total: z.int().describe('failures that fit'),
      items: z.array(reasonGroupSchema),
      more: z.boolean().describe('there are more reasons than are listed'),
    }),
    run: async ({ query }, { session, caller }) => {
      const { prisma } = session.database;
      const where = failureWhere(filterOf(query, caller));
      const groups = await prisma.failure.groupBy({
        ...{ by: ['stage', 'cause'], where, _count: true, _max: { updatedAt: true } },
        ...{ orderBy: { _count: { id: 'desc' } }, take: groupsShown + 1 },
      });
      const total = await prisma.failure.count({ where });
      const items = groups.slice(0, groupsShown).map(({ stage, cause, _count, _max }) => ({
        ...{ stage, reason: cause, count: _count, newest: _max.updatedAt!.toISOString() },
      }));
      return { total, items, more: groups.length > groupsShown };
    },
  }),
  route({
    method: 'post',
    path: '/failures/retry',
    allows: operators,
    tag: 'pipeline',
    summary: 'Put what failed back into its queue, by filter or ids, so many as were counted',
    body: bulkBodySchema,
    answer: retriedSchema,
    status: 202,
    startsWork: true,
    target: () => null,
    run: async ({ body }, context) => {
      const filter = await counted(context, body);
      const { retried, left, leftTotal } = await retryFailures(context.session, filter);
      pipelineChanged(context);
      return {
        retried,
        leftTotal,
        left: left.map(({ subject, why }) => ({ subject: subjectInWords(subject), why })),
      };
    },
  }),
  route({
    method: 'post',
    path: '/failures/dismiss',
    allows: operators,
    tag: 'pipeline',
    summary: 'Take failures off the list, by filter or ids, so many as were counted',
    body: bulkBodySchema,
    answer: z.object({ dismissed: z.int() }),
    target: () => null,
    run: async ({ body }, context) => {
      const filter = await counted(context, body);
      const dismissed = await dismissFailures(context.session, filter);
      pipelineChanged(context);
      return { dismissed };
    },
  }),
];

/** The open failures that are meant. @throws Problem 409 where they are others by now */
async function counted(
  { session, caller }: Pick<Context, 'session' | 'caller'>,
  { expected, ids, crawl, ...asked }: BulkBody,
): Promise<FailureFilter> {
  const { prisma } = session.database;
  const crawlId = crawl === undefined ? undefined : parsePublicId(crawl, ['crawl']).id;
  const filter: FailureFilter = {
    ...filterOf({ ...asked, state: 'open', crawl: crawlId }, caller),
    ...(ids ? { ids: ids.map((id) => parsePublicId(id, ['failure']).id) } : {}),
  };
  const found = await prisma.failure.aggregate({
    where: failureWhere(filter),
    _count: true,
    _max: { id: true },
  });
  if (found._count !== expected) {
    throw new Problem(
      409,
      `${found._count} open failures fit by now, not ${expected}: nothing was done. Look at them, and say it again`,
    );
  }
  // What fails from now on was not counted.
  return { ...filter, ...(found._max.id ? { upToId: found._max.id } : {}) };
}

type Row = Failure & { song: { batchId: number } | null };

function describe(row: Row, caller: Caller): FailureItem {
  const { id, stage, kind, state, reason, subject, attempts, updatedAt, song, trackId, modelId, crawlId } =
    row;
  const hidden = row.songId !== null && caller.role !== 'operator';
  const about = trackId
    ? publicId('track', trackId)
    : modelId
      ? publicId('model', modelId)
      : song && !hidden
        ? publicId('batch', song.batchId)
        : null;
  return {
    ...{ failure: publicId('failure', id), stage, kind, state, reason: withoutFolders(reason) },
    subject: hidden ? null : subjectInWords(subject),
    ...{ about, crawl: crawlId ? publicId('crawl', crawlId) : null, attempts, at: updatedAt.toISOString() },
  };
}
