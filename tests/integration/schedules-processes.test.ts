import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { addSchedule, runSchedule } from '../../producers/schedules.ts';
import type { Session } from '../../producers/session.ts';
import { readNight } from '../../shared/schedules/nights.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends, openBench, type QueueBench } from '../support/queue-backends.ts';

// Waiting for locks of 10 s to run out, on machines that may be busy otherwise.
vi.setConfig({ testTimeout: 150_000 });

const program = join(dirname(import.meta.filename), 'schedules-child.mjs');

onBothBackends('a worker that is killed in the middle of a night', (kind) => {
  let bench: QueueBench;
  let folder: string;
  let children: ChildProcess[];

  beforeAll(async () => {
    bench = await openBench(kind);
  });
  afterAll(() => bench?.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hiphop-schedules-'));
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map(end));
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(log: string): Promise<ChildProcess> {
    const child = fork(program, [log], { env: { ...process.env, ...bench.environment } });
    children.push(child);
    const [said] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    expect(said, 'the child process starts').toBe('ready');
    return child;
  }

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  test('another goes on with its row, and no step is started twice', async () => {
    const { prisma } = bench.database;
    const parametersHash = '0123456789abcdef';
    await prisma.spectrogramParameters.create({ data: { hash: parametersHash, parameters: {} } });
    await prisma.dataSet.create({
      data: {
        ...{ name: 'a', parametersHash, threshold: 50, thresholdRule: 'median', seed: 1 },
        ...{ testFraction: 0.15, holdoutFraction: 0.1, contentHash: 'x', counts: {}, normalisation: {} },
      },
    });
    const session = {
      ...{ database: bench.database, queues: bench.queues, config: bench.config },
      workforce: { missing: async () => [] },
    } as unknown as Session;
    await addSchedule(session, {
      ...{ name: 'nightly', cron: '0 3 * * *', timezone: 'UTC', steps: ['crawl', 'train'] },
      options: {
        crawl: { source: 'spotify', genre: 'hip-hop', years: null, market: 'US', limit: 5 },
        freeze: { threshold: 'median', holdout: 0.1, test: 0.15, seed: 1 },
        train: { models: 'dummy', preset: null, crossValidate: null, always: false },
        deadlineHours: 1,
      },
    });
    const log = join(folder, 'log');
    writeFileSync(log, '');
    const started = () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' ')[0]);
    const night = async () => readNight(await prisma.scheduleRun.findFirstOrThrow());
    const worksOn = async (index: number) => (await night()).steps[index]!.worksOn;

    // Killed while the crawl is under way.
    const first = await start(log);
    await runSchedule(session, 'nightly');
    const crawl = await eventually(() => worksOn(0), { what: 'the crawl' });
    await end(first);
    await prisma.crawl.updateMany({ data: { state: 'done' } });

    // Killed while the command that trains has begun its run and not answered.
    const second = await start(log);
    await eventually(() => started().includes('train'), { what: 'the training', timeoutMs: 60_000 });
    await eventually(() => prisma.trainingRun.findFirst(), { what: 'its run' });
    await end(second);

    const run = await prisma.trainingRun.findFirstOrThrow();
    await prisma.model.updateMany({ data: { state: 'ready' } });
    await prisma.trainingRun.updateMany({ data: { finishedAt: new Date() } });
    await start(log);
    await eventually(async () => (await night()).state !== 'running', {
      what: 'the night to end',
      timeoutMs: 60_000,
    });
    expect(await night()).toMatchObject({
      ...{ state: 'done', reason: null },
      steps: [
        { state: 'done', worksOn: crawl },
        { state: 'done', worksOn: `run-${run.id}` },
      ],
    });
    expect(started()).toEqual(['crawl', 'train']);
    expect(await prisma.scheduleRun.count()).toBe(1);
    expect(await prisma.failure.count()).toBe(0);
  });
});
