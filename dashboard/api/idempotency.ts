/** Requests that start work, sent twice with one Idempotency-Key, start it once. */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { Prisma, type PrismaClient } from '../../shared/database/generated/client.ts';
import type { Caller } from '../access/caller.ts';
import { Problem } from './problem.ts';

/** How long an answer is remembered, in milliseconds. */
export const rememberedMs = 24 * 3_600_000;
/** A first request that was not answered for so long has died with its server, in milliseconds. */
const abandonedMs = 5 * 60_000;

/**
 * Do the work, or answer what the first request of this key was answered.
 * A first request that failed leaves nothing behind: the key may be used again.
 * @throws Problem 409 while the first is under way, 422 when the key was used for another request
 */
export async function withIdempotency(
  prisma: PrismaClient,
  asked: { caller: Caller; request: Request; response: Response },
  work: () => Promise<unknown>,
): Promise<unknown> {
  const { caller, request, response } = asked;
  const key = request.get('idempotency-key');
  if (key === undefined) return work();
  if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
    throw new Problem(400, 'Idempotency-Key: up to 128 visible ASCII characters');
  }
  const id = { who: caller.name, key };
  const requestHash = createHash('sha256')
    .update(JSON.stringify([request.method, request.originalUrl, request.body ?? null]))
    .digest('hex');
  const first = await claim(prisma, id, requestHash);
  if (!first) {
    const known = await prisma.idempotencyKey.findUnique({ where: { who_key: id } });
    if (!known || known.status === null) {
      throw new Problem(409, 'the first request with this Idempotency-Key is still being answered');
    }
    if (known.requestHash !== requestHash) {
      throw new Problem(422, 'this Idempotency-Key was used for another request');
    }
    response.set('Idempotent-Replayed', 'true');
    return known.response ?? undefined;
  }
  try {
    const answer = await work();
    const kept = answer === undefined ? Prisma.DbNull : JSON.parse(JSON.stringify(answer));
    await prisma.idempotencyKey.update({
      where: { who_key: id },
      data: { status: 200, response: kept },
    });
    return answer;
  } catch (error) {
    await prisma.idempotencyKey.deleteMany({ where: { ...id, status: null } });
    throw error;
  }
}

/** Whether this request is the first of its key. */
async function claim(
  prisma: PrismaClient,
  id: { who: string; key: string },
  requestHash: string,
): Promise<boolean> {
  await prisma.idempotencyKey.deleteMany({
    where: {
      ...id,
      OR: [
        { createdAt: { lt: new Date(Date.now() - rememberedMs) } },
        { status: null, createdAt: { lt: new Date(Date.now() - abandonedMs) } },
      ],
    },
  });
  const { count } = await prisma.idempotencyKey.createMany({
    data: [{ ...id, requestHash }],
    skipDuplicates: true,
  });
  return count === 1;
}
