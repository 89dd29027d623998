/** The web server: what stands before the routes, the API, the queues' board, and the pages. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import type { Session } from '../producers/session.ts';
import { codeVersion } from '../shared/code-version.ts';
import { reasonOf, UserError } from '../shared/errors.ts';
import { createAccess, trustProxies } from './access/access.ts';
import type { Caller } from './access/caller.ts';
import { createAudit } from './api/audit.ts';
import { mountDocs } from './api/docs.ts';
import { mountRoutes, problemHandler, sendProblem } from './api/mount.ts';
import { openApiDocument } from './api/openapi.ts';
import { Problem } from './api/problem.ts';
import { routes } from './api/routes.ts';
import { sweepUploads } from './api/songs/upload-files.ts';
import { closeExcerpts } from './audio/excerpts.ts';
import { EventHub } from './events/hub.ts';
import { topicsOf } from './events/topics.ts';
import { mountHealth } from './metrics/health.ts';
import { measureRequests, mountPrometheus } from './metrics/prometheus.ts';
import { createBoard } from './queues/board.ts';
import { mountSite } from './serve-site.ts';
import { dropSlowBodies } from './slow-bodies.ts';

/** Where nobody says, and it is free. */
export const usualPort = 4477;
/** Largest JSON body, in bytes. */
const jsonLimit = 1_000_000;
/** Longest that a request's headers may take, in milliseconds. */
const headersMs = 60_000;

export interface Dashboard {
  /** Where the pages are. */
  url: string;
  close: () => Promise<void>;
}

/**
 * Serve the pages and the API.
 * @throws UserError when the address cannot be listened on, or may not be without accounts
 */
export async function startDashboard(session: Session): Promise<Dashboard> {
  const { log, config } = session;
  const events = new EventHub(topicsOf(session), log);
  const app = await createApp(session, events);
  const server = createServer(app);
  server.headersTimeout = headersMs;
  // None for a whole request: a song of 200 MB may take its time, as long as it moves (slow-bodies.ts).
  server.requestTimeout = 0;
  const sweeping = sweepUploads(config.dataDir, log);
  const url = await listen(server, config.dashboard);
  return {
    url,
    close: async () => {
      sweeping.stop();
      events.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const force = setTimeout(() => server.closeAllConnections(), 2_000);
      await closed;
      clearTimeout(force);
      await closeExcerpts();
    },
  };
}

async function createApp(session: Session, events: EventHub): Promise<Express> {
  const { log } = session;
  const access = await createAccess(session, log);
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  trustProxies(app, session.config.dashboard);
  app.use(dropSlowBodies());
  app.use(measureRequests());
  app.use(access.guard);
  mountHealth(app, session);
  app.use(access.identify);
  mountPrometheus(app, session, events);
  // It is the same for as long as the server runs, and made when somebody first wants it.
  let document: string | undefined;
  app.get('/api/openapi.json', (_request, response) => {
    document ??= JSON.stringify(openApiDocument(routes, codeVersion()));
    response.type('json').send(document);
  });
  mountDocs(app);
  app.get('/api/events', async (request, response) => {
    const caller = response.locals['caller'] as Caller | undefined;
    if (!caller) return sendProblem(response, new Problem(401, 'sign in first'));
    await events.stream(request, response, caller);
  });
  const audit = createAudit(session.database.prisma, log);
  app.use('/api', access.protect, express.json({ limit: jsonLimit }));
  app.use('/api', mountRoutes(routes, { session, events, audit, log }));
  app.use('/queues', access.protect, createBoard(session));
  mountSite(app);
  app.use(problemHandler(log));
  return app;
}

async function listen(
  server: Server,
  { host, port }: { host: string; port: number | undefined },
): Promise<string> {
  const taken = await tryPort(server, host, port ?? usualPort);
  if (taken && port !== undefined) {
    throw new UserError(`port ${port} on ${host} is taken: stop what uses it, or choose another with --port`);
  }
  if (taken) await tryPort(server, host, 0);
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${name}:${address.port}/`;
}

/** Whether the port is taken by somebody else. @throws UserError when it cannot be listened on at all */
async function tryPort(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(true);
      else reject(new UserError(`the pages cannot be served on ${host}:${port}: ${reasonOf(error)}`));
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve(false);
    });
  });
}
