import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, realpathSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { reasonOf, UserError } from '../errors.ts';
import { entryPoint } from '../paths.ts';
import { connectTo, serverUrl } from './embedded/connection.ts';
import {
  createServerFolder,
  isHeldElsewhere,
  readInstance,
  readState,
  type ServerFolder,
  type ServerState,
  serverFolder,
  withLock,
} from './embedded/folder.ts';
import { isRunning } from './embedded/processes.ts';
import type { Log } from './log.ts';

/** The embedded server, which runs at least as long as somebody holds one of these. */
export interface ServerLease {
  /** Connection string with the password; the same for all processes on one data folder. */
  url: string;
  release(): Promise<void>;
}

/** What the keeper says once to the client that started it. */
export type FromKeeper = { ready: true } | { ready: false; reason: string; forUser: boolean };

/** Shown in pg_stat_activity for a lease. */
export const LEASE_NAME = 'hiphop';
/** A keeper that lives while its server does not answer is given so long: it may be recovering. */
const PATIENCE_MS = 30_000;
const WATCH_MS = 5_000;
const HEAL_PAUSE_MS = 1_000;
/** The log starts anew beyond this size in bytes. */
const LOG_LIMIT = 5_000_000;

/** The client of pg can do this, its types do not say so. */
type LeaseClient = pg.Client & { ref(): void; unref(): void };

interface Held {
  client: LeaseClient;
  state: ServerState;
  url: string;
}

/**
 * Find the embedded PostgreSQL server of a data folder, or start it. Any number of processes may do
 * so at once; the server stops by itself seconds after the last of them has gone, however it went.
 * Should the server or its keeper be killed, the lease starts it again, on the same port when that is
 * still free, so that pools reconnect by themselves.
 * @throws UserError when it cannot be started here, with what to do
 */
export async function ensureServer(options: { dataDir: string; log: Log }): Promise<ServerLease> {
  createServerFolder(serverFolder(options.dataDir));
  const folder = serverFolder(realpathSync(options.dataDir));
  let held = await acquire(folder, options.log);
  let released = false;
  let healing = false;

  const heal = async () => {
    if (healing || released) return;
    healing = true;
    while (!released) {
      // Not at once: when the machine shuts down, this process is about to end as well.
      await sleep(HEAL_PAUSE_MS, undefined, { ref: false });
      if (released) break;
      try {
        const next = await acquire(folder, options.log);
        await end(held.client);
        if (next.url !== held.url)
          options.log.warn('the database is on another port now: start this process again');
        held = next;
        watchConnection();
        break;
      } catch (error) {
        options.log.warn(`the database is gone and does not come back yet: ${reasonOf(error)}`);
      }
    }
    healing = false;
    if (released) await end(held.client);
  };
  const watchConnection = () => {
    const { client } = held;
    client.once('end', () => {
      if (client === held.client) void heal();
    });
  };
  const watchKeeper = setInterval(async () => {
    if (!(await isKeeper(held.state.keeperPid))) void heal();
  }, WATCH_MS).unref();
  watchConnection();

  return {
    url: held.url,
    release: async () => {
      released = true;
      clearInterval(watchKeeper);
      await end(held.client);
    },
  };
}

/** End the connection, and keep the process alive until that is done. */
async function end(client: LeaseClient): Promise<void> {
  client.ref();
  await client.end().catch(() => undefined);
}

const isKeeper = (pid: number) => isRunning(pid, 'keeper-process');

/** Connect under the lock, which keeps the keeper from stopping the server meanwhile. */
async function acquire(folder: ServerFolder, log: Log): Promise<Held> {
  return withLock(folder, async () => {
    const known = await findRunning(folder, log);
    if (known) return known;
    const keeper = await startKeeper(folder, log);
    try {
      const state = readState(folder);
      const held = state && (await connect(folder, state));
      if (!held) throw new Error(`the embedded server started but does not answer, see ${folder.log}`);
      // Now that a client is there, the server may stop as soon as there is none.
      keeper.send('claimed', () => undefined);
      return held;
    } finally {
      if (keeper.connected) keeper.disconnect();
    }
  });
}

/** The server that runs with its keeper; without a keeper it counts as none, a new one takes it over. */
async function findRunning(folder: ServerFolder, log: Log): Promise<Held | undefined> {
  const state = readState(folder);
  if (!state) return undefined;
  if (isHeldElsewhere(folder, state)) {
    throw new UserError(
      `the database in ${folder.dataDir} is in use by machine or container ${state.host}: stop it there, or use one PostgreSQL server for both (DATABASE_URL)`,
    );
  }
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(250)) {
    if (!(await isKeeper(state.keeperPid))) return undefined;
    const held = await connect(folder, state);
    if (held) return held;
    log.debug('the embedded server does not answer yet');
  }
  throw new UserError(
    `the embedded server does not answer, see ${folder.log}: end process ${state.keeperPid}`,
  );
}

async function connect(folder: ServerFolder, state: ServerState): Promise<Held | undefined> {
  const { password } = readInstance(folder);
  const client = (await connectTo(folder, state.port, password, LEASE_NAME)) as LeaseClient | undefined;
  if (!client) return undefined;
  // The lease alone does not keep a process alive that has nothing else to do.
  client.unref();
  return { client, state, url: serverUrl(state.port, password) };
}

/** Start a keeper and wait until its server answers. It outlives this process. */
async function startKeeper(folder: ServerFolder, log: Log): Promise<ChildProcess> {
  const program = entryPoint('shared/database/keeper-process.ts');
  if (!existsSync(program)) throw new UserError(`${program} is missing: run npm run build`);
  log.debug('starting the embedded server');
  const output = openSync(
    folder.log,
    existsSync(folder.log) && statSync(folder.log).size > LOG_LIMIT ? 'w' : 'a',
  );
  const keeper = spawn(process.execPath, [program, folder.dataDir], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  const answer = await new Promise<FromKeeper>((resolve) => {
    keeper.once('message', (message) => resolve(message as FromKeeper));
    keeper.once('error', (error) => resolve({ ready: false, reason: reasonOf(error), forUser: false }));
    keeper.once('exit', (code, signal) =>
      resolve({
        ready: false,
        reason: `the keeper of the embedded server ended (${signal ?? code}), see ${folder.log}`,
        forUser: false,
      }),
    );
  });
  keeper.unref();
  if (answer.ready) return keeper;
  throw answer.forUser ? new UserError(answer.reason) : new Error(answer.reason);
}
