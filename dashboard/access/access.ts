/** Who asks, and what a request must bring: everything that stands before a route. */
import type { RequestHandler } from 'express';
import type { Session } from '../../producers/session.ts';
import type { Logger } from '../../shared/logging.ts';
import type { Caller } from './caller.ts';

export interface Access {
  /** Before everything: headers, the host that was asked for. */
  guard: RequestHandler[];
  /** Sets `response.locals.caller`, or leaves it undefined. */
  identify: RequestHandler[];
  /** Before what may change something: limits, and proof that a page of ours sent it. */
  protect: RequestHandler[];
}

export async function createAccess(_session: Session, _log: Logger): Promise<Access> {
  const local: Caller = { accountId: null, name: 'local', role: 'operator' };
  return {
    guard: [(_request, _response, next) => next()],
    identify: [
      (_request, response, next) => {
        response.locals['caller'] = local;
        next();
      },
    ],
    protect: [(_request, _response, next) => next()],
  };
}
