import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { cancel } from '../../producers/cancel.ts';
import { addSchedule, pauseSchedule, removeSchedule, runSchedule } from '../../producers/schedules.ts';
import type { Session } from '../../producers/session.ts';
import { finishTrainingRun } from '../../shared/champion.ts';
import { publicId } from '../../shared/identifiers.ts';
import type { ScheduleOptions, StepName } from '../../shared/schedules/definition.ts';
import { changeNight, dueNight, nightNow, readNight } from '../../shared/schedules/nights.ts';
import { syncSchedules } from '../../shared/schedules/sync.ts';
import type { CommandEnd, CommandRunner } from '../../workers/schedule/command.ts';
import { buildSchedule } from '../../workers/schedule.ts';
import { startWorkers, type Workforce } from '../../workers/workforce.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends, openBench, type QueueBench, silent } from '../support/queue-backends.ts';
import { standIns } from '../support/stand-ins.ts';

vi.setConfig({ testTimeout: 90_000 });

const never = '0 0 1 1 *';
const everyTwoSeconds = '*/2 * * * * *';

/** Stands in for the command line: notes what is asked for and makes the rows that the real one makes. */
class Commands {
  readonly calls: string[] = [];
  /** What a command does instead, once. */
  readonly instead = new Map<string, () => Promise<CommandEnd>>();
  /** Whether a freeze finds nothing new. */
  same = false;
  readonly #bench: QueueBench;

  constructor(bench: QueueBench) {
    this.#bench = bench;
  }

  readonly run: CommandRunner = (args) => {
    this.calls.push(args.join(' '));
    const name = args[0]!;
    const instead = this.instead.get(name);
    this.instead.delete(name);
    const does = { crawl: this.#crawl, freeze: this.#freeze, train: this.#train, cancel: this.#cancel };
    const ended =
      instead?.() ??
      does[name as keyof typeof does].call(this, args).then((answer) => ({ status: 0, answer, reason: '' }));
    return { ended, said: () => [], stop: () => {} };
  };

  named(name: string): string[] {
    return this.calls.filter((call) => call.startsWith(`${name} `));
  }

  async #crawl(): Promise<object> {
    const { prisma } = this.#bench.database;
    const running = await prisma.crawl.findUnique({ where: { runningKey: 'the query' } });
    const crawl =
      running ??
      (await prisma.crawl.create({ data: { source: 'spotify', query: {}, runningKey: 'the query' } }));
    return { crawl: publicId('crawl', crawl.id), state: crawl.state, joined: running !== null };
  }

  async #freeze(): Promise<object> {
    const { prisma } = this.#bench.database;
    const last = await prisma.dataSet.findFirst({ orderBy: { id: 'desc' } });
    if (this.same && last) return { id: publicId('data-set', last.id), isNew: false };
    const name = `data-set-${(last?.id ?? 0) + 1}`;
    const { id } = await prisma.dataSet.create({
      data: {
        ...{ name, parametersHash: '0123456789abcdef', threshold: 50, thresholdRule: 'median', seed: 1 },
        ...{ testFraction: 0.15, holdoutFraction: 0.1, contentHash: 'x', counts: { tracks: 7 } },
        normalisation: {},
      },
    });
    return { id: publicId('data-set', id), isNew: true };
  }

  async #train(args: readonly string[]): Promise<object> {
    const option = (name: string) => args[args.indexOf(name) + 1]!;
    const dataSetId = Number(/\d+/.exec(option('--data-set'))![0]);
    const { id } = await this.#bench.database.prisma.trainingRun.create({
      data: {
        ...{ dataSetId, options: {} },
        models: {
          create: option('--models')
            .split(',')
            .map((name) => ({ name, dataSetId, options: {} })),
        },
      },
    });
    return { run: publicId('run', id) };
  }

  async #cancel([, id]: readonly string[]): Promise<object> {
    return { cancelled: [await cancel(sessionOf(this.#bench), id!)] };
  }
}

const sessionOf = (bench: QueueBench) =>
  ({ database: bench.database, queues: bench.queues, config: bench.config, log: silent }) as Session;

onBothBackends('nights of a schedule', (kind) => {
  let bench: QueueBench;
  let session: Session;
  let commands: Commands;
  let workforces: Workforce[];

  beforeAll(async () => {
    bench = await openBench(kind);
    session = { ...sessionOf(bench), workforce: { missing: async () => [] } as never };
    await bench.database.prisma.spectrogramParameters.create({
      data: { hash: '0123456789abcdef', parameters: {} },
    });
  });
  afterAll(() => bench?.close());
  beforeEach(() => {
    workforces = [];
    commands = new Commands(bench);
  });
  afterEach(async () => {
    const { prisma } = bench.database;
    await prisma.schedule.deleteMany();
    await prisma.scheduleRun.updateMany({ where: { state: 'running' }, data: { state: 'cancelled' } });
    await syncSchedules({ prisma, queues: bench.queues });
    await Promise.all(workforces.map((workforce) => workforce.close()));
    await bench.clear();
    await prisma.scheduleRun.deleteMany();
    await prisma.crawl.deleteMany();
  });

  async function startWorker(): Promise<Workforce> {
    const builders = {
      ...standIns({}),
      schedule: (services: Parameters<typeof buildSchedule>[0]) => buildSchedule(services, commands.run),
    };
    const workforce = await startWorkers(bench.config, silent, ['schedule'], builders);
    workforces.push(workforce);
    return workforce;
  }

  async function add(
    name: string,
    steps: StepName[],
    {
      cron = never,
      always = false,
      ...more
    }: { cron?: string; always?: boolean; deadlineHours?: number } = {},
  ) {
    const options: ScheduleOptions = {
      crawl: { source: 'spotify', genre: 'hip-hop', years: '2019-2021', market: 'US', limit: null },
      freeze: { threshold: 'median', holdout: 0.1, test: 0.15, seed: 1 },
      train: { models: 'dummy,logistic', preset: null, crossValidate: 3, always },
      deadlineHours: more.deadlineHours ?? 12,
    };
    const { schedule } = await addSchedule(session, { name, cron, timezone: 'UTC', steps, options });
    return schedule;
  }

  const nights = async () =>
    (await bench.database.prisma.scheduleRun.findMany({ orderBy: { id: 'asc' } })).map(readNight);
  const failures = () => bench.database.prisma.failure.findMany({ orderBy: { id: 'asc' } });

  async function ended(id: number) {
    return eventually(
      async () => {
        const night = (await nights()).find((row) => row.id === id)!;
        return night.state === 'running' ? null : night;
      },
      { what: `night ${id} to end`, timeoutMs: 40_000 },
    );
  }

  async function allEnded(): Promise<void> {
    await eventually(async () => (await nights()).every(({ state }) => state !== 'running'), {
      what: 'all nights to end',
    });
  }

  async function reached(id: number, name: StepName): Promise<string> {
    return eventually(
      async () => {
        const night = (await nights()).find((row) => row.id === id)!;
        return night.steps.find((step) => step.name === name)!.worksOn;
      },
      { what: `night ${id} to work on its step ${name}`, timeoutMs: 30_000 },
    );
  }

  const idOf = (name: string) => Number(/\d+$/.exec(name)![0]);

  async function finishCrawl(name: string): Promise<void> {
    const data = { state: 'done' as const, runningKey: null, finishedAt: new Date() };
    await bench.database.prisma.crawl.update({ where: { id: idOf(name) }, data });
  }

  /** End the models of a run, all in this state; the real workers finish the run the same way. */
  async function finishRun(name: string, state: 'ready' | 'failed'): Promise<void> {
    const { prisma } = bench.database;
    const evaluation = { n: 1, accuracy: null, rocAuc: null, rocAucCi95: null, logLoss: null, brier: null };
    const metrics = { holdout: evaluation, test: evaluation, crossValidation: null };
    const models = await prisma.model.findMany({ where: { trainingRunId: idOf(name) } });
    for (const { id } of models) {
      const failureReason = state === 'failed' ? 'no memory' : null;
      await prisma.model.update({ where: { id }, data: { state, metrics, failureReason } });
      await finishTrainingRun(prisma, id);
    }
  }

  test('each step starts when the one before is truly finished, and the row tells how it went', async () => {
    await add('nightly', ['crawl', 'freeze', 'train']);
    const { night } = await runSchedule(session, 'nightly');
    await startWorker();
    const crawl = await reached(night.id, 'crawl');
    await expect(runSchedule(session, 'nightly')).rejects.toThrow(/night-\d+ of nightly still runs/);
    expect(commands.calls).toEqual([
      'crawl --source spotify --genre hip-hop --years 2019-2021 --market US --json',
    ]);
    await finishCrawl(crawl);
    const run = await reached(night.id, 'train');
    const dataSet = await reached(night.id, 'freeze');
    expect(commands.calls.slice(1)).toEqual([
      'freeze --threshold median --holdout 0.1 --test 0.15 --seed 1 --json',
      `train --models dummy,logistic --cross-validate 3 --data-set ${dataSet} --seed 1 --json`,
    ]);
    expect((await nights())[0]).toMatchObject({ state: 'running', finishedAt: null });
    await finishRun(run, 'ready');
    const { steps, ...row } = await ended(night.id);
    expect(row).toMatchObject({ scheduleName: 'nightly', state: 'done', reason: null });
    expect(row.finishedAt!.getTime()).toBeGreaterThan(row.startedAt.getTime());
    expect(steps).toMatchObject([
      { name: 'crawl', state: 'done', worksOn: crawl, outcome: '0 tracks, 0 with a spectrogram, 0 failed' },
      { name: 'freeze', state: 'done', worksOn: dataSet, outcome: '7 tracks' },
      {
        name: 'train',
        state: 'done',
        worksOn: run,
        outcome: expect.stringMatching(/^model-\d+ \(dummy\); /),
      },
    ]);
    for (const step of steps) expect(step.startedAt! <= step.finishedAt!).toBe(true);
    expect(await nights()).toHaveLength(1);
  });

  test('a scheduler that fires makes one night a time, until it is paused or removed', async () => {
    await startWorker();
    await add('often', ['freeze'], { cron: everyTwoSeconds });
    await eventually(async () => (await nights()).filter(({ state }) => state === 'done').length >= 3, {
      what: 'three nights',
    });
    await pauseSchedule(session, 'often', true);
    await allEnded();
    const before = await nights();
    const times = before.map(({ jobId }) => Number(jobId.split(':').at(-1)));
    expect(new Set(times).size).toBe(before.length);
    for (const time of times) expect(time % 2_000).toBe(0);
    expect(times.at(-1)! - times[0]!).toBe((times.length - 1) * 2_000);
    expect(commands.calls.length).toBe(before.length);
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect((await nights()).length).toBe(before.length);
    await pauseSchedule(session, 'often', false);
    await eventually(async () => (await nights()).length > before.length, { what: 'the next night' });
    await pauseSchedule(session, 'often', true);
    await allEnded();
    expect(await removeSchedule(session, 'often')).toBeNull();
    expect(await bench.queues.of('schedule').getJobSchedulersCount()).toBe(0);
  });

  test('what is due while a night still runs is a row that says so, and starts nothing', async () => {
    await startWorker();
    await add('often', ['crawl'], { cron: everyTwoSeconds });
    await eventually(async () => (await nights()).length >= 3, { what: 'three rows', timeoutMs: 30_000 });
    const [first, ...others] = await nights();
    expect(first!.state).toBe('running');
    expect(commands.named('crawl')).toHaveLength(1);
    for (const other of others) {
      expect(other).toMatchObject({
        ...{ state: 'skipped', reason: `night-${first!.id} of this schedule was still running` },
        steps: [{ state: 'skipped', startedAt: null }],
      });
    }
    await removeSchedule(session, 'often');
    await finishCrawl(await reached(first!.id, 'crawl'));
    expect((await ended(first!.id)).state).toBe('done');
    expect(await failures()).toEqual([]);
  });

  test('a data set that is the same as before is not learned from again, unless that is asked for', async () => {
    await startWorker();
    await add('nightly', ['freeze', 'train']);
    const begin = async () => (await runSchedule(session, 'nightly')).night.id;
    // A data set whose models failed is to be learned from, though it is there already.
    const first = await begin();
    await finishRun(await reached(first, 'train'), 'failed');
    expect(await ended(first)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^train: no model was made: model-\d+ \(dummy\) failed: no memory; /),
    });
    commands.same = true;
    const second = await begin();
    await finishRun(await reached(second, 'train'), 'ready');
    expect((await ended(second)).steps[0]).toMatchObject({ state: 'done', outcome: 'the same as before' });

    const third = await ended(await begin());
    expect(third.state).toBe('done');
    expect(third.steps[1]).toMatchObject({
      ...{ name: 'train', state: 'skipped', worksOn: null },
      outcome: expect.stringMatching(/^nothing new: data-set-\d+ had model-\d+ trained on it already$/),
    });
    expect(commands.named('train')).toHaveLength(2);

    await add('nightly', ['freeze', 'train'], { always: true });
    const fourth = await begin();
    await finishRun(await reached(fourth, 'train'), 'ready');
    expect((await ended(fourth)).steps[1]!.state).toBe('done');
  });

  test('a step that fails ends the night with its reason; a fault that passes is tried again', async () => {
    await startWorker();
    await add('nightly', ['crawl', 'freeze']);
    const reason = 'no credentials: set SPOTIFY_CLIENT_ID';
    commands.instead.set('crawl', async () => ({ status: 2, answer: null, reason }));
    const failed = await ended((await runSchedule(session, 'nightly')).night.id);
    expect(failed).toMatchObject({ state: 'failed', reason: `crawl: ${reason}` });
    expect(failed.steps).toMatchObject([
      { state: 'failed', outcome: `crawl: ${reason}` },
      { state: 'skipped', outcome: 'the night ended before' },
    ]);
    await eventually(async () => (await failures()).length === 1, { what: 'the failure' });
    expect(await failures()).toMatchObject([
      { stage: 'schedule', kind: 'permanent', subject: 'schedule nightly', reason: `crawl: ${reason}` },
    ]);

    commands.instead.set('crawl', async () => ({ status: 1, answer: null, reason: 'the network is down' }));
    const { night } = await runSchedule(session, 'nightly');
    await finishCrawl(await reached(night.id, 'crawl'));
    expect((await ended(night.id)).state).toBe('done');
    expect(commands.named('crawl')).toHaveLength(3);
    await eventually(async () => (await failures())[0]?.state === 'resolved', { what: 'it to be resolved' });
  });

  test('a crawl that somebody cancels fails the night', async () => {
    await startWorker();
    await add('nightly', ['crawl', 'freeze']);
    const { night } = await runSchedule(session, 'nightly');
    const crawl = await reached(night.id, 'crawl');
    await cancel(session, crawl);
    expect(await ended(night.id)).toMatchObject({
      ...{ state: 'failed', reason: `crawl: ${crawl} was cancelled` },
    });
  });

  test('at the deadline what the night has made is cancelled, and what it joined goes on', async () => {
    await startWorker();
    const { prisma } = bench.database;
    const deadlineHours = 2 / 3600;
    await add('nightly', ['crawl', 'freeze'], { deadlineHours });
    const { night } = await runSchedule(session, 'nightly');
    const crawl = await reached(night.id, 'crawl');
    expect(await ended(night.id)).toMatchObject({
      state: 'failed',
      reason: `crawl: not finished at the deadline, ${deadlineHours} h after the night began; ${crawl} was cancelled`,
      steps: [{ state: 'failed' }, { state: 'skipped' }],
    });
    expect((await prisma.crawl.findUniqueOrThrow({ where: { id: idOf(crawl) } })).state).toBe('cancelled');
    expect(commands.named('freeze')).toEqual([]);

    await prisma.crawl.updateMany({ data: { runningKey: null } });
    const other = await prisma.crawl.create({
      data: { source: 'spotify', query: {}, runningKey: 'the query' },
    });
    const joined = await ended((await runSchedule(session, 'nightly')).night.id);
    expect(joined.reason).toContain(`; crawl-${other.id}, which was there before, goes on`);
    expect((await prisma.crawl.findUniqueOrThrow({ where: { id: other.id } })).state).toBe('running');
  });

  test('a command that stays until the deadline is stopped, and what it has made is found and cancelled', async () => {
    await startWorker();
    await add('nightly', ['freeze', 'train'], { deadlineHours: 4 / 3600 });
    let stop: (end: CommandEnd) => void = () => {};
    const plain = commands.run;
    const workforce = await startWorkers(bench.config, silent, ['schedule'], {
      ...standIns({}),
      schedule: (services) =>
        buildSchedule(services, (args) => {
          const command = plain(args);
          if (args[0] !== 'train') return command;
          const ended = new Promise<CommandEnd>((resolve) => {
            stop = resolve;
          });
          return {
            ended,
            said: () => [],
            stop: () => stop({ status: 130, answer: null, reason: 'stopped' }),
          };
        }),
    });
    await workforces.pop()!.close();
    workforces.push(workforce);
    const { night } = await runSchedule(session, 'nightly');
    const run = await reached(night.id, 'train');
    const { state, reason } = await ended(night.id);
    expect(state).toBe('failed');
    expect(reason).toMatch(new RegExp(`^train: not finished at the deadline, .*; ${run} was cancelled$`));
  });

  test('a person cancels a night and what it has under way', async () => {
    await startWorker();
    await add('nightly', ['crawl', 'freeze']);
    const { night } = await runSchedule(session, 'nightly');
    const crawl = await reached(night.id, 'crawl');
    const name = publicId('night', night.id);
    expect(await cancel(session, name)).toMatch(new RegExp(`^${name} is cancelled; ${crawl} is cancelled`));
    expect(await ended(night.id)).toMatchObject({
      ...{ state: 'cancelled', reason: 'cancelled by a person' },
      steps: [{ state: 'cancelled' }, { state: 'skipped' }],
    });
    expect(await cancel(session, name)).toBe(`${name} is cancelled already`);
    await eventually(async () => (await bench.queues.counts('schedule')).active === 0, {
      what: 'its worker to stop',
    });
    expect(await failures()).toEqual([]);
    expect(commands.named('freeze')).toEqual([]);
  });

  test('shutdown hands a night back at no cost of attempts, and the next worker goes on with its row', async () => {
    const leaving = await startWorker();
    await add('nightly', ['crawl', 'freeze']);
    const { night } = await runSchedule(session, 'nightly');
    const crawl = await reached(night.id, 'crawl');
    workforces = [];
    await leaving.close();
    expect(await bench.queues.counts('schedule')).toMatchObject({ active: 0, failed: 0 });
    const job = await bench.queues.find('schedule', { nightId: night.id });
    expect(job).toMatchObject({ attemptsMade: 0 });
    await finishCrawl(crawl);
    await startWorker();
    expect(await ended(night.id)).toMatchObject({ state: 'done', steps: [{ worksOn: crawl }, {}] });
    expect(commands.named('crawl')).toHaveLength(1);
    expect(commands.named('freeze')).toHaveLength(1);
    expect(await nights()).toHaveLength(1);
  });

  test('a worker whose night was taken over stops, and writes nothing more', async () => {
    await startWorker();
    await add('nightly', ['crawl', 'freeze']);
    const { night } = await runSchedule(session, 'nightly');
    const crawl = await reached(night.id, 'crawl');
    await changeNight(bench.database.prisma, night.id, { sign: 'somebody else' });
    await finishCrawl(crawl);
    await eventually(async () => (await bench.queues.counts('schedule')).active === 0, {
      what: 'it to stop',
    });
    expect((await nights())[0]).toMatchObject({ state: 'running', worker: 'somebody else' });
    expect(commands.named('freeze')).toEqual([]);
    // Its job is gone: the next look finds that, and another job goes on with the row.
    const { prisma } = bench.database;
    expect(await syncSchedules({ prisma, queues: bench.queues })).toMatchObject({ resumed: 1 });
    expect((await ended(night.id)).state).toBe('done');
  });

  test('a night that nobody can be at work on any more makes room for the next', async () => {
    const { prisma } = bench.database;
    const schedule = await add('nightly', ['crawl']);
    const { night } = await nightNow(prisma, schedule);
    expect(await dueNight(prisma, schedule.id, 'due-1')).toMatchObject({ state: 'skipped' });
    await prisma.scheduleRun.update({
      where: { id: night.id },
      data: { deadlineAt: new Date(Date.now() - 3_600_000) },
    });
    const next = await dueNight(prisma, schedule.id, 'due-2');
    expect(next).toMatchObject({ state: 'running' });
    expect(await dueNight(prisma, schedule.id, 'due-2')).toMatchObject({ id: next!.id, state: 'running' });
    expect((await nights())[0]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('deadline'),
    });
  });

  test('asked for many times at once, a night is started once', async () => {
    const { prisma } = bench.database;
    const schedule = await add('nightly', ['crawl']);
    const all = await Promise.all(Array.from({ length: 10 }, () => nightNow(prisma, schedule)));
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(all.map(({ night }) => night.id)).size).toBe(1);
  });
});

onBothBackends('the schedulers of the queue', (kind) => {
  let bench: QueueBench;
  let session: Session;
  const parts = () => ({ prisma: bench.database.prisma, queues: bench.queues });

  beforeAll(async () => {
    bench = await openBench(kind);
    session = sessionOf(bench);
  });
  afterAll(() => bench?.close());
  afterEach(async () => {
    await bench.database.prisma.schedule.deleteMany();
    await bench.database.prisma.scheduleRun.deleteMany();
    await syncSchedules(parts());
  });

  const schedulers = async () =>
    (await bench.queues.of('schedule').getJobSchedulers(0, -1)).sort((a, b) => a.key.localeCompare(b.key));

  function add(name: string, cron: string, timezone = 'Europe/Berlin') {
    const freeze = { threshold: 'median' as const, holdout: 0.1, test: 0.15, seed: 1 };
    const options = { crawl: null, freeze, train: null, deadlineHours: 12 };
    return addSchedule(session, { name, cron, timezone, steps: ['freeze'], options });
  }

  /** The queue itself removes no job that a scheduler lives on. */
  async function loseJob(jobId: string): Promise<void> {
    const queue = bench.queues.of('schedule');
    if (kind === 'redis') {
      const client = new Redis(bench.environment['REDIS_URL']!);
      expect(await client.del(queue.toKey(jobId))).toBe(1);
      client.disconnect();
    } else {
      const deleted = await bench.database.pool.query('DELETE FROM bullmq.job WHERE id = $1', [jobId]);
      expect(deleted.rowCount).toBe(1);
    }
  }

  test('follow the rows: added, changed, paused, removed, lost', async () => {
    const { schedule: first } = await add('first', '0 3 * * *');
    const { schedule: second } = await add('second', '30 4 * * *', 'UTC');
    expect(await schedulers()).toMatchObject([
      { key: `schedule-${first.id}`, pattern: '0 3 * * *', tz: 'Europe/Berlin' },
      { key: `schedule-${second.id}`, pattern: '30 4 * * *', tz: 'UTC' },
    ]);
    const nothing = { made: 0, removed: 0, resumed: 0 };
    expect(await syncSchedules(parts())).toEqual(nothing);
    expect((await bench.queues.counts('schedule')).delayed).toBe(2);

    expect(await add('first', '0 5 * * *')).toMatchObject({ isNew: false, schedule: { id: first.id } });
    expect((await schedulers())[0]).toMatchObject({ pattern: '0 5 * * *' });
    expect((await bench.queues.counts('schedule')).delayed).toBe(2);
    await pauseSchedule(session, 'first', true);
    expect(await schedulers()).toMatchObject([{ key: `schedule-${second.id}` }]);
    await pauseSchedule(session, 'first', false);
    expect(await schedulers()).toHaveLength(2);

    // An emptied Redis, a restored database: rows, and nothing else.
    await bench.queues.of('schedule').obliterate({ force: true });
    for (const { key } of await schedulers()) await bench.queues.of('schedule').removeJobScheduler(key);
    expect(await syncSchedules(parts())).toEqual({ ...nothing, made: 2 });
    // A scheduler without its next job would never fire again.
    const [scheduler] = await schedulers();
    await loseJob(`repeat:${scheduler!.key}:${scheduler!.next}`);
    expect(await syncSchedules(parts())).toEqual({ ...nothing, made: 1 });
    expect((await bench.queues.counts('schedule')).delayed).toBe(2);

    await removeSchedule(session, 'first');
    await removeSchedule(session, 'second');
    expect(await schedulers()).toEqual([]);
    expect((await bench.queues.counts('schedule')).delayed).toBe(0);
  });

  test('are kept in step by many at once', async () => {
    for (let number = 1; number <= 3; number++) await add(`schedule-${number}`, `${number} 3 * * *`);
    for (let round = 1; round <= 5; round++) {
      // Each has something to change: the rows are others than a moment ago.
      await bench.database.prisma.schedule.updateMany({ data: { cron: `${round} 5 * * *` } });
      const synced = await Promise.all(Array.from({ length: 10 }, () => syncSchedules(parts())));
      expect(synced.reduce((sum, { made }) => sum + made, 0)).toBe(3);
      expect((await schedulers()).map(({ pattern }) => pattern)).toEqual(Array(3).fill(`${round} 5 * * *`));
      expect((await bench.queues.counts('schedule')).delayed).toBe(3);
    }
  });

  test('a night whose job was lost gets another', async () => {
    const { prisma } = bench.database;
    const { schedule } = await add('lost', '0 3 * * *');
    const { night } = await nightNow(prisma, schedule);
    expect(await syncSchedules(parts())).toMatchObject({ resumed: 1 });
    expect(await syncSchedules(parts())).toMatchObject({ resumed: 0 });
    const job = await bench.queues.find('schedule', { nightId: night.id });
    expect(job?.data).toEqual({ nightId: night.id });
  });
});
