/** `/metrics`: what processes counted, and how things stand. */
import type { Express, RequestHandler } from 'express';
import type { Session } from '../../producers/session.ts';
import { readTotals } from '../../shared/metrics/read.ts';
import { recorder } from '../../shared/metrics/recorder.ts';
import { type Caller, staff } from '../access/caller.ts';
import { Problem } from '../api/problem.ts';
import type { EventHub } from '../events/hub.ts';
import { exposition } from './exposition.ts';
import { createGauges } from './gauges.ts';

const contentType = 'text/plain; version=0.0.4; charset=utf-8';

export function mountPrometheus(app: Express, session: Session, events: EventHub): void {
  const gauges = createGauges(session, events);
  app.get('/metrics', async (_request, response) => {
    const caller = response.locals['caller'] as Caller | undefined;
    if (!caller) throw new Problem(401, 'sign in, or send a token: Authorization: Bearer …');
    if (!staff.includes(caller.role)) throw new Problem(403, 'metrics are for viewers and operators');
    const [totals, now] = await Promise.all([readTotals(session.database.pool), gauges.text()]);
    response
      .set('Content-Type', contentType)
      .set('Cache-Control', 'no-store')
      .send(exposition(totals) + now);
  });
}

/** How long an answer may be looked at as one; streams of events last as long as they are looked at. */
const isStream = (path: string) => path === '/api/events';

/** Counts requests by route, never by address: addresses hold ids. */
export function measureRequests(): RequestHandler {
  return (request, response, next) => {
    const began = performance.now();
    response.once('finish', () => {
      if (isStream(request.path)) return;
      const pattern = (request.route as { path?: unknown } | undefined)?.path;
      const route = typeof pattern === 'string' ? `${request.baseUrl}${pattern}` : classOf(request.path);
      recorder.observe(
        'hiphop_http_request_duration_seconds',
        { method: request.method, route, status: String(response.statusCode) },
        (performance.now() - began) / 1_000,
      );
    });
    next();
  };
}

const classOf = (path: string) =>
  path.startsWith('/assets')
    ? '/assets'
    : path.startsWith('/queues')
      ? '/queues'
      : path.startsWith('/api')
        ? '/api'
        : 'page';
