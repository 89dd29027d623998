import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { started } from '../../producers/child.ts';
import { Workforce } from '../../producers/workforce.ts';
import { CancelledError, UserError } from '../../shared/errors.ts';
import { entryPoint } from '../../shared/paths.ts';
import { expectNoProcesses, killProcessesOf, processesOf, startHiphop } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { openBench, type QueueBench, silent } from '../support/queue-backends.ts';

let bench: QueueBench;
beforeAll(async () => {
  bench = await openBench('postgresql');
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => bench.close());

function workforce(signal = new AbortController().signal): Workforce {
  return new Workforce(bench.database.prisma, bench.config, silent, signal);
}

test('Ctrl-C while a worker is starting is an interruption, and nothing is left running', async () => {
  const interrupted = new AbortController();
  const force = workforce(interrupted.signal);
  const starting = force.start(['preview']);
  interrupted.abort();
  await expect(starting).rejects.toThrow(CancelledError);
  await force.close();
  expect(await force.missing(['preview'])).toEqual(['preview']);
});

test('a worker that cannot start is told of, by what ended it', async () => {
  vi.stubEnv('AUDIO_SECONDS', 'many');
  const force = workforce();
  const starting = force.start(['preview']);
  await expect(starting).rejects.toThrow(UserError);
  await expect(starting).rejects.toThrow('the worker for preview ended at once (2)');
  await force.close();
});

test('a child that says nothing in time is ended, so that it does not come up beside another', async () => {
  const idle = ['--eval', 'setInterval(() => {}, 1_000)'];
  const child = spawn(process.execPath, idle, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const starting = started(child, 'the child', new AbortController().signal, 200);
  await expect(starting).rejects.toThrow(new UserError('the child did not start within 0.2 s'));
  expect(await ended).toEqual([null, 'SIGTERM']);
});

test.each(['SIGTERM', 'disconnect'] as const)(
  'a worker that is told to leave by %s while it is starting leaves in order',
  async (how) => {
    const { pool, prisma } = bench.database;
    // It takes jobs already, and has yet to write itself down.
    const gate = await pool.connect();
    await gate.query('BEGIN; LOCK TABLE worker_processes IN EXCLUSIVE MODE');
    const child = fork(entryPoint('workers/main.ts'), ['--only', 'preview'], {
      env: { ...process.env, ...bench.environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const ended = once(child, 'exit');
    try {
      await eventually(
        async () => {
          const { rowCount } = await pool.query(
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
             AND query LIKE 'INSERT INTO %worker_processes%'`,
          );
          return rowCount! > 0;
        },
        { what: 'the worker to be about to write itself down' },
      );
      if (how === 'disconnect') child.disconnect();
      else child.kill(how);
      await sleep(500);
      expect([child.exitCode, child.signalCode]).toEqual([null, null]);
      await gate.query('ROLLBACK');
      expect(await ended).toEqual([0, null]);
      const row = await prisma.workerProcess.findFirstOrThrow({ where: { pid: child.pid! } });
      expect(row.stoppedAt).not.toBeNull();
    } finally {
      child.kill('SIGKILL');
      gate.release(true);
    }
  },
);

test('a service that is interrupted before it serves has not failed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-interrupted-'));
  const running = startHiphop(['dashboard', '--port', '0'], { ...bench.environment, DATA_DIR: folder });
  try {
    await eventually(() => processesOf(folder).some(({ command }) => command.includes('dashboard/main')), {
      what: 'the server to be started',
      everyMs: 20,
    });
    running.interrupt();
    expect(await running.finished).toMatchObject({ status: 0, signal: null });
    // It may have come up just before.
    expect(running.stderr()).toMatch(/^(the pages are at \S+\n)?$/);
    await expectNoProcesses(folder);
  } finally {
    killProcessesOf(folder);
    rmSync(folder, { recursive: true, force: true });
  }
});
