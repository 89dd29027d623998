/** Who asks, and what a request must bring: everything that stands before a route. */
import type { Express, Request, RequestHandler, Response } from 'express';
import { accountsExist, hasOperator } from '../../producers/accounts.ts';
import { recordAudit } from '../../producers/audit.ts';
import type { Session } from '../../producers/session.ts';
import type { DashboardConfig } from '../../shared/config.ts';
import { UserError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logging.ts';
import { Problem } from '../api/problem.ts';
import type { Caller } from './caller.ts';
import { createCrossSite, localPagesOnly, reading } from './cross-site.ts';
import { ownNamesOnly, securityHeaders } from './headers.ts';
import { bearerToken, type Identity, identify } from './identify.ts';
import { requestLimit, signInLimit, tokenLimit } from './limits.ts';
import { isLoopback, namesThisMachine } from './loopback.ts';
import { sessionSecret } from './secret.ts';
import { createSessions } from './sessions.ts';
import { createDoorkeeper, type Doorkeeper } from './sign-in.ts';
import { watchStreams } from './streams.ts';

export interface Access {
  /** Before everything: headers, the host that was asked for. */
  guard: RequestHandler[];
  /** Sets `response.locals.caller`, or leaves it undefined. */
  identify: RequestHandler[];
  /** Before what may change something: proof that a page of ours sent it. */
  protect: RequestHandler[];
}

/** What the routes of access need of it. */
export interface AccessServices extends Doorkeeper {
  csrfTokenOf: (request: Request, response: Response) => string | null;
}

/**
 * @throws UserError when others than this machine are served and nobody could sign in as an operator
 */
export async function createAccess(session: Session, log: Logger): Promise<Access> {
  const { config, database } = session;
  const { prisma } = database;
  const { host, secureCookies, requestsPerMinute } = config.dashboard;
  const loopback = isLoopback(host);
  if (!loopback && !(await hasOperator(prisma))) {
    throw new UserError(
      `on ${host} the pages are open to whoever reaches this machine, so somebody has to sign in there: ` +
        'hiphop accounts add NAME --role operator makes the first account',
    );
  }
  // Without https nobody signs in.
  const secure = secureCookies === 'auto' ? !loopback : secureCookies === 'yes';
  const secret = await sessionSecret(config);
  // A proxy on this machine may speak https for a server that is bound to this machine alone.
  const followsRequest = secureCookies === 'auto' && loopback;
  const sessions = createSessions(session, log, { secret, secure: followsRequest ? 'auto' : secure });
  // Told of localhost, it would close every other server of this machine to the browser.
  const keepsHttps = (request: Request) =>
    request.secure && secureCookies !== 'no' && !(loopback && namesThisMachine(request.host));
  const crossSite = createCrossSite(secret);
  const doorkeeper = await createDoorkeeper({ prisma, crossSite, limit: signInLimit(), secure });
  const services: AccessServices = { ...doorkeeper, csrfTokenOf: crossSite.tokenOf };
  const parts = { prisma, log, loopback };
  const tokens = tokenLimit();
  const who: RequestHandler = async (request, response, next) => {
    const identity = await tokens(request, response, () => identify(request, parts));
    Object.assign(response.locals, { identity, caller: identity.caller, access: services });
    next();
  };
  const streams = watchStreams(async (request) => {
    const { caller, by } = await identify(request, parts);
    return by === 'session' && !(await sessions.lives(request)) ? undefined : caller;
  }, log);
  return {
    guard: [securityHeaders(keepsHttps), ownNamesOnly(() => accountsExist(prisma))],
    identify: [
      onlyBelow(/^\/(api|queues|metrics)(\/|$)/i, [
        withoutToken(sessions.read),
        who,
        requestLimit(requestsPerMinute),
        audited(localPagesOnly, session, log),
      ]),
      onlyBelow(/^\/api\/events\/?$/i, [streams]),
    ].flat(),
    protect: [audited(crossSite.protect, session, log)],
  };
}

/** Take the word of these proxies on whom they ask for, and of nobody else. @throws UserError */
export function trustProxies(app: Express, { trustedProxies }: DashboardConfig): void {
  try {
    app.set('trust proxy', trustedProxies);
  } catch {
    throw new UserError(
      `TRUSTED_PROXIES is "${trustedProxies}": expected addresses, networks or loopback, comma-separated`,
    );
  }
}

/** What stands before the routes of access, as they need it. */
export const servicesOf = (response: Response) => response.locals['access'] as AccessServices;
export const identityOf = (response: Response) => response.locals['identity'] as Identity;

/** The pages themselves are the same for everybody: nobody is looked up for them. */
function onlyBelow(paths: RegExp, handlers: RequestHandler[]): RequestHandler[] {
  return handlers.map((handler) => (request, response, next) => {
    if (paths.test(request.path)) return handler(request, response, next);
    next();
  });
}

/** A token stands for itself: a cookie that comes with it counts for nothing. */
function withoutToken(read: RequestHandler): RequestHandler {
  return (request, response, next) => {
    if (bearerToken(request) === null) return read(request, response, next);
    next();
  };
}

/** What a page of another site tried in somebody's browser is in the audit. */
function audited(guard: RequestHandler, { database }: Session, log: Logger): RequestHandler {
  return async (request, response, next) => {
    try {
      await guard(request, response, next);
    } catch (error) {
      const caller = response.locals['caller'] as Caller | undefined;
      if (caller && error instanceof Problem && !reading.has(request.method)) {
        const { status, message: reason } = error;
        const action = `${request.method} ${request.path}`;
        const details = { origin: request.get('origin') ?? null };
        await recordAudit(database.prisma, {
          ...{ who: caller.name, action, target: null },
          details,
          status,
          reason,
        }).catch((trouble) => log.error({ err: trouble }, 'an entry of the audit could not be written'));
      }
      throw error;
    }
  };
}
