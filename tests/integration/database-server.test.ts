import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { query } from '../support/database.ts';
import {
  expectNoServer,
  readServerState,
  type ServerClient,
  serversOf,
  startClient,
  temporaryFolder,
} from '../support/database-processes.ts';
import { eventually } from '../support/eventually.ts';

// The postmasters are found through /proc.
const onLinux = test.runIf(process.platform === 'linux');
/** 3 s without a client, a poll a second, and the stop itself. */
const GONE_MS = 7_000;

let folder: ReturnType<typeof temporaryFolder>;
let seed: typeof folder;
let clients: ServerClient[];

beforeAll(async () => {
  seed = temporaryFolder();
  await (await startClient(seed.dataDir)).release();
  await expectNoServer(seed.dataDir, GONE_MS);
  // The keeper tidies up after its server; what it removes while it is being copied would fail the copy.
  const left = ['server.json', 'start.lock'].map((name) => join(seed.dataDir, 'postgres', name));
  await eventually(() => !left.some((path) => existsSync(path)), { what: 'the keeper to be gone' });
});

afterAll(() => seed.remove());

beforeEach(() => {
  folder = temporaryFolder(seed.dataDir);
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.process.kill('SIGKILL');
  await folder.remove();
});

async function start(): Promise<ServerClient> {
  const client = await startClient(folder.dataDir);
  clients.push(client);
  return client;
}

onLinux(
  'processes that start at once on a fresh folder share one server, which ends with the last',
  async () => {
    const [one, two, three] = await Promise.all([start(), start(), start()]);
    expect(new Set([one.url, two.url, three.url]).size).toBe(1);
    expect(serversOf(folder.dataDir)).toEqual([readServerState(folder.dataDir).pid]);
    await one.release();
    await two.kill();
    await sleep(GONE_MS);
    await query(three.url, 'CREATE TABLE kept AS SELECT 7 AS value');
    await three.kill();
    await expectNoServer(folder.dataDir, GONE_MS);
    await expect
      .poll(() => existsSync(join(folder.dataDir, 'postgres/server.json')), { timeout: 10_000 })
      .toBe(false);

    const again = await start();
    expect((await query(again.url, 'SELECT value FROM kept')).rows).toEqual([{ value: 7 }]);
  },
);

onLinux('a client that comes while the server is about to stop gets one that runs', async () => {
  for (const pauseMs of [2_900, 3_300, 3_600]) {
    await (await start()).release();
    await sleep(pauseMs);
    const next = await start();
    await sleep(1_500);
    expect((await query(next.url, 'SELECT 1 AS one')).rowCount).toBe(1);
    await next.release();
  }
});

onLinux('a SIGKILLed keeper is replaced under a running client; the server goes on', async () => {
  const client = await start();
  const before = readServerState(folder.dataDir);
  const session = new pg.Client({ connectionString: client.url });
  await session.connect();
  process.kill(before.keeperPid, 'SIGKILL');
  await expect
    .poll(() => readServerState(folder.dataDir).keeperPid, { timeout: 15_000 })
    .not.toBe(before.keeperPid);
  expect(readServerState(folder.dataDir)).toMatchObject({ pid: before.pid, port: before.port });
  expect((await session.query('SELECT 1 AS one')).rowCount).toBe(1);
  await session.end();
  await client.release();
  await expectNoServer(folder.dataDir, GONE_MS);
});

onLinux('an orphan without keeper and clients is taken over by the next client', async () => {
  const client = await start();
  const before = readServerState(folder.dataDir);
  process.kill(before.keeperPid, 'SIGKILL');
  await client.kill();
  const next = await start();
  expect(serversOf(folder.dataDir)).toEqual([before.pid]);
  expect(readServerState(folder.dataDir).keeperPid).not.toBe(before.keeperPid);
  await next.release();
  await expectNoServer(folder.dataDir, GONE_MS);
});

onLinux(
  'after keeper, server and client are SIGKILLed, the next start recovers what was committed',
  async () => {
    const client = await start();
    await query(client.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS value');
    const { keeperPid, pid } = readServerState(folder.dataDir);
    for (const victim of [keeperPid, pid]) process.kill(victim, 'SIGKILL');
    await client.kill();
    expect(existsSync(join(folder.dataDir, 'postgres/server.json'))).toBe(true);
    const next = await start();
    expect((await query(next.url, 'SELECT count(*)::int AS n FROM kept')).rows).toEqual([{ n: 1000 }]);
    expect(serversOf(folder.dataDir)).toHaveLength(1);
  },
);

onLinux('a server that is SIGKILLed under its clients comes back at the same address', async () => {
  const client = await start();
  await query(client.url, 'CREATE TABLE kept ()');
  const before = readServerState(folder.dataDir);
  process.kill(before.pid, 'SIGKILL');
  const answers = () =>
    query(client.url, 'SELECT FROM kept').then(
      () => serversOf(folder.dataDir)[0],
      () => undefined,
    );
  await expect.poll(answers, { timeout: 30_000, interval: 200 }).toEqual(expect.any(Number));
  expect(serversOf(folder.dataDir)).not.toEqual([before.pid]);
  await client.release();
  await expectNoServer(folder.dataDir, GONE_MS);
});

onLinux('a backend that crashes leaves server and keeper at work', async () => {
  const client = await start();
  const before = readServerState(folder.dataDir);
  const session = new pg.Client({ connectionString: client.url });
  session.on('error', () => undefined);
  await session.connect();
  const { rows } = await session.query('SELECT pg_backend_pid() AS pid');
  process.kill(rows[0].pid, 'SIGKILL');
  const answers = () =>
    query(client.url, 'SELECT 1').then(
      () => true,
      () => false,
    );
  await expect.poll(answers, { timeout: 30_000, interval: 200 }).toBe(true);
  await sleep(5_000);
  expect(readServerState(folder.dataDir)).toEqual(before);
  expect(await answers()).toBe(true);
  await client.release();
  await expectNoServer(folder.dataDir, GONE_MS);
});

onLinux('SIGTERM to the keeper stops the server in order', async () => {
  const client = await start();
  await client.kill();
  process.kill(readServerState(folder.dataDir).keeperPid, 'SIGTERM');
  await expectNoServer(folder.dataDir, GONE_MS);
  // Because it was asked to, not because nobody was left.
  expect(readFileSync(join(folder.dataDir, 'postgres/keeper.log'), 'utf8')).toMatch(
    /asked to stop.*database system is shut down/s,
  );
});

onLinux('what a restarted machine or container left behind does not stand in the way', async () => {
  await (await start()).release();
  await expectNoServer(folder.dataDir, GONE_MS);
  // The process ids of before belong to others by now: to this test.
  const postgres = join(folder.dataDir, 'postgres');
  const state = { port: 1, pid: process.pid, keeperPid: process.pid, host: 'gone', version: '18.4' };
  writeFileSync(join(postgres, 'data/postmaster.pid'), `${process.pid}\n${postgres}/data\n0\n1\n`);
  writeFileSync(
    join(postgres, 'server.json'),
    JSON.stringify({ ...state, host: (await import('node:os')).hostname() }),
  );
  const client = await start();
  expect((await query(client.url, 'SELECT 1')).rowCount).toBe(1);
});
