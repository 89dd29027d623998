import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { settings, writeCatalogue } from '../support/catalogue.ts';
import {
  expectNoProcesses,
  hiphop,
  hiphopJson,
  killProcessesOf,
  type Running,
  startHiphop,
} from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends, openBench, type QueueBench } from '../support/queue-backends.ts';

// Several commands a test, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 180_000 });

interface Night {
  night: string;
  schedule: string;
  state: string;
  reason: string | null;
  seconds: number | null;
  steps: { step: string; state: string; worksOn: string | null; outcome: string | null }[];
}

interface Listed {
  schedule: string;
  paused: boolean;
  nextAt: string | null;
  running: Night | null;
  last: Night | null;
}

onBothBackends('hiphop schedule', (kind) => {
  let bench: QueueBench;
  let dataDir: string;
  let environment: Record<string, string>;

  beforeAll(async () => {
    bench = await openBench(kind);
  });
  afterAll(() => bench?.close());
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'hiphop-schedules-'));
    environment = { ...bench.environment, DATA_DIR: dataDir, TENSORFLOW: 'wasm' };
  });
  afterEach(() => {
    killProcessesOf(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  });

  const night = ['--cron', '0 3 * * *', '--timezone', 'Europe/Berlin'];
  const crawl = ['--genre', 'hip-hop', '--years', '2019-2021', '--market', 'US'];

  test('add, change, list, pause, resume, run, history, remove', async () => {
    const added = await hiphopJson<Listed & { isNew: boolean; working: boolean }>(
      ['schedule', 'add', 'nightly', ...night, ...crawl, '--models', 'dummy'],
      environment,
    );
    expect(added).toMatchObject({
      ...{ schedule: 'nightly', cron: '0 3 * * *', timezone: 'Europe/Berlin', paused: false, isNew: true },
      ...{ steps: ['crawl', 'freeze', 'train'], working: false, running: null, last: null },
      options: {
        crawl: { source: 'spotify', genre: 'hip-hop', years: '2019-2021', market: 'US', limit: null },
        ...{ train: { models: 'dummy', crossValidate: null, always: false }, deadlineHours: 12 },
      },
    });
    const inBerlin = { timeZone: 'Europe/Berlin', timeStyle: 'medium' } as const;
    expect(new Intl.DateTimeFormat('sv', inBerlin).format(new Date(added.nextAt!))).toBe('03:00:00');

    const changed = await hiphop(
      ['schedule', 'add', 'nightly', ...night, '--steps', 'freeze,train', '--models', 'dummy'],
      environment,
    );
    expect(changed.status).toBe(0);
    expect(changed.stdout).toMatch(
      /^changed: nightly \(freeze,train\) runs next \d{4}-\d\d-\d\d 03:00 Europe\/Berlin\n$/,
    );
    expect(changed.stderr).toContain('no night begins until hiphop up');

    expect(await hiphopJson<Listed>(['schedule', 'pause', 'nightly'], environment)).toMatchObject({
      ...{ paused: true, nextAt: null },
    });
    const { schedules } = await hiphopJson<{ schedules: Listed[] }>(['schedule', 'list'], environment);
    expect(schedules).toMatchObject([{ schedule: 'nightly', paused: true, steps: ['freeze', 'train'] }]);
    expect(await hiphopJson<Listed>(['schedule', 'resume', 'nightly'], environment)).toMatchObject({
      ...{ paused: false, nextAt: added.nextAt },
    });

    // Nothing to learn from: the freeze fails, and the night says so in the command's own words.
    const run = await hiphopJson<Night>(['schedule', 'run', 'nightly', 'now'], environment, { status: 1 });
    expect(run).toMatchObject({
      ...{ schedule: 'nightly', state: 'failed', reason: expect.stringMatching(/^freeze: .*popularity/) },
      steps: [
        { step: 'freeze', state: 'failed' },
        { step: 'train', state: 'skipped', outcome: 'the night ended before' },
      ],
    });
    const history = await hiphopJson<{ total: number; nights: Night[] }>(
      ['schedule', 'history', 'nightly'],
      environment,
    );
    expect(history).toEqual({ total: 1, nights: [run] });
    const failed = await hiphopJson<{ failures: object[] }>(['failures'], environment);
    expect(failed.failures).toMatchObject([{ stage: 'schedule', subject: 'schedule nightly' }]);

    expect(await hiphopJson(['schedule', 'remove', 'nightly'], environment)).toEqual({
      ...{ removed: 'nightly', running: null },
    });
    expect(await hiphopJson(['schedule', 'list'], environment)).toEqual({ working: false, schedules: [] });
    const after = await hiphopJson<{ nights: Night[] }>(['schedule', 'history'], environment);
    expect(after.nights).toEqual([run]);
    expect(await bench.queues.of('schedule').getJobSchedulersCount()).toBe(0);
  });

  // Before any queue is asked: once is enough.
  if (kind === 'redis') return;
  test.each([
    [['add', 'x', ...crawl], /--cron/],
    [['add', 'x', '--cron', '0 3 * *', ...crawl], /"0 3 \* \*" is no cron pattern: expected five fields/],
    [['add', 'x', '--cron', '0 25 * * *', ...crawl], /no cron pattern \(.*0-23\)/],
    [['add', 'x', '--cron', '0 3 * * *', '--timezone', 'Mars/Base', ...crawl], /no time zone "Mars\/Base"/],
    [['add', 'x', ...night, '--steps', 'train,crawl', ...crawl], /say --steps crawl,train/],
    [['add', 'x', ...night, '--steps', 'crawl,score', ...crawl], /unknown step score/],
    [['add', 'x', ...night, '--years', '2021-2019'], /expected a year or a span/],
    [['add', 'x', ...night, '--genre', ' '], /--genre: /],
    [['add', 'x', ...night, '--steps', 'freeze', ...crawl], /--genre, --years, --market: for the step crawl/],
    [['add', 'x', ...night, ...crawl, '--models', 'oracle'], /unknown model oracle/],
    [['add', 'x', ...night, ...crawl, '--deadline', '0'], /expected a number of hours/],
    [['add', 'a b', ...night, ...crawl], /"a b" is no name for a schedule/],
    [['run', 'x'], /there is no schedule "x"; hiphop schedule add makes one/],
    [['history', 'x'], /there is no schedule "x"/],
  ])('%j is refused with a reason', async (args, reason) => {
    const { status, stdout, stderr } = await hiphop(['schedule', ...args], environment);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(reason);
    expect(await bench.database.prisma.schedule.count()).toBe(0);
  });
});

describe('nights of a folder, by the real commands', () => {
  let root: string;
  let environment: Record<string, string>;
  let worker: Running | null = null;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'hiphop-nights-'));
    environment = { ...settings, DATA_DIR: join(root, 'data'), TENSORFLOW: 'wasm' };
  });
  afterAll(() => {
    worker?.kill('SIGKILL');
    killProcessesOf(join(root, 'data'));
    rmSync(root, { recursive: true, force: true });
  });

  const run = (...more: string[]) =>
    hiphopJson<Night>(['schedule', 'run', 'nightly', ...more], environment, { timeoutMs: 170_000 });

  test('without any worker, with workers that wait for it, and with nothing new', async () => {
    const { manifest } = writeCatalogue(join(root, 'audio'), 24);
    await hiphopJson(['ingest', manifest, '--wait'], environment);
    const schedule = ['schedule', 'add', 'nightly', '--cron', '0 3 * * *', '--steps', 'freeze,train'];
    const cut = ['--models', 'dummy,logistic', '--test', '0.2', '--holdout', '0.2'];
    await hiphopJson([...schedule, ...cut], environment);

    expect(await run()).toMatchObject({
      ...{ night: 'night-1', state: 'done', reason: null, seconds: expect.any(Number) },
      steps: [
        { step: 'freeze', state: 'done', worksOn: 'data-set-1', outcome: '24 tracks' },
        {
          ...{ step: 'train', state: 'done', worksOn: 'run-1' },
          outcome: expect.stringMatching(
            /^model-1 \(dummy\); model-2 \(logistic\)\. first champion: model-2 \(logistic\) /,
          ),
        },
      ],
    });

    worker = startHiphop(['work'], environment, { timeoutMs: 170_000 });
    await worker.said(/at work/);
    const second = await run('now', '--wait');
    expect(second.steps).toMatchObject([
      { state: 'done', worksOn: 'data-set-1', outcome: 'the same as before' },
      { state: 'skipped', outcome: 'nothing new: data-set-1 had model-2 trained on it already' },
    ]);

    await hiphopJson([...schedule, ...cut, '--always-train'], environment);
    // Somebody is at work: the command need not stay.
    expect(await run('now')).toMatchObject({ night: 'night-3', state: 'running' });
    await eventually(
      async () => {
        const { nights } = await hiphopJson<{ nights: Night[] }>(['schedule', 'history'], environment);
        return nights[0]!.state === 'done';
      },
      { what: 'the night to be done', timeoutMs: 60_000, everyMs: 1_000 },
    );
    worker.kill('SIGTERM');
    expect((await worker.finished).status).toBe(0);
    worker = null;

    // A command is still at work when the deadline passes: it is stopped, and nothing stays behind.
    await hiphopJson([...schedule, ...cut, '--always-train', '--deadline', '0.0004'], environment);
    worker = startHiphop(['work', '--only', 'schedule'], environment, { timeoutMs: 170_000 });
    await worker.said(/at work/);
    const late = await hiphopJson<Night>(['schedule', 'run', 'nightly', '--wait'], environment, {
      status: 1,
    });
    expect(late.state).toBe('failed');
    // Which step that is depends on the machine.
    expect(late.reason).toMatch(
      /^(freeze|train): not finished at the deadline, 0.0004 h after the night began/,
    );
    expect(late.steps.filter(({ state }) => state === 'failed')).toHaveLength(1);
    worker.kill('SIGTERM');
    expect((await worker.finished).status).toBe(0);
    worker = null;
    await expectNoProcesses(join(root, 'data'));
  });
});
