/** Requests that start work, sent twice with one Idempotency-Key, start it once. */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { Prisma, type PrismaClient } from '../../shared/database/generated/client.ts';
import type { Caller } from '../access/caller.ts';
import { Problem } from './problem.ts';

/** How long an answer is remembered, in milliseconds. */
export const rememberedMs = 24 * 3_600_000;
/** A first request that was not answered for so long has died with its server, in milliseconds. */
export const abandonedMs = 5 * 60_000;

interface Asked {
  caller: Caller;
  request: Request;
  response: Response;
  /** What the route answers with when it is done. */
  status: number;
}

/** Whose key: the same key of two callers is two. */
interface Key {
  who: string;
  key: string;
}

/**
 * Do the work, or answer what the first request of this key was answered.
 * A first request that failed leaves nothing behind: the key may be used again.
 * @throws Problem 409 while the first is under way, 422 when the key was used for another request
 */
export async function withIdempotency(
  prisma: PrismaClient,
  { caller, request, response, status }: Asked,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const key = request.get('idempotency-key');
  if (key === undefined) return work();
  if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
    throw new Problem(400, 'Idempotency-Key: up to 128 visible ASCII characters');
  }
  const id = { who: caller.name, key };
  const requestHash = hashOf(request);
  if (!(await claim(prisma, id, requestHash))) {
    const answer = await firstAnswer(prisma, id, requestHash);
    response.set('Idempotent-Replayed', 'true');
    return answer;
  }
  let answer: unknown;
  try {
    answer = await work();
  } catch (error) {
    await prisma.idempotencyKey.deleteMany({ where: { ...id, status: null } });
    throw error;
  }
  // The work is done, whatever becomes of the note about it: where none can be made, the key stays taken.
  const kept = answer === undefined ? Prisma.DbNull : JSON.parse(JSON.stringify(answer));
  await prisma.idempotencyKey.updateMany({ where: id, data: { status, response: kept } });
  return answer;
}

/** Whether this request is the first of its key. Keys that nobody comes back for are forgotten on the way. */
async function claim(prisma: PrismaClient, id: Key, requestHash: string): Promise<boolean> {
  const now = Date.now();
  await prisma.idempotencyKey.deleteMany({
    where: {
      OR: [
        { createdAt: { lt: new Date(now - rememberedMs) } },
        { ...id, status: null, createdAt: { lt: new Date(now - abandonedMs) } },
      ],
    },
  });
  const { count } = await prisma.idempotencyKey.createMany({
    data: [{ ...id, requestHash }],
    skipDuplicates: true,
  });
  return count === 1;
}

/** @throws Problem */
async function firstAnswer(prisma: PrismaClient, id: Key, requestHash: string): Promise<unknown> {
  const first = await prisma.idempotencyKey.findUnique({ where: { who_key: id } });
  if (first && first.requestHash !== requestHash) {
    throw new Problem(
      422,
      'this was sent before with other values, and that request was taken, though its answer may have been lost: ' +
        'look whether what it started is what you want. To start this as well, load the page anew and send it again ' +
        '(a program: with a new Idempotency-Key)',
    );
  }
  if (!first || first.status === null) {
    throw new Problem(409, 'the first request with this Idempotency-Key is still being answered');
  }
  return first.response ?? undefined;
}

const hashOf = ({ method, originalUrl, body }: Request) =>
  createHash('sha256')
    .update(JSON.stringify([method, originalUrl, body ?? null]))
    .digest('hex');
