/** Who asks: by token, by session, or because this machine needs no password. */
import type { Request } from 'express';
import { accountsExist, passwordStamp, tokenHash } from '../../producers/accounts.ts';
import type { Account, PrismaClient } from '../../shared/database/generated/client.ts';
import type { Logger } from '../../shared/logging.ts';
import { Problem } from '../api/problem.ts';
import type { Caller } from './caller.ts';

/** A token's last use is written at most so often, in milliseconds. */
const lastUsedMs = 60_000;

export const local: Caller = { accountId: null, name: 'local', role: 'operator' };

export interface Identity {
  /** Undefined: nobody. */
  caller: Caller | undefined;
  by: 'token' | 'session' | 'machine' | 'nothing';
}

export interface Identifying {
  prisma: PrismaClient;
  log: Logger;
  /** This machine alone is served. */
  loopback: boolean;
}

/**
 * @throws Problem 401 for a token that is none, rather than going on as nobody
 */
export async function identify(request: Request, parts: Identifying): Promise<Identity> {
  const token = bearerToken(request);
  if (token !== null) return { caller: await callerOfToken(token, parts), by: 'token' };
  const { accountId, stamp } = request.session ?? {};
  if (accountId !== undefined) {
    const account = await parts.prisma.account.findUnique({ where: { id: accountId } });
    if (account && mayCome(account) && passwordStamp(account) === stamp) {
      return { caller: callerOf(account), by: 'session' };
    }
  }
  if (parts.loopback && !(await accountsExist(parts.prisma))) return { caller: local, by: 'machine' };
  return { caller: undefined, by: 'nothing' };
}

export function bearerToken(request: Request): string | null {
  return /^bearer +(\S+) *$/i.exec(request.get('authorization') ?? '')?.[1] ?? null;
}

export const callerOf = ({ id, name, role }: Account): Caller => ({ accountId: id, name, role });

const mayCome = ({ disabledAt }: Account) => disabledAt === null;

async function callerOfToken(token: string, { prisma, log }: Identifying): Promise<Caller> {
  const sha256 = tokenHash(token);
  const found =
    sha256 && (await prisma.apiToken.findUnique({ where: { sha256 }, include: { account: true } }));
  const now = Date.now();
  if (!found || !mayCome(found.account) || (found.expiresAt && found.expiresAt.getTime() <= now)) {
    throw new Problem(401, 'this token is unknown or has expired, or its account is disabled');
  }
  if (!found.lastUsedAt || found.lastUsedAt.getTime() < now - lastUsedMs) {
    await prisma.apiToken
      .updateMany({ where: { id: found.id }, data: { lastUsedAt: new Date(now) } })
      .catch((error) => log.warn({ err: error }, "a token's last use could not be written"));
  }
  return callerOf(found.account);
}
