import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { addSchedule, pauseSchedule, removeSchedule } from '../../producers/schedules.ts';
import type { Session } from '../../producers/session.ts';
import { nightNow } from '../../shared/schedules/nights.ts';
import { syncSchedules } from '../../shared/schedules/sync.ts';
import { onBothBackends, openBench, type QueueBench } from '../support/queue-backends.ts';
import { sessionOf } from './schedules-support.ts';

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
