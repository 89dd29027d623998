/** Saved views: filters and columns of a page under a name. */
import { z } from 'zod';
import { everyone, operators as operatorRoles } from '../../access/caller.ts';
import { notFound, Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { type View, viewSchema } from './schemas.ts';

/** Of one account. */
const mostViews = 500;

const page = z
  .string()
  .max(200)
  .regex(/^\/[\w./-]*$/, 'expected the path of a page, e.g. /tracks');

export const viewRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/views',
    allows: everyone,
    tag: 'access',
    summary: "List saved views of pages: one's own, and those that others share",
    query: z.object({ page: page.optional().describe('only of this page') }),
    answer: z.array(viewSchema),
    run: async ({ query }, { session, caller: { accountId } }) => {
      const rows = await session.database.prisma.savedView.findMany({
        where: { ...(query.page ? { page: query.page } : {}), OR: [{ accountId }, { shared: true }] },
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
        include: { account: { select: { name: true } } },
        take: 1000,
      });
      return rows.map((row) => describe(row, accountId));
    },
  }),
  route({
    method: 'post',
    path: '/views',
    allows: everyone,
    tag: 'access',
    summary: 'Save a view of a page; one of the same name is replaced',
    body: z.object({
      page,
      name: z.string().trim().min(1).max(80),
      search: z
        .string()
        .max(2000)
        .regex(/^(\?[^#\s]*)?$/, 'expected what an address has from its ? on')
        .describe('from the `?` on; empty: nothing is filtered'),
      shared: z.boolean().default(false).describe('whether others see it'),
    }),
    answer: viewSchema,
    status: 201,
    target: ({ body }) => body.page,
    run: async ({ body }, { session, caller: { accountId } }) => {
      const { prisma } = session.database;
      if ((await prisma.savedView.count({ where: { accountId } })) >= mostViews) {
        throw new Problem(422, `there are ${mostViews} views of yours already: delete some`);
      }
      const row = await prisma.$transaction(async (transaction) => {
        await transaction.savedView.deleteMany({ where: { accountId, page: body.page, name: body.name } });
        return transaction.savedView.create({
          data: { accountId, ...body },
          include: { account: { select: { name: true } } },
        });
      });
      return describe(row, accountId);
    },
  }),
  route({
    method: 'delete',
    path: '/views/{view}',
    allows: everyone,
    tag: 'access',
    summary: "Delete a saved view of one's own; operators also what others share",
    params: z.object({ view: z.coerce.number().int().min(1).max(2_147_483_647) }),
    answer: null,
    run: async ({ params: { view: id } }, { session, caller: { accountId, role } }) => {
      const mine = operatorRoles.includes(role) ? { OR: [{ accountId }, { shared: true }] } : { accountId };
      const { count } = await session.database.prisma.savedView.deleteMany({ where: { id, ...mine } });
      if (count === 0) notFound(`view ${id} of yours`);
      return undefined;
    },
  }),
];

interface Row {
  id: number;
  accountId: number | null;
  page: string;
  name: string;
  search: string;
  shared: boolean;
  account: { name: string } | null;
}

const describe = (
  { id, accountId, page: path, name, search, shared, account }: Row,
  asks: number | null,
): View => ({
  ...{ id, page: path, name, search, shared },
  by: account?.name ?? 'local',
  own: accountId === asks,
});
