/** One server on this machine that stands for Spotify's API and CDN, and for Deezer's. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { UserError } from '../../shared/errors.ts';
import type { World } from '../world/types.ts';
import { accountsRouter } from './accounts.ts';
import { jsonAnswer, send } from './answers.ts';
import { cdnRouter } from './cdn.ts';
import { chaosOf } from './chaos-table.ts';
import type { Context } from './context.ts';
import { controlRouter } from './control.ts';
import { deezerRouter } from './deezer.ts';
import { Patience } from './limits.ts';
import { openPreviewStore } from './preview-store.ts';
import { searchRouter } from './search.ts';
import {
  type CheckedChange,
  checkChange,
  completeSettings,
  type SimulatorChange,
  type SimulatorSettings,
} from './settings.ts';
import { Counters, type Endpoint, type SimulatorStatistics } from './statistics.ts';
import { Tokens } from './tokens.ts';

export { previewFate } from './chaos.ts';
export type { SimulatorChange, SimulatorSettings, SimulatorStatistics };

export interface Simulator {
  /** http://127.0.0.1:PORT, the one origin of everything. */
  readonly url: string;
  statistics(): SimulatorStatistics;
  /**
   * Change settings while it runs; `storm` and `revokeTokens` are done at once.
   * @throws UserError that names what is wrong
   */
  change(settings: SimulatorChange): void;
  /** Synthesise previews before anybody asks for them. */
  prerender(recordings: Iterable<number>): Promise<void>;
  /** Stop at once: open connections are ended. */
  close(): Promise<void>;
}

/**
 * Start the outside world for a catalogue.
 * @throws UserError when a setting is wrong, the address is not a loopback one, or the port is taken
 */
export async function startSimulator(world: World, settings: SimulatorSettings = {}): Promise<Simulator> {
  const complete = completeSettings(settings);
  if (!isLoopback(complete.host)) {
    throw new UserError(
      `the simulator listens on this machine only: ${complete.host} is no loopback address`,
    );
  }
  const closing = new AbortController();
  const context: Context = {
    world,
    live: complete,
    chaos: chaosOf(complete.chaos, complete.chaosRates),
    stormEnd: 0,
    origin: '',
    counters: new Counters(world.tracks),
    tokens: new Tokens(world.seed),
    patience: new Patience(),
    previews: await openPreviewStore(world, complete),
    signal: closing.signal,
  };
  const actions = {
    statistics: () => statisticsOf(context),
    change: (change: unknown) => applyChange(context, checkChange(change)),
  };

  const server = createServer(buildApp(context, actions));
  server.listen(complete.port, complete.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    await context.previews.close();
    throw new UserError(`the simulator cannot listen: ${(error as Error).message}`);
  }
  context.origin = originOf(server.address() as AddressInfo);
  return {
    url: context.origin,
    ...actions,
    prerender: (recordings) => context.previews.prerender(recordings),
    async close() {
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await context.previews.close();
    },
  };
}

function buildApp(context: Context, actions: Parameters<typeof controlRouter>[1]): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use((req, res, next) => {
    res.once('close', () => {
      context.counters.request(
        endpointOf(req.path),
        res.writableFinished ? String(res.statusCode) : 'unfinished',
      );
    });
    next();
  });
  app.use(accountsRouter(context), searchRouter(context), cdnRouter(context), deezerRouter(context));
  app.use(controlRouter(context, actions));
  app.use((_req, res) =>
    send(res, jsonAnswer(404, { error: { status: 404, message: 'Service not found' } })),
  );
  app.use((error: Error & { status?: number }, _req: Request, res: Response, _next: NextFunction) => {
    if (res.headersSent || context.signal.aborted) return res.destroy();
    send(
      res,
      jsonAnswer(error.status ?? 500, { error: { status: error.status ?? 500, message: error.message } }),
    );
  });
  return app;
}

const prefixes: [string, Endpoint][] = [
  ['/api/token', 'token'],
  ['/v1/search', 'search'],
  ['/mp3-preview/', 'preview'],
  ['/stream/', 'stream'],
  ['/track/isrc:', 'deezer'],
];

function endpointOf(path: string): Endpoint {
  return prefixes.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'other';
}

function statisticsOf({ counters, tokens, patience }: Context): SimulatorStatistics {
  return {
    ...counters.report(),
    tokensGiven: tokens.given,
    insideRetryAfter: patience.inside,
    insideRetryAfterWorstMs: patience.worstMs,
  };
}

function applyChange(context: Context, { storm, revokeTokens, ...settings }: CheckedChange): void {
  context.live = { ...context.live, ...settings };
  context.chaos = chaosOf(context.live.chaos, context.live.chaosRates);
  if (storm !== undefined) context.stormEnd = performance.now() + storm * 1000;
  if (revokeTokens) context.tokens.revokeAll();
}

function isLoopback(host: string): boolean {
  return host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function originOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
