/** What is done from a command line is in the audit, also what failed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { hiphop } from '../support/cli.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';

// Several commands, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 120_000 });

let bench: QueueBench;
const dataDir = mkdtempSync(join(tmpdir(), 'hiphop-audit-'));

beforeAll(async () => {
  bench = await openBench('postgresql');
});
afterAll(async () => {
  await bench?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

test.each([
  [['cancel', 'crawl-1'], 0, { action: 'cancel', target: 'crawl-1', status: 200 }],
  [
    ['cancel', 'crawl-999'],
    2,
    { action: 'cancel', target: 'crawl-999', status: 422, reason: 'there is no crawl-999' },
  ],
  [['retry', '--stage', 'search'], 0, { action: 'retry', details: { stage: 'search' }, status: 200 }],
  [
    ['schedule', 'add', 'nightly', '--cron', '0 3 * * *', '--steps', 'freeze'],
    0,
    { action: 'schedule add', target: 'nightly', details: { cron: '0 3 * * *' }, status: 200 },
  ],
  [
    ['crawl', '--limit', '5', '--years', '2020-2021'],
    2,
    { action: 'crawl', details: { limit: 5 }, status: 422 },
  ],
])('hiphop %j', async (args, status, entry) => {
  const { prisma } = bench.database;
  await prisma.crawl.upsert({ where: { id: 1 }, update: {}, create: { source: 'spotify', query: {} } });
  const settings = { DATA_DIR: dataDir, SPOTIFY_CLIENT_ID: '', SPOTIFY_CLIENT_SECRET: '', SIMULATOR_URL: '' };
  const ended = await hiphop(args, { ...bench.environment, ...settings });
  expect([ended.status, ended.stderr]).toEqual([status, expect.anything()]);
  const entries = await prisma.auditEntry.findMany();
  expect(entries).toHaveLength(1);
  expect(entries[0]).toMatchObject({ who: 'command line', ...entry });
  await prisma.auditEntry.deleteMany();
});
