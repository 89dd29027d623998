// The process that keeps the embedded server: it starts PostgreSQL, and stops it when the last client
// has gone. A process of its own, because any client may be killed at any time. Started by server.ts.
import { closeSync, openSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf, UserError } from '../errors.ts';
import { createLogger } from '../logging.ts';
import { type Cluster, openCluster, reconnect, stopCluster } from './embedded/cluster.ts';
import {
  readState,
  removeState,
  type ServerFolder,
  serverFolder,
  withLock,
  writeState,
} from './embedded/folder.ts';
import { isRunning } from './embedded/processes.ts';
import type { FromKeeper } from './server.ts';

const POLL_MS = 1_000;
/** Nobody for so many polls in a row: the last client has gone. */
const IDLE_POLLS = 3;
/** The client that started the server has so long to connect. */
const GRACE_MS = 20_000;

const log = createLogger({ logLevel: 'info' }, 'keeper');

async function main(dataDir: string): Promise<void> {
  const folder = serverFolder(dataDir);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort());
  }
  let claimed = false;
  // The client that started this is connected, or has gone: both end its time of grace.
  for (const event of ['message', 'disconnect']) {
    process.on(event, () => {
      claimed = true;
    });
  }
  const cluster = await openOrReport(folder);
  if (!cluster) return;
  const idle = { polls: 0, from: Date.now() + GRACE_MS };
  while (!stop.signal.aborted) {
    await sleep(POLL_MS, undefined, { signal: stop.signal }).catch(() => {});
    if (!(await isRunning(cluster.pid, 'postgres'))) {
      log.warn('PostgreSQL ended by itself; the next client starts it again');
      return forget(folder);
    }
    beat(folder);
    const others = await countClients(folder, cluster);
    if (others === undefined || others > 0) idle.polls = 0;
    else if (claimed || Date.now() > idle.from) idle.polls++;
    if (others) claimed = true;
    if (idle.polls >= IDLE_POLLS && (await stopIfUnused(folder, cluster))) return;
  }
  log.info('asked to stop');
  await stopCluster(cluster);
  forget(folder);
}

/** Start the server and tell the client how it went; undefined when it could not be started. */
async function openOrReport(folder: ServerFolder): Promise<Cluster | undefined> {
  const logFd = openSync(folder.log, 'a+');
  try {
    const cluster = await openCluster(folder, logFd, log);
    writeState(folder, {
      port: cluster.port,
      pid: cluster.pid,
      keeperPid: process.pid,
      host: hostname(),
      version: cluster.version,
    });
    log.info(`PostgreSQL ${cluster.version} serves ${folder.data} on port ${cluster.port}`);
    tell({ ready: true });
    return cluster;
  } catch (error) {
    log.warn({ err: error }, 'could not start');
    tell({ ready: false, reason: reasonOf(error), forUser: error instanceof UserError });
    process.exitCode = 1;
    return undefined;
  } finally {
    closeSync(logFd);
  }
}

/** The client may have been killed meanwhile: then there is nobody to tell. */
function tell(message: FromKeeper): void {
  if (process.connected) process.send?.(message, () => undefined);
}

/** Client connections other than the keeper's own; undefined when the server does not answer now. */
async function countClients(folder: ServerFolder, cluster: Cluster): Promise<number | undefined> {
  try {
    const { rows } = await cluster.client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    return rows[0]?.count;
  } catch {
    await reconnect(folder, cluster);
    return undefined;
  }
}

/** Under the lock that a client holds until it is connected, so that none comes in between. */
async function stopIfUnused(folder: ServerFolder, cluster: Cluster): Promise<boolean> {
  return withLock(folder, async () => {
    if ((await countClients(folder, cluster)) !== 0) return false;
    log.info('the last client has gone');
    await stopCluster(cluster);
    forget(folder);
    return true;
  });
}

/** A heartbeat, for other machines that see the same folder. */
function beat(folder: ServerFolder): void {
  const now = new Date();
  try {
    utimesSync(folder.state, now, now);
  } catch {
    // The folder was removed below our feet: the server goes when its last client does.
  }
}

/** Remove the note of the running server, unless it is by now that of another keeper. */
function forget(folder: ServerFolder): void {
  if (readState(folder)?.keeperPid === process.pid) removeState(folder);
}

await main(process.argv[2] ?? '');
process.exit();
