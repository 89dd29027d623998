import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { cancel } from '../../producers/cancel.ts';
import { runSchedule } from '../../producers/schedules.ts';
import { publicId } from '../../shared/identifiers.ts';
import { changeNight } from '../../shared/schedules/nights.ts';
import { syncSchedules } from '../../shared/schedules/sync.ts';
import type { CommandEnd } from '../../workers/schedule/command.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends } from '../support/queue-backends.ts';
import { idOf, NightBench } from './schedules-support.ts';

vi.setConfig({ testTimeout: 90_000 });

onBothBackends('nights that do not go well', (kind) => {
  let desk: NightBench;

  beforeAll(async () => {
    desk = await NightBench.open(kind);
  });
  afterAll(() => desk?.close());
  afterEach(() => desk.reset());

  test('a step that fails ends the night with its reason; a fault that passes is tried again', async () => {
    await desk.startWorker();
    await desk.add('nightly', ['crawl', 'freeze']);
    const reason = 'no credentials: set SPOTIFY_CLIENT_ID';
    desk.commands.instead.set('crawl', async () => ({ status: 2, answer: null, reason }));
    const failed = await desk.ended((await runSchedule(desk.session, 'nightly')).night.id);
    expect(failed).toMatchObject({ state: 'failed', reason: `crawl: ${reason}` });
    expect(failed.steps).toMatchObject([
      { state: 'failed', outcome: `crawl: ${reason}` },
      { state: 'skipped', outcome: 'the night ended before' },
    ]);
    await eventually(async () => (await desk.failures()).length === 1, { what: 'the failure' });
    expect(await desk.failures()).toMatchObject([
      { stage: 'schedule', kind: 'permanent', subject: 'schedule nightly', reason: `crawl: ${reason}` },
    ]);

    desk.commands.instead.set('crawl', async () => ({
      status: 1,
      answer: null,
      reason: 'the network is down',
    }));
    const { night } = await runSchedule(desk.session, 'nightly');
    await desk.finishCrawl(await desk.reached(night.id, 'crawl'));
    expect((await desk.ended(night.id)).state).toBe('done');
    expect(desk.commands.named('crawl')).toHaveLength(3);
    await eventually(async () => (await desk.failures())[0]?.state === 'resolved', {
      what: 'it to be resolved',
    });
  });

  test('a crawl that somebody cancels fails the night', async () => {
    await desk.startWorker();
    await desk.add('nightly', ['crawl', 'freeze']);
    const { night } = await runSchedule(desk.session, 'nightly');
    const crawl = await desk.reached(night.id, 'crawl');
    await cancel(desk.session, crawl);
    expect(await desk.ended(night.id)).toMatchObject({
      ...{ state: 'failed', reason: `crawl: ${crawl} was cancelled` },
    });
  });

  test('at the deadline what the night has made is cancelled, and what it joined goes on', async () => {
    await desk.startWorker();
    const deadlineHours = 6 / 3600;
    await desk.add('nightly', ['crawl', 'freeze'], { deadlineHours });
    const { night } = await runSchedule(desk.session, 'nightly');
    const crawl = await desk.reached(night.id, 'crawl');
    expect(await desk.ended(night.id)).toMatchObject({
      state: 'failed',
      reason: `crawl: not finished at the deadline, ${deadlineHours} h after the night began; ${crawl} was cancelled`,
      steps: [{ state: 'failed' }, { state: 'skipped' }],
    });
    expect((await desk.prisma.crawl.findUniqueOrThrow({ where: { id: idOf(crawl) } })).state).toBe(
      'cancelled',
    );
    expect(desk.commands.named('freeze')).toEqual([]);

    await desk.prisma.crawl.updateMany({ data: { runningKey: null } });
    const other = await desk.prisma.crawl.create({
      data: { source: 'spotify', query: {}, runningKey: 'the query' },
    });
    const joined = await desk.ended((await runSchedule(desk.session, 'nightly')).night.id);
    expect(joined.reason).toContain(`; crawl-${other.id}, which was there before, goes on`);
    expect((await desk.prisma.crawl.findUniqueOrThrow({ where: { id: other.id } })).state).toBe('running');
  });

  test('a command that stays until the deadline is stopped, and what it has made is found and cancelled', async () => {
    let stop: (end: CommandEnd) => void = () => {};
    await desk.startWorker((args) => {
      const command = desk.commands.run(args);
      if (args[0] !== 'train') return command;
      const ended = new Promise<CommandEnd>((resolve) => {
        stop = resolve;
      });
      return { ...command, ended, stop: () => stop({ status: 130, answer: null, reason: 'stopped' }) };
    });
    await desk.add('nightly', ['freeze', 'train'], { deadlineHours: 4 / 3600 });
    const { night } = await runSchedule(desk.session, 'nightly');
    const run = await desk.reached(night.id, 'train');
    const { state, reason } = await desk.ended(night.id);
    expect(state).toBe('failed');
    expect(reason).toMatch(new RegExp(`^train: not finished at the deadline, .*; ${run} was cancelled$`));
  });

  test('a person cancels a night and what it has under way', async () => {
    await desk.startWorker();
    await desk.add('nightly', ['crawl', 'freeze']);
    const { night } = await runSchedule(desk.session, 'nightly');
    const crawl = await desk.reached(night.id, 'crawl');
    const name = publicId('night', night.id);
    expect(await cancel(desk.session, name)).toMatch(
      new RegExp(`^${name} is cancelled; ${crawl} is cancelled`),
    );
    expect(await desk.ended(night.id)).toMatchObject({
      ...{ state: 'cancelled', reason: 'cancelled by a person' },
      steps: [{ state: 'cancelled' }, { state: 'skipped' }],
    });
    expect(await cancel(desk.session, name)).toBe(`${name} is cancelled already`);
    await eventually(async () => (await desk.bench.queues.counts('schedule')).active === 0, {
      what: 'its worker to stop',
    });
    expect(await desk.failures()).toEqual([]);
    expect(desk.commands.named('freeze')).toEqual([]);
  });

  test('shutdown hands a night back at no cost of attempts, and the next worker goes on with its row', async () => {
    await desk.startWorker();
    await desk.add('nightly', ['crawl', 'freeze']);
    const { night } = await runSchedule(desk.session, 'nightly');
    const crawl = await desk.reached(night.id, 'crawl');
    await desk.stopWorkers();
    expect(await desk.bench.queues.counts('schedule')).toMatchObject({ active: 0, failed: 0 });
    const job = await desk.bench.queues.find('schedule', { nightId: night.id });
    expect(job).toMatchObject({ attemptsMade: 0 });
    await desk.finishCrawl(crawl);
    await desk.startWorker();
    expect(await desk.ended(night.id)).toMatchObject({ state: 'done', steps: [{ worksOn: crawl }, {}] });
    expect(desk.commands.named('crawl')).toHaveLength(1);
    expect(desk.commands.named('freeze')).toHaveLength(1);
    expect(await desk.nights()).toHaveLength(1);
  });

  test('a worker whose night was taken over stops, and writes nothing more', async () => {
    await desk.startWorker();
    await desk.add('nightly', ['crawl', 'freeze']);
    const { night } = await runSchedule(desk.session, 'nightly');
    const crawl = await desk.reached(night.id, 'crawl');
    await changeNight(desk.prisma, night.id, { sign: 'somebody else' });
    await desk.finishCrawl(crawl);
    await eventually(async () => (await desk.bench.queues.counts('schedule')).active === 0, {
      what: 'it to stop',
    });
    expect((await desk.nights())[0]).toMatchObject({ state: 'running', worker: 'somebody else' });
    expect(desk.commands.named('freeze')).toEqual([]);
    // Its job is gone: the next look finds that, and another job goes on with the row.
    expect(await syncSchedules({ prisma: desk.prisma, queues: desk.bench.queues })).toMatchObject({
      resumed: 1,
    });
    expect((await desk.ended(night.id)).state).toBe('done');
  });
});
