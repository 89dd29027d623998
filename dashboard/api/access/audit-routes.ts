/** The audit: who triggered, deleted, promoted, signed in, and what was refused. */
import { z } from 'zod';
import type { Prisma } from '../../../shared/database/generated/client.ts';
import { operators } from '../../access/caller.ts';
import { pageOf, pageQuery, type Route, route } from '../route.ts';
import { auditEntrySchema } from './schemas.ts';

const part = z.string().trim().min(1).max(200);
const moment = z.iso.datetime({ offset: true });

const query = z.object({
  who: part.optional().describe("an account's name, `local`, `command line` or `nobody`"),
  action: part.optional().describe('a part of it, e.g. `crawls` or `DELETE`'),
  target: part.optional().describe('a public id, e.g. crawl-3'),
  outcome: z.enum(['done', 'refused']).optional().describe('refused: also what failed'),
  from: moment.optional().describe('not before this time'),
  to: moment.optional().describe('before this time'),
  ...pageQuery,
});

export const auditRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/audit',
    allows: operators,
    tag: 'access',
    summary: 'Look up who did what, newest first',
    query,
    answer: pageOf(auditEntrySchema),
    run: async ({ query: asked }, { session }) => {
      const { auditEntry: entries } = session.database.prisma;
      const where = whereOf(asked);
      const { offset, limit } = asked;
      const [total, rows] = await Promise.all([
        entries.count({ where }),
        entries.findMany({ where, orderBy: { id: 'desc' }, skip: offset, take: limit }),
      ]);
      const items = rows.map(({ at, details, ...row }) => ({
        ...row,
        at: at.toISOString(),
        details: details as Record<string, unknown>,
      }));
      return { total, offset, limit, items };
    },
  }),
];

function whereOf({
  who,
  action,
  target,
  outcome,
  from,
  to,
}: z.infer<typeof query>): Prisma.AuditEntryWhereInput {
  return {
    ...(who ? { who } : {}),
    ...(action ? { action: { contains: action, mode: 'insensitive' } } : {}),
    ...(target ? { target } : {}),
    ...(outcome ? { status: outcome === 'done' ? { lt: 400 } : { gte: 400 } } : {}),
    at: { ...(from ? { gte: new Date(from) } : {}), ...(to ? { lt: new Date(to) } : {}) },
  };
}
