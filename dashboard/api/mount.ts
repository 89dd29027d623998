/** Routes on Express: who may, what fits, what came of it. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type NextFunction, type Request, type Response, Router } from 'express';
import type { Logger } from '../../shared/logging.ts';
import type { Caller } from '../access/caller.ts';
import { type Audit, detailsOf } from './audit.ts';
import { withIdempotency } from './idempotency.ts';
import { Problem, parsePart, problemOf } from './problem.ts';
import type { Context, FileAnswer, Input, Route } from './route.ts';

export interface Mounting extends Pick<Context, 'session' | 'events'> {
  audit: Audit;
  log: Logger;
}

/** All routes below /api. Anything else there is a problem too, not a page. */
export function mountRoutes(routes: readonly Route[], mounting: Mounting): Router {
  const router = Router();
  for (const route of routes) {
    router[route.method](expressPath(route.path), (request, response) =>
      handle(route, request, response, mounting),
    );
  }
  for (const path of new Set(routes.map(({ path }) => path))) {
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase());
    router.all(expressPath(path), (_request, response) => {
      response.set('Allow', methods.join(', '));
      sendProblem(response, new Problem(405, `${path} takes ${methods.join(', ')}`));
    });
  }
  router.use((request, response) => {
    sendProblem(response, new Problem(404, `the API has no ${request.path}; /api/docs lists what it has`));
  });
  return router;
}

const expressPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1');

async function handle(
  route: Route,
  request: Request,
  response: Response,
  { audit, log, ...parts }: Mounting,
): Promise<void> {
  const caller = response.locals['caller'] as Caller | undefined;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let input: Input<unknown, unknown, unknown> | undefined;
  let answer: unknown;
  let problem: Problem | null = null;
  try {
    checkRole(route, caller);
    input = readInput(route, request);
    const context: Context = { ...parts, caller: caller ?? nobody, request, response, signal: gone.signal };
    const { run } = route;
    const work = () => run(input!, context);
    answer = route.startsWork
      ? await withIdempotency(
          parts.session.database.prisma,
          { caller: context.caller, request, response, status: route.status ?? 200 },
          work,
        )
      : await work();
    await send(route, response, answer);
  } catch (error) {
    problem = problemOf(error);
    // Who has left in the middle of a long answer is nobody's trouble.
    if (problem.status === 500 && !(response.headersSent && gone.signal.aborted))
      log.error({ err: error, route: route.path }, 'a request failed');
    if (!response.headersSent) sendProblem(response, problem);
  }
  if (!isAudited(route, caller, problem?.status ?? response.statusCode)) return;
  await audit.write({
    who: caller?.name ?? nobody.name,
    action: `${route.method.toUpperCase()} ${route.path}`,
    target: input ? targetOf(route, input, answer) : null,
    details: input ? detailsOf(route, input) : {},
    status: problem?.status ?? response.statusCode,
    reason: problem?.message ?? null,
  });
}

const nobody: Caller = { accountId: null, name: 'nobody', role: 'viewer' };

/**
 * Requests that change something, but not those that there are too many of. Whoever is not signed in could fill
 * the database: of them only who was let in, and wrong names and passwords, which are limited by address.
 */
function isAudited(route: Route, caller: Caller | undefined, status: number): boolean {
  if (route.method === 'get' || route.unaudited || status === 429) return false;
  return caller !== undefined || (route.path === '/sign-in' && (status < 300 || status === 401));
}

function checkRole({ allows }: Route, caller: Caller | undefined): void {
  if (!allows) return;
  if (!caller) throw new Problem(401, 'sign in, or send a token: Authorization: Bearer …');
  if (allows.includes(caller.role)) return;
  const who = allows.map((role) => `${role}s`).join(' and ');
  throw new Problem(403, `only ${who} may do this; ${caller.name} is ${caller.role}`);
}

function readInput(route: Route, request: Request): Input<unknown, unknown, unknown> {
  const { params, query, body } = route;
  return {
    params: params && parsePart(params, request.params, 'path'),
    query: query && parsePart(query, request.query, 'query'),
    body: body && parsePart(body, request.body ?? {}, 'body'),
  };
}

async function send(route: Route, response: Response, answer: unknown): Promise<void> {
  if (response.headersSent) return;
  if (route.produces) await sendFile(response, answer as FileAnswer);
  else if (answer === undefined) response.status(204).end();
  else
    response
      .status(route.status ?? 200)
      .set('Cache-Control', 'no-store')
      .json(answer);
}

async function sendFile(
  response: Response,
  { mediaType, bytes, fileName, cacheSeconds, etag }: FileAnswer,
): Promise<void> {
  const kept = cacheSeconds ? `private, max-age=${cacheSeconds}, immutable` : 'no-store';
  const headers = {
    // Nothing that is served may be taken for a page of ours.
    'Content-Security-Policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
    'Cache-Control': etag === undefined ? kept : 'private, no-cache',
    ...(etag === undefined ? {} : { ETag: `"${etag}"` }),
  };
  const { req: request } = response;
  if (etag !== undefined && holds(request, headers.ETag!))
    return void response.set(headers).status(304).end();
  const content = typeof bytes === 'function' ? await bytes() : bytes;
  response.type(mediaType).set(headers);
  if (fileName !== undefined) response.attachment(fileName);
  if (typeof content === 'string') response.send(content);
  else if (content instanceof Uint8Array)
    response.send(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
  else await pipeline(Readable.from(content), response);
}

/** Whether the browser has these very bytes. */
function holds(request: Request, etag: string): boolean {
  const known = request.get('if-none-match') ?? '';
  return known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}

function targetOf(route: Route, input: Input<unknown, unknown, unknown>, answer: unknown): string | null {
  if (route.target && answer !== undefined) return route.target(input, answer);
  const first = /\{(\w+)\}/.exec(route.path)?.[1];
  const value = first && (input.params as Record<string, unknown>)?.[first];
  if (value === undefined || value === null) return null;
  return typeof value === 'number' ? `${first}-${value}` : String(value);
}

export function sendProblem(response: Response, problem: Problem): void {
  response.status(problem.status).type('application/problem+json').set('Cache-Control', 'no-store');
  response.send(JSON.stringify(problem.details()));
  letGo(response.req);
}

/** How long the rest of a body that nobody wants is thrown away, so that the answer arrives, in milliseconds. */
const lingerMs = 2_000;

/** Read on for a moment what is still being sent, then cut the line: it may be gigabytes. */
function letGo(request: Request): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  const timer = setTimeout(() => request.destroy(), lingerMs);
  for (const end of ['end', 'close'] as const) request.once(end, () => clearTimeout(timer));
}

/** The last word on errors outside the API: a problem, never a stack. */
export function problemHandler(log: Logger) {
  return (error: unknown, _request: Request, response: Response, _next: NextFunction): void => {
    const problem = problemOf(error);
    if (problem.status === 500) log.error({ err: error }, 'a request failed');
    if (response.headersSent) response.end();
    else sendProblem(response, problem);
  };
}
