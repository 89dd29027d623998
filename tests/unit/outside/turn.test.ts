import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WaitError } from '../../../shared/errors.ts';
import { takeTurn } from '../../../shared/outside/turn.ts';
import { entryPoint } from '../../../shared/paths.ts';
import { createTestDatabase, query, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { holding } from '../../support/holding.ts';

type Process = Pick<Parameters<typeof takeTurn>[0], 'url'> & { pool: pg.Pool };

let server: TestDatabase;
/** As many processes would have: each its pool, and its own line. */
let processes: Process[];

beforeAll(async () => {
  server = await createTestDatabase();
  processes = [1, 2, 3].map((number) => {
    const pool = new pg.Pool({ connectionString: server.url, max: 4 });
    pool.on('error', () => {});
    return { pool, url: `${server.url}#${number}` };
  });
});
afterAll(async () => {
  await Promise.all(processes.map(({ pool }) => pool.end()));
  await server.drop();
});
afterEach(() => query(server.url, 'TRUNCATE outside_services'));

const ask = <T>(number: number, request: () => Promise<T>, service = 'spotify') =>
  takeTurn(processes[number % 3]!, service, request);
const inUse = () => processes.map(({ pool }) => pool.totalCount - pool.idleCount);

describe('requests in turn', () => {
  test('are made one at a time, whatever becomes of each', async () => {
    let inside = 0;
    let most = 0;
    let connections = 0;
    const all = await Promise.allSettled(
      Array.from({ length: 45 }, (_, number) =>
        ask(number, async () => {
          most = Math.max(most, ++inside);
          connections = Math.max(connections, ...inUse());
          await sleep(number % 4);
          inside--;
          if (number % 9 === 0) throw new Error(`number ${number} failed`);
          return number;
        }),
      ),
    );
    expect(most).toBe(1);
    // One of a process waits in the database, the others of it wait for that one.
    expect(connections).toBe(1);
    for (const [number, each] of all.entries()) {
      if (number % 9 === 0) expect(each).toMatchObject({ reason: { message: `number ${number} failed` } });
      else expect(each).toEqual({ status: 'fulfilled', value: number });
    }
    expect(inUse()).toEqual([0, 0, 0]);
  });

  test('of one process come in the order in which they were asked for', async () => {
    const order: number[] = [];
    await Promise.all(Array.from({ length: 9 }, (_, number) => ask(0, async () => order.push(number))));
    expect(order).toEqual([...Array(9).keys()]);
  });

  test('to another service do not wait', async () => {
    const { inside, hold, letGo } = holding();
    const held = ask(0, hold);
    await inside;
    expect(await ask(1, async () => 'in', 'deezer')).toBe('in');
    letGo();
    await held;
  });

  test('are not made by anybody while the service has asked to be left alone', async () => {
    const asked: number[] = [];
    let told = 0;
    const busy = ask(0, async () => {
      told = Date.now();
      throw new WaitError('leave me alone', 3_000);
    });
    await expect(busy).rejects.toThrow('leave me alone');
    const all = await Promise.allSettled(
      [0, 1, 2, 3].map((number) => ask(number, async () => asked.push(number))),
    );
    expect(asked).toEqual([]);
    for (const each of all) {
      const { reason } = each as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(WaitError);
      expect(reason.waitMs).toBeGreaterThan(0);
      expect(reason.waitMs).toBeLessThanOrEqual(3_050);
    }
    expect(await ask(0, async () => 'in', 'deezer')).toBe('in');
    // Whoever waits as long as he is told to is let in, and not before.
    const { reason } = all[0] as PromiseRejectedResult;
    await sleep(reason.waitMs);
    expect(await ask(1, async () => 'in')).toBe('in');
    expect(Date.now() - told).toBeGreaterThan(2_900);
  });

  test('wait for the longest of several pauses', async () => {
    const told = ask(0, async () => {
      // Who was about to be cut off has told of a longer one.
      await query(
        server.url,
        `INSERT INTO outside_services (name, paused_until) VALUES ('spotify', now() + interval '1 minute')`,
      );
      throw new WaitError('later', 1_000);
    });
    await expect(told).rejects.toMatchObject({ waitMs: 1_000 });
    const { rows } = await query(
      server.url,
      'SELECT extract(epoch FROM paused_until - now())::float8 AS left FROM outside_services',
    );
    expect(rows[0].left).toBeGreaterThan(58);
    await expect(ask(2, async () => 'in')).rejects.toThrow(/spotify has asked to be left alone/);
  });

  test('go on after a connection was lost in the middle of one', async () => {
    const lost = ask(0, async () => {
      const { rows } = await query(
        server.url,
        `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      expect(rows).toHaveLength(1);
      await sleep(50);
      return 'answered';
    });
    expect(await lost).toBe('answered');
    expect(await ask(1, async () => 'in')).toBe('in');
    expect(await ask(0, async () => 'in')).toBe('in');
    expect(inUse()).toEqual([0, 0, 0]);
  });
});

/** Takes turns and says when each began and ended; the last of them never ends where it is told so. */
const program = `
  const [turn, pg, url, times, hang] = process.argv.slice(1);
  const { takeTurn } = await import(turn);
  const pool = new (await import(pg)).default.Pool({ connectionString: url });
  const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n');
  for (let time = 0; time < Number(times); time++) {
    await takeTurn({ pool, url }, 'spotify', async () => {
      const from = Date.now();
      if (hang === 'hang') { say('inside'); await new Promise((resolve) => setTimeout(resolve, 1e6)); }
      await new Promise((resolve) => setTimeout(resolve, 10));
      say([from, Date.now()]);
    });
  }
  await pool.end();`;

describe('processes', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  function start(times: number, hang = ''): { child: ChildProcess; said: () => unknown[] } {
    const modules = [entryPoint('shared/outside/turn.ts'), import.meta.resolve('pg')];
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', program, ...modules, server.url, String(times), hang],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    children.push(child);
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
    });
    const said = () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    return { child, said };
  }

  test('take turns with each other', async () => {
    const all = [start(12), start(12)];
    await Promise.all(all.map(({ child }) => once(child, 'close')));
    const turns = all.flatMap(({ said }) => said() as [number, number][]).sort((a, b) => a[0] - b[0]);
    expect(turns).toHaveLength(24);
    for (const [index, [from]] of turns.entries()) {
      if (index > 0) expect(from).toBeGreaterThanOrEqual(turns[index - 1]![1]);
    }
  });

  test('that are killed free the turn', async () => {
    const { child, said } = start(1, 'hang');
    await eventually(() => said()[0] === 'inside', { what: 'the turn to be taken' });
    let entered = false;
    const waiting = ask(0, async () => {
      entered = true;
    });
    await sleep(200);
    expect(entered).toBe(false);
    child.kill('SIGKILL');
    await waiting;
    expect(entered).toBe(true);
  });
});
