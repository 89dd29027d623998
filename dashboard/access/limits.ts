/** How often somebody may ask, and how often somebody may guess a password. Counted in this process. */
import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, type Options, rateLimit } from 'express-rate-limit';
import { Problem } from '../api/problem.ts';
import type { Identity } from './identify.ts';

const minuteMs = 60_000;
/** Wrong passwords in so long a time, in milliseconds. */
const guessesMs = 15 * minuteMs;
const guesses = 10;

const shared = {
  standardHeaders: 'draft-8',
  legacyHeaders: false,
} satisfies Partial<Options>;

/** Requests of one caller, by account, else by address. */
export function requestLimit(perMinute: number): RequestHandler {
  return rateLimit({
    ...shared,
    windowMs: minuteMs,
    limit: perMinute,
    keyGenerator: (request, response) => {
      const { caller } = response.locals['identity'] as Identity;
      return caller ? `account ${caller.accountId ?? caller.name}` : addressOf(request);
    },
    handler: (_request, _response, next) =>
      next(new Problem(429, `more than ${perMinute} requests in a minute: wait as long as Retry-After says`)),
  });
}

/** Counts a try, and takes it back when the request succeeds. @throws Problem 429 when there were too many */
export type SignInLimit = (request: Request, response: Response) => Promise<void>;

/** Wrong passwords, by name and by address. */
export function signInLimit(): SignInLimit {
  const limit = (keyGenerator: (request: Request, response: Response) => string) =>
    rateLimit({
      ...shared,
      standardHeaders: false,
      // For Retry-After alone: the requests' own limit stands in the standard headers.
      legacyHeaders: true,
      windowMs: guessesMs,
      limit: guesses,
      keyGenerator,
      skipSuccessfulRequests: true,
      handler: (_request, _response, next) =>
        next(
          new Problem(429, 'too many wrong passwords: wait as long as Retry-After says, up to 15 minutes'),
        ),
    });
  const limits = [limit(addressOf), limit(nameOf)];
  return async (request, response) => {
    for (const one of limits) {
      await new Promise<void>((resolve, reject) => {
        const next = (error?: unknown) => (error ? reject(error) : resolve());
        Promise.resolve(one(request, response, next)).catch(reject);
      });
    }
  };
}

const addressOf = (request: Request) => `address ${ipKeyGenerator(request.ip ?? 'unknown')}`;

/** The name that is tried; of whoever is signed in, their own. */
function nameOf(request: Request, response: Response): string {
  const tried = (request.body as { name?: unknown } | undefined)?.name;
  const own = (response.locals['identity'] as Identity).caller?.name;
  return `name ${String(tried ?? own)
    .trim()
    .toLowerCase()
    .slice(0, 100)}`;
}
