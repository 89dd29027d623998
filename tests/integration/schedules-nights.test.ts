import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { pauseSchedule, removeSchedule, runSchedule } from '../../producers/schedules.ts';
import { dueNight, nightNow } from '../../shared/schedules/nights.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends } from '../support/queue-backends.ts';
import { NightBench } from './schedules-support.ts';

const everyTwoSeconds = '*/2 * * * * *';

vi.setConfig({ testTimeout: 90_000 });

onBothBackends('nights of a schedule', (kind) => {
  let desk: NightBench;

  beforeAll(async () => {
    desk = await NightBench.open(kind);
  });
  afterAll(() => desk?.close());
  afterEach(() => desk.reset());

  test('each step starts when the one before is truly finished, and the row tells how it went', async () => {
    await desk.add('nightly', ['crawl', 'freeze', 'train']);
    const { night } = await runSchedule(desk.session, 'nightly');
    await desk.startWorker();
    const crawl = await desk.reached(night.id, 'crawl');
    await expect(runSchedule(desk.session, 'nightly')).rejects.toThrow(/night-\d+ of nightly still runs/);
    expect(desk.commands.calls).toEqual([
      'crawl --source spotify --genre hip-hop --years 2019-2021 --market US --json',
    ]);
    await desk.finishCrawl(crawl);
    const run = await desk.reached(night.id, 'train');
    const dataSet = await desk.reached(night.id, 'freeze');
    expect(desk.commands.calls.slice(1)).toEqual([
      'freeze --threshold median --holdout 0.1 --test 0.15 --seed 1 --keep-holdout latest --json',
      `train --models dummy,logistic --cross-validate 3 --data-set ${dataSet} --seed 1 --json`,
    ]);
    expect((await desk.nights())[0]).toMatchObject({ state: 'running', finishedAt: null });
    await desk.finishRun(run, 'ready');
    const { steps, ...row } = await desk.ended(night.id);
    expect(row).toMatchObject({ scheduleName: 'nightly', state: 'done', reason: null });
    expect(row.finishedAt!.getTime()).toBeGreaterThan(row.startedAt.getTime());
    expect(steps).toMatchObject([
      { name: 'crawl', state: 'done', worksOn: crawl, outcome: '0 tracks, 0 with a spectrogram, 0 failed' },
      { name: 'freeze', state: 'done', worksOn: dataSet, outcome: '7 tracks' },
      {
        name: 'train',
        state: 'done',
        worksOn: run,
        outcome: expect.stringMatching(
          /^model-\d+ \(dummy\); model-\d+ \(logistic\)\. no model of this run may be champion: .*could not be measured$/,
        ),
      },
    ]);
    for (const step of steps) expect(step.startedAt! <= step.finishedAt!).toBe(true);
    expect(await desk.nights()).toHaveLength(1);
  });

  test('a scheduler that fires makes one night a time, until it is paused or removed', async () => {
    await desk.startWorker();
    await desk.add('often', ['freeze'], { cron: everyTwoSeconds });
    await eventually(async () => (await desk.nights()).filter(({ state }) => state === 'done').length >= 3, {
      what: 'three nights',
    });
    await pauseSchedule(desk.session, 'often', true);
    await desk.allEnded();
    const before = await desk.nights();
    const times = before.map(({ jobId }) => Number(jobId.split(':').at(-1)));
    expect(new Set(times).size).toBe(before.length);
    for (const time of times) expect(time % 2_000).toBe(0);
    // A night that was still running when the next was due leaves that one out.
    expect(desk.commands.calls.length).toBe(before.filter(({ state }) => state === 'done').length);
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect((await desk.nights()).length).toBe(before.length);
    await pauseSchedule(desk.session, 'often', false);
    await eventually(async () => (await desk.nights()).length > before.length, { what: 'the next night' });
    await pauseSchedule(desk.session, 'often', true);
    await desk.allEnded();
    expect(await removeSchedule(desk.session, 'often')).toBeNull();
    expect(await desk.bench.queues.of('schedule').getJobSchedulersCount()).toBe(0);
  });

  test('what is due while a night still runs is a row that says so, and starts nothing', async () => {
    await desk.startWorker();
    await desk.add('often', ['crawl'], { cron: everyTwoSeconds });
    await eventually(async () => (await desk.nights()).length >= 3, {
      what: 'three rows',
      timeoutMs: 30_000,
    });
    const [first, ...others] = await desk.nights();
    expect(first!.state).toBe('running');
    expect(desk.commands.named('crawl')).toHaveLength(1);
    for (const other of others) {
      expect(other).toMatchObject({
        ...{ state: 'skipped', reason: `night-${first!.id} of this schedule was still running` },
        steps: [{ state: 'skipped', startedAt: null }],
      });
    }
    await removeSchedule(desk.session, 'often');
    await desk.finishCrawl(await desk.reached(first!.id, 'crawl'));
    expect((await desk.ended(first!.id)).state).toBe('done');
    expect(await desk.failures()).toEqual([]);
  });

  test('a data set that is the same as before is not learned from again, unless that is asked for', async () => {
    await desk.startWorker();
    await desk.add('nightly', ['freeze', 'train']);
    const begin = async () => (await runSchedule(desk.session, 'nightly')).night.id;
    // A data set whose models failed is to be learned from, though it is there already.
    const first = await begin();
    await desk.finishRun(await desk.reached(first, 'train'), 'failed');
    expect(await desk.ended(first)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^train: no model was made: model-\d+ \(dummy\) failed: no memory; /),
    });
    desk.commands.same = true;
    const second = await begin();
    await desk.finishRun(await desk.reached(second, 'train'), 'ready');
    expect((await desk.ended(second)).steps[0]).toMatchObject({
      state: 'done',
      outcome: 'the same as before',
    });

    const third = await desk.ended(await begin());
    expect(third.state).toBe('done');
    expect(third.steps[1]).toMatchObject({
      ...{ name: 'train', state: 'skipped', worksOn: null },
      outcome: expect.stringMatching(/^nothing new: data-set-\d+ had model-\d+ trained on it already$/),
    });
    expect(desk.commands.named('train')).toHaveLength(2);

    await desk.add('nightly', ['freeze', 'train'], { always: true });
    const fourth = await begin();
    await desk.finishRun(await desk.reached(fourth, 'train'), 'ready');
    expect((await desk.ended(fourth)).steps[1]!.state).toBe('done');
  });

  test('a night that nobody can be at work on any more makes room for the next', async () => {
    const schedule = await desk.add('nightly', ['crawl']);
    const { night } = await nightNow(desk.prisma, schedule);
    expect(await dueNight(desk.prisma, schedule.id, 'due-1')).toMatchObject({ state: 'skipped' });
    await desk.prisma.scheduleRun.update({
      where: { id: night.id },
      data: { deadlineAt: new Date(Date.now() - 3_600_000) },
    });
    const next = await dueNight(desk.prisma, schedule.id, 'due-2');
    expect(next).toMatchObject({ state: 'running' });
    expect(await dueNight(desk.prisma, schedule.id, 'due-2')).toMatchObject({
      id: next!.id,
      state: 'running',
    });
    expect((await desk.nights())[0]).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('deadline'),
    });
  });

  test('asked for many times at once, a night is started once', async () => {
    const schedule = await desk.add('nightly', ['crawl']);
    const all = await Promise.all(Array.from({ length: 10 }, () => nightNow(desk.prisma, schedule)));
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(all.map(({ night }) => night.id)).size).toBe(1);
  });
});
