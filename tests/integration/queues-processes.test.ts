import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { AudioPayload } from '../../shared/stages.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends, openBench, type QueueBench } from '../support/queue-backends.ts';

// Waiting for locks of 10 s to run out, on machines that may be busy otherwise.
vi.setConfig({ testTimeout: 120_000 });

const program = join(dirname(import.meta.filename), 'queues-child.mjs');
const song = (id: number): AudioPayload => ({ kind: 'song', id, parametersHash: '0123456789abcdef' });

onBothBackends('several processes on one queue', (kind) => {
  let bench: QueueBench;
  let folder: string;
  let children: ChildProcess[];

  beforeAll(async () => {
    bench = await openBench(kind);
  });
  afterAll(() => bench?.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hiphop-queues-'));
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map(end));
    rmSync(folder, { recursive: true, force: true });
    await bench.clear();
  });

  async function start(...args: string[]): Promise<ChildProcess> {
    const child = fork(program, args, { env: { ...process.env, ...bench.environment } });
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

  const preview = () => bench.queues.counts('preview');

  test('what two processes enqueue at the same time is there once', async () => {
    const producers = await Promise.all([start('enqueue', '1500'), start('enqueue', '1500')]);
    const statuses = producers.map((child) => once(child, 'exit'));
    for (const child of producers) child.send('go');
    expect((await Promise.all(statuses)).map(([status]) => status)).toEqual([0, 0]);
    expect(await preview()).toMatchObject({ waiting: 1500, active: 0, delayed: 0 });
  });

  test('the jobs of a worker that is killed are taken up by another, and none is lost', async () => {
    const log = join(folder, 'log');
    writeFileSync(log, '');
    const notes = () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const [what, id, pid] = line.split(' ');
          return { what, id: Number(id), pid: Number(pid) };
        });
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    await bench.queues.enqueue('preview', ids.map(song));

    const victim = await start('work', log);
    // Some jobs are done, others under way.
    await eventually(() => notes().filter(({ what }) => what === 'start').length > 8, {
      what: 'a second round',
    });
    await end(victim);
    const before = notes();
    const finished = new Set(before.filter(({ what }) => what === 'end').map(({ id }) => id));
    const cut = before.filter(({ what, id }) => what === 'start' && !finished.has(id)).map(({ id }) => id);
    expect(cut.length).toBeGreaterThan(0);
    expect(finished.size).toBeGreaterThan(0);

    const heir = await start('work', log);
    await eventually(
      async () => {
        const { waiting, active, delayed } = await preview();
        return waiting + active + delayed === 0;
      },
      {
        what: 'the queue to be empty: locks last 10 s, stalled jobs are looked for every 5 s',
        timeoutMs: 40_000,
      },
    );
    const after = notes();
    const ended = after.filter(({ what }) => what === 'end').map(({ id }) => id);
    expect([...new Set(ended)].sort((a, b) => a - b)).toEqual(ids);
    const again = after.filter(({ what, pid }) => what === 'start' && pid === heir.pid).map(({ id }) => id);
    expect(again).toEqual(expect.arrayContaining(cut));
    expect((await preview()).failed).toBe(0);
    expect(await bench.database.prisma.failure.count()).toBe(0);
  });
});
