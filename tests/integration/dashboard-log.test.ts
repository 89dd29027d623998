/** The log of all processes: its order, its search, its download, and what it does not tell. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { logText } from '../../dashboard/api/history/log.ts';
import { logLines } from '../../shared/metrics/log-lines.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';

let bench: QueueBench;
let dashboard: TestDashboard;

beforeAll(async () => {
  bench = await openBench('postgresql');
  dashboard = await startTestDashboard(bench);
});
afterAll(async () => {
  await dashboard?.close();
  await bench?.close();
});

test('the log is searched on the server, by words, level and stage, and downloaded', async () => {
  const at = Date.now();
  const take = (level: number, msg: string, more: object = {}) =>
    logLines.take(
      `${JSON.stringify({ level, time: at, pid: 1, hostname: 'h', name: 'worker', msg, ...more })}\n`,
    );
  take(30, 'fetched the preview of a song', { stage: 'preview', job: 'preview-track-1-x' });
  take(50, 'the spectrogram could not be stored', { stage: 'spectrogram', err: { message: 'disk full' } });
  take(20, 'too detailed to be kept');
  await logLines.flush(bench.database.pool, 'worker');
  const messages = async (query: string) =>
    (await dashboard.ask('GET', `/api/logs?${query}`)).json.items.map(
      ({ message }: { message: string }) => message,
    );
  expect(await messages('text=spectro+stored')).toEqual(['the spectrogram could not be stored']);
  expect(await messages('level=error')).toEqual(['the spectrogram could not be stored']);
  expect(await messages('job=preview-track-1-x')).toEqual(['fetched the preview of a song']);
  expect(await messages('text=detailed')).toEqual([]);
  const download = await dashboard.ask('GET', '/api/logs.txt?process=worker');
  expect(download.headers['content-disposition']).toContain('attachment');
  expect(download.text.split('\n').filter(Boolean)).toHaveLength(2);
  expect(download.text).toContain('ERROR');
});

/** Lines of two processes, of which the second writes last what came first. */
async function interleaved(count: number) {
  const { pool } = bench.database;
  await pool.query('DELETE FROM log_lines');
  for (const [process, offset] of [
    ['worker', 0],
    ['dashboard', -500],
  ] as const) {
    await pool.query(
      `INSERT INTO log_lines (at, level, host, pid, process, message)
       SELECT timestamptz '2026-01-02T03:04:05Z' + (n * 1000 + $3) * interval '1 ms', 30, 'h', 1, $1, $1 || ' ' || n
       FROM generate_series(1, $2) n`,
      [process, count / 2, offset],
    );
  }
}

test('lines lie by their time, whoever wrote them when, and pages neither lose nor repeat any', async () => {
  await interleaved(30);
  const pages: { message: string; at: string }[][] = [];
  for (let before: string | null = ''; before !== null; ) {
    const { json } = await dashboard.ask('GET', `/api/logs?limit=7${before && `&before=${before}`}`);
    pages.push(json.items);
    before = json.next;
  }
  const lines = pages.flat();
  const expected = Array.from({ length: 15 }, (_, n) => [`worker ${15 - n}`, `dashboard ${15 - n}`]).flat();
  expect(lines.map(({ message }) => message)).toEqual(expected);
  expect(pages.map((page) => page.length)).toEqual([7, 7, 7, 7, 2]);
  for (const before of ['17', 'x-1', '1-2-3']) {
    expect((await dashboard.ask('GET', `/api/logs?before=${before}`)).status).toBe(400);
  }
});

test('a download comes in parts, oldest first, and is the newest where there are too many', async () => {
  await interleaved(2_600);
  const { text, headers } = await dashboard.ask('GET', '/api/logs.txt');
  expect(headers['transfer-encoding']).toBe('chunked');
  const lines = text.split('\n').filter(Boolean);
  expect(lines).toHaveLength(2_600);
  expect([...lines].sort()).toEqual(lines);
  const parts: string[] = [];
  for await (const part of await logText(bench.database.pool, { process: 'worker' }, 1_100)) parts.push(part);
  expect(parts.map((part) => part.split('\n').length - 1)).toEqual([1_000, 100]);
  expect(parts[0]).toMatch(/^\S+ INFO {2}h\/1 worker: worker 201\n/);
  expect(parts.at(-1)).toMatch(/worker: worker 1300\n$/);
});

test('stacks name files, not the folders that they lie in', async () => {
  await bench.database.pool.query('DELETE FROM log_lines');
  const stack = 'Error: x\n    at f (file:///srv/hiphop/dist/a.js:1:2)\n    at /srv/hiphop/dist/b.js:3:4';
  logLines.take(
    `${JSON.stringify({ level: 50, time: 1, msg: 'open /srv/hiphop/data/x.bin', err: { stack, cause: [stack] } })}\n`,
  );
  await logLines.flush(bench.database.pool, 'worker');
  const { text, json } = await dashboard.ask('GET', '/api/logs');
  expect(text).not.toContain('/srv');
  expect(json.items[0]).toMatchObject({
    message: 'open …/x.bin',
    fields: { err: { stack: 'Error: x\n    at f (…/a.js:1:2)\n    at …/b.js:3:4' } },
  });
});
