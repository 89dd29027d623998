/** How often somebody may ask, and how often somebody may guess a password. Counted in this process. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, type Options, type RateLimitRequestHandler, rateLimit } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import { tokenHash } from '../../producers/accounts.ts';
import { Problem } from '../api/problem.ts';
import { bearerToken, type Identity } from './identify.ts';

const minuteMs = 60_000;
/** Wrong passwords in so long a time, in milliseconds. */
const guessesMs = 15 * minuteMs;
/** For one name from one address. */
const guesses = 10;
/** For any names from one address, at which many people may sit. */
const guessesOfAddress = 30;
/** For one name from anywhere: more than these are slowed, since to lock the name would lock its owner out. */
const guessesOfName = 30;
/** How long each further one waits, in milliseconds. */
const slowedMs = 1_000;
/** Tokens that are none, from one address in a minute. */
const wrongTokens = 60;
/** So many tokens that were right are remembered. */
const knownTokens = 1_000;

const shared = {
  standardHeaders: 'draft-8',
  legacyHeaders: false,
} satisfies Partial<Options>;

/** The requests' own limit stands in the standard headers. */
const forRetryAfterAlone = {
  ...shared,
  standardHeaders: false,
  legacyHeaders: true,
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
    handler: tooMany(`more than ${perMinute} requests in a minute: wait as long as Retry-After says`),
  });
}

/**
 * Wrong tokens, by address: they are not looked up without end. A token that was right before is looked up
 * whatever others at its address send.
 * @throws Problem 429 when there were too many
 */
export function tokenLimit(): (
  request: Request,
  response: Response,
  identify: () => Promise<Identity>,
) => Promise<Identity> {
  const known = new LRUCache<string, true>({ max: knownTokens });
  const limit = rateLimit({
    ...forRetryAfterAlone,
    windowMs: minuteMs,
    limit: wrongTokens,
    keyGenerator: addressOf,
    handler: tooMany('too many wrong tokens from this address: wait as long as Retry-After says'),
  });
  return async (request, response, identify) => {
    const token = bearerToken(request);
    if (token === null) return identify();
    const hash = tokenHash(token);
    const { totalHits = 0 } = (await limit.getKey(addressOf(request))) ?? {};
    if (totalHits >= wrongTokens && !(hash && known.has(hash))) await counted(limit, request, response);
    try {
      const identity = await identify();
      if (hash) known.set(hash, true);
      return identity;
    } catch (error) {
      if (hash) known.delete(hash);
      if (error instanceof Problem) await counted(limit, request, response);
      throw error;
    }
  };
}

/** Counts a try, and takes it back when the request succeeds. @throws Problem 429 when there were too many */
export type SignInLimit = (request: Request, response: Response) => Promise<void>;

/**
 * Wrong passwords, by name and address. A name that is tried from many addresses is slowed and never locked:
 * its owner comes from another one.
 */
export function signInLimit(): SignInLimit {
  const limit = (most: number, keyGenerator: (request: Request, response: Response) => string) =>
    rateLimit({
      ...forRetryAfterAlone,
      windowMs: guessesMs,
      limit: most,
      keyGenerator,
      skipSuccessfulRequests: true,
      handler: tooMany('too many wrong passwords: wait as long as Retry-After says, up to 15 minutes'),
    });
  const limits = [
    limit(guesses, (request, response) => `${nameOf(request, response)} ${addressOf(request)}`),
    limit(guessesOfAddress, addressOf),
  ];
  const slowing = rateLimit({
    ...shared,
    standardHeaders: false,
    windowMs: guessesMs,
    limit: guessesOfName,
    keyGenerator: nameOf,
    skipSuccessfulRequests: true,
    handler: (_request, _response, next) => void sleep(slowedMs).then(() => next()),
  });
  return async (request, response) => {
    for (const one of [...limits, slowing]) await counted(one, request, response);
  };
}

/** @throws Problem 429 */
function counted(limit: RateLimitRequestHandler, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (error?: unknown) => (error ? reject(error) : resolve());
    Promise.resolve(limit(request, response, next)).catch(reject);
  });
}

function tooMany(detail: string): Options['handler'] {
  return (_request, _response, next) => next(new Problem(429, detail));
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
