/**
 * What changes something must be asked for by a page of ours, by a program with a token, or by a program
 * on this machine: never by a page of another site in somebody's browser.
 *
 * Browsers say where a request comes from (Sec-Fetch-Site; Origin where the site is not https), and no
 * page can make them lie: that is looked at first, for everything. A browser that is let in by its cookie,
 * or by being on this machine, proves besides that it could read an answer of ours: by the session's token.
 */
import { createHmac } from 'node:crypto';
import { csrfSync } from 'csrf-sync';
import type { Request, RequestHandler, Response } from 'express';
import { Problem } from '../api/problem.ts';
import type { Identity } from './identify.ts';
import { namesThisMachine } from './loopback.ts';

export const reading = new Set(['GET', 'HEAD', 'OPTIONS']);
const elsewhere = 'this was asked for by a page of another site, or by none: nothing was done';

export interface CrossSite {
  protect: RequestHandler;
  /** What the pages send as X-CSRF-Token; null for nobody, who can do nothing that needs one. */
  tokenOf: (request: Request, response: Response) => string | null;
  /** Give a session that begins its token. */
  renew: (request: Request) => void;
}

/** @param secret from which the token of this machine's pages is made, where there are no sessions */
export function createCrossSite(secret: string): CrossSite {
  const machineToken = createHmac('sha256', secret).update('pages without accounts').digest('hex');
  const expected = (request: Request, response: Response) => {
    const { by } = response.locals['identity'] as Identity;
    return by === 'session' ? (request.session.csrfToken ?? null) : by === 'machine' ? machineToken : null;
  };
  const { generateToken, isRequestValid } = csrfSync({
    size: 32,
    getTokenFromRequest: (request) => request.get('x-csrf-token'),
    getTokenFromState: (request) => expected(request, request.res!),
  });
  return {
    tokenOf: expected,
    renew: (request) => void generateToken(request, true),
    protect: (request, response, next) => {
      const { by } = response.locals['identity'] as Identity;
      if (reading.has(request.method) || by === 'token') return next();
      if (!isFromOurPages(request)) throw new Problem(403, elsewhere);
      // The queues' board is not ours and sends no token of ours.
      const needsToken =
        by !== 'nothing' && isFromBrowser(request) && request.baseUrl.toLowerCase() !== '/queues';
      if (needsToken && !isRequestValid(request)) {
        throw new Problem(
          403,
          'the page is older than your sign-in: load it again (X-CSRF-Token, of GET /api/me)',
        );
      }
      next();
    },
  };
}

/**
 * Where no password is asked for, only pages under this machine's own names ask: a proxy that tells nothing of
 * itself may have put such a name into the Host header, but a browser goes on saying where its page is from.
 */
export const localPagesOnly: RequestHandler = (request, response, next) => {
  const { by } = response.locals['identity'] as Identity;
  const said = [request.get('origin'), request.get('referer')].filter((address) => address !== undefined);
  const foreign = said.some((address) => !URL.canParse(address) || !namesThisMachine(new URL(address).host));
  if (by !== 'machine' || !foreign) return next();
  throw new Problem(
    403,
    'a page of another address asks, and without accounts this is for this machine alone: ' +
      'hiphop accounts add makes an account',
  );
};

/** Whether nothing says that a page of another origin sent it. */
function isFromOurPages(request: Request): boolean {
  const site = request.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const origin = request.get('origin');
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === request.host);
}

/** Programs send none of these unless they mean to look like one. */
function isFromBrowser(request: Request): boolean {
  return ['cookie', 'origin', 'sec-fetch-site'].some((name) => request.get(name) !== undefined);
}
