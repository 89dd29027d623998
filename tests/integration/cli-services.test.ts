import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cachePaths } from '../../shared/tensorflow/cache.ts';
import { takeLock } from '../../shared/tensorflow/fetch.ts';
import { settings, writeCatalogue } from '../support/catalogue.ts';
import {
  expectNoProcesses,
  hiphop,
  hiphopJson,
  killProcessesOf,
  processesOf,
  type Running,
  startHiphop,
} from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';

// Several commands a test, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 180_000 });

interface Status {
  tracks: { total: number; byState: Record<string, number> };
  spectrograms: number;
  workers: { pid: number; stages: string[] }[];
  queues: { kind: string };
}

let audio: string;
let small: { manifest: string };
let large: { manifest: string };

beforeAll(() => {
  audio = mkdtempSync(join(tmpdir(), 'hiphop-audio-'));
  small = writeCatalogue(join(audio, 'small'), 4);
  large = writeCatalogue(join(audio, 'large'), 40);
});
afterAll(() => rmSync(audio, { recursive: true, force: true }));

// Processes are found through /proc.
describe.runIf(process.platform === 'linux')('processes behind the command line (Linux)', () => {
  let dataDir: string;
  let environment: Record<string, string>;
  let started: Running[];

  beforeEach(() => {
    dataDir = join(mkdtempSync(join(tmpdir(), 'hiphop-cli-')), 'data');
    // No download, whatever this machine has.
    environment = { ...settings, DATA_DIR: dataDir, TENSORFLOW: 'wasm' };
    started = [];
  });
  afterEach(() => {
    for (const running of started) running.kill('SIGKILL');
    killProcessesOf(dataDir);
    rmSync(join(dataDir, '..'), { recursive: true, force: true });
  });

  /** Worker processes; not a worker's own child, which has its parent's command line until it has its own. */
  function workersNow(): number[] {
    const named = processesOf(dataDir).filter(({ command }) => command.includes('workers/main.js'));
    const pids = named.map(({ pid }) => pid);
    return named.filter(({ parent }) => !pids.includes(parent)).map(({ pid }) => pid);
  }

  function start(...args: string[]): Running {
    const running = startHiphop(args, environment);
    started.push(running);
    return running;
  }

  async function startUp(...options: string[]): Promise<{ up: Running; workers: number[] }> {
    const up = start('up', ...options);
    await up.said(/up: Ctrl-C stops it/);
    const workers = await eventually(
      async () => {
        const { workers: alive } = await hiphopJson<Status>(['status'], environment);
        return workersNow().length === 2 && alive.length === 2 ? alive.map(({ pid }) => pid) : null;
      },
      { what: 'two workers', timeoutMs: 60_000, everyMs: 500 },
    );
    return { up, workers };
  }

  test('two commands at once on a fresh folder both do their work, and leave nothing running', async () => {
    const answers = await Promise.all([
      hiphopJson(['ingest', small.manifest, '--wait'], environment),
      hiphopJson(['ingest', small.manifest, '--wait'], environment),
    ]);
    const all = { tracks: 4, spectrograms: 4, failed: 0, failures: [] };
    expect(answers).toStrictEqual([all, all]);
    await expectNoProcesses(dataDir);
    const status = await hiphopJson<Status>(['status'], environment);
    expect(status).toMatchObject({ tracks: { total: 4 }, spectrograms: 4, workers: [] });
  });

  test('up serves commands, restarts a worker that died, is alone on its folder, and ends on Ctrl-C', async () => {
    const { up, workers } = await startUp();

    const second = await hiphop(['up'], environment);
    expect(second.status).toBe(2);
    expect(second.stderr).toMatch(/hiphop up runs already on .*data/);

    const ingest = start('ingest', small.manifest, '--wait', '--json');
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, workersNow().length);
    }, 100);
    const done = await ingest.finished.finally(() => clearInterval(watch));
    expect(JSON.parse(done.stdout)).toMatchObject({ tracks: 4, spectrograms: 4, failed: 0 });
    expect(most, 'worker processes while the command ran').toBe(2);

    const victim = workers[0]!;
    process.kill(victim, 'SIGKILL');
    await eventually(
      () => {
        const now = workersNow();
        return now.length === 2 && !now.includes(victim);
      },
      { what: 'another worker', timeoutMs: 30_000 },
    );
    expect(up.stderr()).toContain('ended unforeseen');
    // Not before the new one listens to what it is told.
    await eventually(() => up.stderr().match(/"at work"|at work/g)?.length === 3, {
      what: 'it to be at work',
    });

    up.interrupt();
    expect(await up.finished).toMatchObject({ status: 0, stdout: '' });
    await expectNoProcesses(dataDir, 10_000);
  });

  test('a command that is killed leaves neither worker nor database, and the next one goes on', async () => {
    const ingest = start('ingest', large.manifest, '--wait', '--json');
    await eventually(
      () => processesOf(dataDir).some(({ command }) => command.includes('spectrogram-process')),
      {
        what: 'the decoder to be at work',
        timeoutMs: 60_000,
      },
    );
    expect(processesOf(dataDir).some(({ command }) => command.includes('postgres'))).toBe(true);
    ingest.kill('SIGKILL');
    expect(await ingest.finished).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    await expectNoProcesses(dataDir, 15_000);

    const before = await hiphopJson<Status>(['status'], environment);
    expect(before.tracks.total).toBe(40);
    expect(await hiphopJson(['ingest', large.manifest, '--wait'], environment)).toStrictEqual({
      ...{ tracks: 40, spectrograms: 40, failed: 0, failures: [] },
    });
  });

  test('up that is killed takes its workers and the database with it', async () => {
    const { up } = await startUp();
    up.kill('SIGKILL');
    await up.finished;
    await expectNoProcesses(dataDir, 15_000);
  });

  test('work runs the stages it is told to, and ends on SIGTERM', async () => {
    const work = start('work', '--only', 'preview,spectrogram');
    await work.said(/at work/);
    const { workers } = await hiphopJson<Status>(['status'], environment);
    expect(workers.map(({ stages }) => stages)).toEqual([['preview', 'spectrogram']]);
    expect(await hiphopJson(['ingest', small.manifest, '--wait'], environment)).toMatchObject({
      spectrograms: 4,
    });
    work.kill('SIGTERM');
    expect((await work.finished).status).toBe(0);
    await expectNoProcesses(dataDir, 10_000);
  });

  test('work that is told to end while its worker is starting has not failed', async () => {
    const work = start('work', '--only', 'preview');
    await eventually(() => workersNow().length === 1, { what: 'the worker to be started', everyMs: 10 });
    work.kill('SIGTERM');
    expect((await work.finished).status).toBe(0);
    await expectNoProcesses(dataDir, 10_000);
  });

  test('work that is told to end while it is setting up starts no worker', async () => {
    // Another process is at it all the while; without a Python there is nothing to be downloaded after that.
    const cacheDir = join(dataDir, '..', 'cache');
    const release = await takeLock(cachePaths(cacheDir, 'tagger'), 'the tagger', () => {});
    environment = { ...environment, TAGGER: 'auto', CACHE_DIR: cacheDir, PATH: '/nowhere' };
    const work = start('work', '--only', 'embedding');
    await work.said(/another process is setting up/);
    work.kill('SIGTERM');
    await release();
    expect(await work.finished).toMatchObject({ status: 0, stdout: '' });
    expect(work.stderr()).not.toContain('at work');
    await expectNoProcesses(dataDir, 10_000);
  });

  test('up goes on without its pages where they cannot be started again, and tries until they can', async () => {
    const { up, workers } = await startUp('--port', '0');
    const url = new URL(/the pages are at (http:\S+)/.exec(up.stderr())![1]!);
    const pages = processesOf(dataDir).find(({ command }) => command.includes('dashboard/main'))!;
    process.kill(pages.pid, 'SIGKILL');
    // Somebody else is quicker to take the port.
    const other = createServer();
    await eventually(() => listens(other, Number(url.port)), { what: 'the port to be free', everyMs: 10 });
    await up.said(/starting the dashboard failed: it is tried again/);
    await new Promise((resolve) => other.close(resolve));
    await eventually(
      () =>
        fetch(url).then(
          ({ ok }) => ok,
          () => false,
        ),
      { what: 'the pages to be back', timeoutMs: 30_000 },
    );
    expect(workersNow().sort()).toEqual(workers.sort());
    up.interrupt();
    expect((await up.finished).status).toBe(0);
    await expectNoProcesses(dataDir, 10_000);
  });
});

/** Whether a server could take this port. */
function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
}
