import { z } from 'zod';
import { promoteByHand, rollBack } from '../../../producers/promotions.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { everyone, operators } from '../../access/caller.ts';
import { type Context, idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { inTurn } from './comparisons.ts';
import { promotionView } from './promotion-view.ts';
import { promotionSchema, reasonBody } from './schemas.ts';

const withModel = { include: { model: { select: { name: true } } } } as const;

async function newestPromotion({ database }: Context['session']) {
  return promotionView(
    await database.prisma.promotion.findFirstOrThrow({ orderBy: { id: 'desc' }, ...withModel }),
  );
}

export const championRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/models/{model}/promote',
    allows: operators,
    tag: 'models',
    summary: 'Make a model the champion, which scores songs from now on',
    params: z.object({ model: idOf('model') }),
    body: reasonBody,
    answer: promotionSchema,
    startsWork: true,
    run: async ({ params: { model: id }, body: { reason } }, { session, events, caller }) => {
      await inTurn((bootstrap) =>
        promoteByHand(session, publicId('model', id), reason, caller.name, bootstrap),
      );
      events.changed('models');
      return newestPromotion(session);
    },
  }),
  route({
    method: 'post',
    path: '/champion/rollback',
    allows: operators,
    tag: 'models',
    summary: 'Make the champion before champion again',
    description: 'Done twice it goes back further: send an Idempotency-Key, so that trying again does not.',
    body: reasonBody,
    answer: promotionSchema,
    startsWork: true,
    target: (_, { model }) => model,
    run: async ({ body: { reason } }, { session, events, caller }) => {
      await rollBack(session, reason, caller.name);
      events.changed('models');
      return newestPromotion(session);
    },
  }),
  route({
    method: 'get',
    path: '/promotions',
    allows: everyone,
    tag: 'models',
    summary: 'Who was champion since when and why, newest first',
    query: z.object(pageQuery),
    answer: pageOf(promotionSchema),
    run: async ({ query: { offset, limit } }, { session }) => {
      const { prisma } = session.database;
      const [total, rows] = await Promise.all([
        prisma.promotion.count(),
        prisma.promotion.findMany({ orderBy: { id: 'desc' }, skip: offset, take: limit, ...withModel }),
      ]);
      return { total, offset, limit, items: rows.map(promotionView) };
    },
  }),
];
