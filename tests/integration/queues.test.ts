import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CancelledError, PermanentError, WaitError } from '../../shared/errors.ts';
import { type AudioPayload, stages } from '../../shared/stages.ts';
import type { JobContext, Outcome } from '../../workers/handler.ts';
import { startWorkers, type Workforce } from '../../workers/workforce.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends, openBench, type QueueBench, silent } from '../support/queue-backends.ts';
import { standIns } from '../support/stand-ins.ts';

const parametersHash = '0123456789abcdef';
const song = (id: number): AudioPayload => ({ kind: 'song', id, parametersHash });

onBothBackends('the wrapper around handlers', (kind) => {
  let bench: QueueBench;
  let workforces: Workforce[];

  beforeAll(async () => {
    bench = await openBench(kind);
  });
  afterAll(() => bench?.close());
  beforeEach(() => {
    workforces = [];
  });
  afterEach(async () => {
    await Promise.all(workforces.map((workforce) => workforce.close()));
    await bench.clear();
  });

  /** Workers of the stage spectrogram in this process. Returns how often each job was run, by its song. */
  async function startSpectrogram(
    run: (payload: AudioPayload, context: JobContext, times: number) => Promise<Outcome>,
    howMany = 1,
  ): Promise<{ runs: Map<number, number>; workforce: Workforce }> {
    const runs = new Map<number, number>();
    const builders = standIns({
      spectrogram: (payload, context) => {
        const times = (runs.get(payload.id) ?? 0) + 1;
        runs.set(payload.id, times);
        return run(payload, context, times);
      },
    });
    for (let number = 0; number < howMany; number++) {
      workforces.push(await startWorkers(bench.config, silent, ['spectrogram'], builders));
    }
    return { runs, workforce: workforces.at(-1)! };
  }

  const failures = () => bench.database.prisma.failure.findMany({ orderBy: { id: 'asc' } });
  const counts = () => bench.queues.counts('spectrogram');

  async function drained(): Promise<void> {
    await eventually(
      async () => {
        const { waiting, active, delayed } = await counts();
        return waiting + active + delayed === 0;
      },
      { what: 'the queue to be empty' },
    );
  }

  test('the same work asked for twice is one job, and may be asked for again when it is done', async () => {
    await bench.queues.enqueue('spectrogram', [song(1), song(2), song(1)]);
    await bench.queues.enqueue('spectrogram', [song(2), song(3)]);
    expect(await counts()).toMatchObject({ waiting: 3, failed: 0, paused: false });
    const { runs } = await startSpectrogram(async () => ({ outcome: 'done' }));
    await drained();
    expect([...runs].sort()).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    await bench.queues.enqueue('spectrogram', [song(1)]);
    await eventually(() => runs.get(1) === 2, { what: 'the job to run once more' });
  });

  test('what fails twice and then succeeds leaves no failure behind', async () => {
    const { runs } = await startSpectrogram(async (_payload, _context, times) => {
      if (times < 3) throw new Error('a bad minute');
      return { outcome: 'done' };
    });
    await bench.queues.enqueue('spectrogram', [song(1)]);
    await drained();
    expect(runs.get(1)).toBe(3);
    expect(await failures()).toEqual([]);
    expect(await counts()).toMatchObject({ failed: 0 });
  });

  test('what is wrong with the input is not tried again, and its reason is kept', async () => {
    const { runs } = await startSpectrogram(async () => {
      throw new PermanentError('no audio in it');
    });
    await bench.queues.enqueue('spectrogram', [song(1)]);
    await drained();
    expect(runs.get(1)).toBe(1);
    expect(await failures()).toEqual([
      expect.objectContaining({
        ...{ stage: 'spectrogram', kind: 'permanent', state: 'open', reason: 'no audio in it', attempts: 1 },
        ...{ subject: 'the subject of song 1', payload: song(1) },
      }),
    ]);
    const job = await bench.queues.find('spectrogram', song(1));
    expect(await job?.getState()).toBe('failed');
    expect(job?.failedReason).toBe('no audio in it');
  });

  test('what fails at every attempt becomes one failure that counts them, and can be enqueued again', async () => {
    let mended = false;
    const { runs } = await startSpectrogram(async () => {
      if (!mended) throw new Error('the disk is full\n  and more about it');
      return { outcome: 'done' };
    });
    await bench.queues.enqueue('spectrogram', [song(1)]);
    await drained();
    const { attempts } = stages.spectrogram;
    expect(runs.get(1)).toBe(attempts);
    expect(await failures()).toEqual([
      expect.objectContaining({ kind: 'exhausted', attempts, reason: 'the disk is full' }),
    ]);
    expect(await counts()).toMatchObject({ failed: 1 });

    mended = true;
    await bench.queues.enqueue('spectrogram', [song(1)]);
    await drained();
    expect(runs.get(1)).toBe(attempts + 1);
    expect(await counts()).toMatchObject({ failed: 0 });
  });

  test('who is asked to wait pauses the queue for all workers, as often as need be, and spends no attempt', async () => {
    const waits = stages.spectrogram.attempts + 1;
    const waitMs = 800;
    let pausedUntil = 0;
    let startedAt = 0;
    const { runs } = await startSpectrogram(async ({ id }, _context, times) => {
      if (id === 2) startedAt = Date.now();
      if (id === 2 || times > waits) return { outcome: 'done' };
      if (times === 1) pausedUntil = Date.now() + waitMs;
      throw new WaitError('429 Too Many Requests', waitMs);
    }, 2);
    const began = Date.now();
    await bench.queues.enqueue('spectrogram', [song(1)]);
    // What is asked is whether even a worker that may do this many jobs a second has to wait.
    const manyJobs = 2_000_000_000;
    await eventually(async () => (await bench.queues.of('spectrogram').getRateLimitTtl(manyJobs)) > 0, {
      what: 'the queue to pause',
      everyMs: 5,
    });
    await bench.queues.enqueue('spectrogram', [song(2)]);
    await drained();
    expect(runs.get(1)).toBe(waits + 1);
    expect(runs.get(2)).toBe(1);
    // Timers may be some milliseconds early.
    expect(startedAt).toBeGreaterThanOrEqual(pausedUntil - 20);
    expect(Date.now() - began).toBeGreaterThanOrEqual(waits * waitMs - 50);
    expect(await failures()).toEqual([]);
  });

  test('a payload that does not fit the stage fails with a reason, and no handler sees it', async () => {
    const { runs } = await startSpectrogram(async () => ({ outcome: 'done' }));
    await bench.queues
      .of('spectrogram')
      .add('spectrogram', { kind: 'film', id: 7 }, { jobId: 'odd-job', attempts: 3 });
    await eventually(async () => (await failures()).length > 0, { what: 'a failure' });
    await drained();
    expect(runs.size).toBe(0);
    const [failure, ...others] = await failures();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({ kind: 'permanent', subject: 'odd-job', attempts: 1 });
    expect(failure?.reason).toMatch(/payload does not fit the stage spectrogram: kind: .*parametersHash: /);
    await expect(bench.queues.enqueue('spectrogram', [{ ...song(1), id: -1 }])).rejects.toThrow(/id/);
  });

  test('what a person cancelled is neither tried again nor a failure', async () => {
    const { runs } = await startSpectrogram(async () => {
      throw new CancelledError('model-1 was cancelled');
    });
    await bench.queues.enqueue('spectrogram', [song(1)]);
    await eventually(async () => (await counts()).failed === 1, { what: 'the job to end' });
    await drained();
    expect(runs.get(1)).toBe(1);
    expect(await failures()).toEqual([]);
  });

  test('what follows is enqueued after success and after failure', async () => {
    const { runs } = await startSpectrogram(async ({ id }) => {
      if (id === 1) return { outcome: 'done', next: [{ stage: 'score', payload: { batchId: 10 } }] };
      if (id === 2)
        return { outcome: 'skipped', why: 'it is there', next: [{ stage: 'preview', payload: song(2) }] };
      // The stand-in's fail() lets score follow, of the batch of the song's number.
      throw new PermanentError('no audio');
    });
    await bench.queues.enqueue('spectrogram', [song(1), song(2), song(3)]);
    await drained();
    expect(runs.size).toBe(3);
    expect(await bench.queues.find('score', { batchId: 10 })).toBeDefined();
    expect(await bench.queues.find('score', { batchId: 3 })).toBeDefined();
    expect(await bench.queues.find('preview', song(2))).toBeDefined();
    expect((await bench.queues.counts('score')).waiting).toBe(2);
  });

  test('shutdown hands a running job back at no cost of attempts, and another worker finishes it', async () => {
    const leaving = await startSpectrogram(async (_payload, { signal }) => {
      await sleep(60_000, undefined, { signal });
      return { outcome: 'done' };
    });
    await bench.queues.enqueue('spectrogram', [song(1)]);
    await eventually(() => leaving.runs.get(1), { what: 'the job to start' });
    const began = Date.now();
    await leaving.workforce.close();
    workforces = [];
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(await counts()).toMatchObject({ active: 0, delayed: 1, failed: 0 });

    const heir = await startSpectrogram(async (_payload, _context, times) => {
      if (times < stages.spectrogram.attempts) throw new Error('needs every attempt there is');
      return { outcome: 'done' };
    });
    await drained();
    expect(heir.runs.get(1)).toBe(stages.spectrogram.attempts);
    expect(await failures()).toEqual([]);
  });

  test('a stage without a handler, or with that of another, is found at start-up', async () => {
    const builders = standIns({});
    const start = (wrong: object) =>
      startWorkers(bench.config, silent, ['preview', 'score'], { ...builders, ...wrong });
    await expect(start({ score: undefined })).rejects.toThrow('the stage score has no handler');
    await expect(start({ score: builders.train })).rejects.toThrow(
      'the stage score was given the handler of train',
    );
    expect(await bench.database.prisma.workerProcess.count({ where: { stages: { has: 'score' } } })).toBe(0);
  });

  test('a worker process is listed with its stages while it is alive', async () => {
    const { workforce } = await startSpectrogram(async () => ({ outcome: 'done' }));
    const mine = { where: { pid: process.pid }, orderBy: { startedAt: 'desc' } } as const;
    const row = await bench.database.prisma.workerProcess.findFirstOrThrow(mine);
    expect(row).toMatchObject({ stages: ['spectrogram'], stoppedAt: null });
    await eventually(
      async () =>
        (await bench.database.prisma.workerProcess.findFirstOrThrow(mine)).heartbeatAt > row.heartbeatAt,
      { what: 'a heartbeat', timeoutMs: 10_000 },
    );
    await workforce.close();
    workforces = [];
    expect((await bench.database.prisma.workerProcess.findFirstOrThrow(mine)).stoppedAt).not.toBeNull();
  });
});
