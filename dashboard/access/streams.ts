/** An open stream outlives the request that was let in: each is asked again whether it still may go on. */
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from '../../shared/logging.ts';
import type { Caller } from './caller.ts';
import type { Identity } from './identify.ts';

/** How long a stream goes on at most after its account was disabled, in milliseconds. */
const everyMs = 5_000;

/** @param identifyAgain who asks now, by the same cookie or token */
export function watchStreams(
  identifyAgain: (request: Request) => Promise<Caller | undefined>,
  log: Logger,
): RequestHandler {
  const open = new Map<Response, Request>();
  let timer: NodeJS.Timeout | null = null;
  const look = async () => {
    for (const [response, request] of open) {
      const before = (response.locals['identity'] as Identity).caller;
      const now = await identifyAgain(request).catch(() => undefined);
      if (!isSame(before, now)) response.end();
    }
  };
  const next = () => {
    timer = open.size === 0 ? null : setTimeout(() => void turn(), everyMs).unref();
  };
  const turn = async () => {
    await look().catch((error) => log.warn({ err: error }, 'open streams could not be looked at'));
    next();
  };
  return (request, response, done) => {
    // Who has gone while it was found out who they are says so no more.
    if (response.closed || response.destroyed) return;
    open.set(response, request);
    response.once('close', () => {
      open.delete(response);
      if (open.size > 0 || !timer) return;
      clearTimeout(timer);
      timer = null;
    });
    if (!timer) next();
    done();
  };
}

const isSame = (before: Caller | undefined, now: Caller | undefined) =>
  before?.accountId === now?.accountId && before?.role === now?.role && before?.name === now?.name;
