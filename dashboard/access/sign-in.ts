/** Signing in and out. */
import type { Request, Response } from 'express';
import { hashPassword, isPassword, passwordStamp } from '../../producers/accounts.ts';
import type { Account, PrismaClient } from '../../shared/database/generated/client.ts';
import { Problem } from '../api/problem.ts';
import type { CrossSite } from './cross-site.ts';
import { callerOf, type Identity } from './identify.ts';
import type { SignInLimit } from './limits.ts';
import { beginSession, endSession, saveSession } from './sessions.ts';

export interface Doorkeeping {
  prisma: PrismaClient;
  crossSite: CrossSite;
  limit: SignInLimit;
  /** Cookies travel over https alone. */
  secure: boolean;
}

export interface Doorkeeper {
  /** @throws Problem 401 for a wrong name or password, 422 over plain http where https is asked for, 429 */
  signIn: (
    asked: { name: string; password: string },
    request: Request,
    response: Response,
  ) => Promise<Account>;
  /** Whether a password is this account's. @throws Problem 429 */
  isOwnPassword: (
    account: Account,
    password: string,
    request: Request,
    response: Response,
  ) => Promise<boolean>;
  /** A session for an account whose password has just been proved. */
  admit: (account: Account, request: Request, response: Response) => Promise<void>;
  signOut: (request: Request, response: Response) => Promise<void>;
}

export async function createDoorkeeper(parts: Doorkeeping): Promise<Doorkeeper> {
  const { prisma, crossSite, limit, secure } = parts;
  // Nobody's: an unknown name takes as long as a known one.
  const dummyHash = await hashPassword('the password of no account at all');
  const become = (response: Response, identity: Identity) => {
    Object.assign(response.locals, { identity, caller: identity.caller });
  };
  const admit: Doorkeeper['admit'] = async (account, request, response) => {
    await beginSession(request);
    request.session.accountId = account.id;
    request.session.stamp = passwordStamp(account);
    crossSite.renew(request);
    await saveSession(request);
    become(response, { caller: callerOf(account), by: 'session' });
  };
  return {
    admit,
    signIn: async ({ name, password }, request, response) => {
      if (secure && !request.secure) {
        throw new Problem(
          422,
          'passwords are taken over https alone here: come by https, or set SECURE_COOKIES=no on a network that is trusted',
        );
      }
      if ((response.locals['identity'] as Identity).by === 'token') {
        throw new Problem(400, 'a token needs no session: send it alone, or sign in without it');
      }
      await limit(request, response);
      const account = await prisma.account.findUnique({ where: { name: name.trim().toLowerCase() } });
      const right = await isPassword(account?.passwordHash ?? dummyHash, password);
      if (!account || !right || account.disabledAt) {
        throw new Problem(401, 'name or password is wrong, or the account is disabled');
      }
      await admit(account, request, response);
      return account;
    },
    isOwnPassword: async ({ passwordHash }, password, request, response) => {
      await limit(request, response);
      return isPassword(passwordHash, password);
    },
    signOut: async (request, response) => {
      // A token has no session that could end.
      if (request.session?.accountId !== undefined) await endSession(request);
      become(response, { caller: undefined, by: 'nothing' });
    },
  };
}
