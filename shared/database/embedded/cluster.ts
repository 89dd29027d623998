import { spawn } from 'node:child_process';
import { fstatSync, readFileSync, readSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { UserError } from '../../errors.ts';
import type { Log } from '../log.ts';
import { prepareBinaries } from './binaries.ts';
import { connectTo, DATABASE } from './connection.ts';
import { diskFull, readInstance, type ServerFolder, writeInstance } from './folder.ts';
import { initialise, lastLines } from './initialise.ts';
import { chooseLauncher, type Launcher } from './launcher.ts';
import { isRunning, isServerOf } from './processes.ts';

/** One running PostgreSQL server. */
export interface Cluster {
  port: number;
  /** Of the postmaster. */
  pid: number;
  version: string;
  /** A connection of the keeper's own. */
  client: pg.Client;
}

/** Replaying the log after a power cut may take this long before the server answers. */
const READY_TIMEOUT_MS = 300_000;
/** The backends of a postmaster that was SIGKILLed hold its shared memory until they notice. */
const STARTS_TRIED = 20;
const STOP_TIMEOUT_MS = 60_000;
const KEEPER_NAME = 'hiphop keeper';

/**
 * Start the server of this folder, or take over the one that runs there without a keeper.
 * @param logFd open file that takes the server's output
 * @throws UserError when a person has to act
 */
export async function openCluster(folder: ServerFolder, logFd: number, log: Log): Promise<Cluster> {
  const running = await adopt(folder, log);
  if (running) return running;
  const binaries = prepareBinaries();
  const launcher = await chooseLauncher(binaries, folder.data, folder.root, log);
  const { password, port: lastPort } = readInstance(folder);
  await initialise(folder, binaries, launcher, password, log);
  // The same port as last time, so that clients that lost the server find it again.
  let port = await freePort(lastPort);
  for (let tried = 1; ; tried++) {
    const outcome = await start(folder, binaries.postgres, launcher, port, password, logFd);
    if ('cluster' in outcome) {
      writeInstance(folder, { password, port });
      await createDatabase(outcome.cluster.client);
      return outcome.cluster;
    }
    const { output } = outcome;
    if (/No space left on device|Disk quota exceeded/.test(output)) throw diskFull(folder.dataDir);
    const mayPass = /shared memory block|lock file ".*" already exists/.test(output);
    const portTaken = /could not bind|could not create any TCP\/IP sockets/.test(output);
    if (tried === STARTS_TRIED || !(mayPass || portTaken)) {
      throw new UserError(`PostgreSQL does not start (${folder.log}): ${lastLines(output)}`);
    }
    if (portTaken) port = await freePort(undefined);
    else await sleep(500);
  }
}

/** Stop the server: open transactions are rolled back, what was committed is on disk. */
export async function stopCluster(cluster: Cluster): Promise<void> {
  await cluster.client.end().catch(() => undefined);
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (!(await isRunning(cluster.pid, 'postgres'))) return;
    process.kill(cluster.pid, signal);
    const end = Date.now() + STOP_TIMEOUT_MS;
    while (Date.now() < end && (await isRunning(cluster.pid, 'postgres'))) await sleep(25);
  }
}

/** The keeper's own connection, anew: a backend that crashed takes all connections with it. */
export async function reconnect(folder: ServerFolder, cluster: Cluster): Promise<boolean> {
  await cluster.client.end().catch(() => undefined);
  const { password } = readInstance(folder);
  const client = await connectTo(folder, cluster.port, password, KEEPER_NAME, 'postgres');
  if (client) cluster.client = client;
  return client !== undefined;
}

/** A server whose keeper was SIGKILLed, found by the file that PostgreSQL itself keeps. */
async function adopt(folder: ServerFolder, log: Log): Promise<Cluster | undefined> {
  const file = join(folder.data, 'postmaster.pid');
  for (const end = Date.now() + READY_TIMEOUT_MS; Date.now() < end; await sleep(100)) {
    const lines = readLines(file);
    if (!lines) return undefined;
    const pid = Number(lines[0]);
    const port = Number(lines[3]);
    // PostgreSQL would believe any process of its user to be a server: after a restart of the
    // machine or container the number may be ours.
    if (!(await isServerOf(pid, folder.data))) {
      log.info(`the server was not stopped in order (process ${pid} is gone): it will recover`);
      rmSync(file, { force: true });
      return undefined;
    }
    const cluster = await connectedCluster(folder, port, pid, readInstance(folder).password);
    if (cluster) {
      log.info(`took over the server of process ${pid}`);
      await createDatabase(cluster.client);
      return cluster;
    }
  }
  throw new UserError(`PostgreSQL runs in ${folder.data} but does not answer (${folder.log}): end it first`);
}

async function connectedCluster(
  folder: ServerFolder,
  port: number,
  pid: number,
  password: string,
): Promise<Cluster | undefined> {
  const client = await connectTo(folder, port, password, KEEPER_NAME, 'postgres');
  if (!client) return undefined;
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  return { port, pid, version: rows[0]?.server_version ?? 'unknown', client };
}

async function start(
  folder: ServerFolder,
  postgres: string,
  launcher: Launcher,
  port: number,
  password: string,
  logFd: number,
): Promise<{ cluster: Cluster } | { output: string }> {
  const { program, args, options } = launcher.wrap(postgres, ['-D', folder.data, ...settings(port)]);
  const logStart = fstatSync(logFd).size;
  const child = spawn(program, args, { ...options, stdio: ['ignore', logFd, logFd] });
  let gone = false;
  child.on('exit', () => {
    gone = true;
  });
  child.on('error', () => {
    gone = true;
  });
  // Quick at first; a recovery takes longer, and each try leaves a line in the log.
  let pauseMs = 20;
  for (const end = Date.now() + READY_TIMEOUT_MS; Date.now() < end && !gone; await sleep(pauseMs)) {
    pauseMs = Math.min(pauseMs * 1.1, 500);
    // setpriv replaces itself, so that the child is the postmaster however it was started.
    const cluster = await connectedCluster(folder, port, child.pid ?? 0, password);
    if (cluster) return { cluster };
  }
  if (!gone) child.kill('SIGQUIT');
  return { output: readFrom(logFd, logStart) || 'it ended without a word' };
}

/** Given on the command line and not in postgresql.conf, so that an older folder gets today's. */
function settings(port: number): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // The queues keep a connection for each worker, and several for each process.
    max_connections: 200,
    shared_buffers: '128MB',
    min_wal_size: '16MB',
    max_wal_size: '512MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function createDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
}

async function freePort(wanted: number | undefined): Promise<number> {
  const port = await tryPort(wanted ?? 0);
  return port ?? (await tryPort(0)) ?? 0;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}

function readLines(file: string): string[] | undefined {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return undefined;
  }
}

function readFrom(fd: number, position: number): string {
  const bytes = Buffer.alloc(Math.max(0, fstatSync(fd).size - position));
  readSync(fd, bytes, 0, bytes.length, position);
  return bytes.toString('utf8');
}
