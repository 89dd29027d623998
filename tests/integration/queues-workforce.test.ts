import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Workforce } from '../../producers/workforce.ts';
import { CancelledError, UserError } from '../../shared/errors.ts';
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
    expect(running.stderr()).toBe('');
    await expectNoProcesses(folder);
  } finally {
    killProcessesOf(folder);
    rmSync(folder, { recursive: true, force: true });
  }
});
