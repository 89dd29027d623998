/** What the queues' board tells, and to whom. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addAccount, type Role } from '../../producers/accounts.ts';
import { openQueueBackend } from '../../shared/queues/backend.ts';
import { type SignedIn, signIn, testPassword } from '../support/browser-session.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { eventually } from '../support/eventually.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';

let bench: QueueBench;
let dashboard: TestDashboard;
const people = {} as Record<Role, SignedIn>;

beforeAll(async () => {
  bench = await openBench('postgresql');
  for (const role of ['operator', 'viewer'] as const) {
    await addAccount(bench.database.prisma, { name: role, role, password: testPassword(role) });
  }
  dashboard = await startTestDashboard(bench);
  for (const role of ['operator', 'viewer'] as const) people[role] = await signIn(dashboard, role);
});
afterAll(async () => {
  await dashboard?.close();
  await bench?.close();
});

test('the board tells a viewer of a failed job without a stack, and nobody where the program lies', async () => {
  const lies = '/srv/hiphop/releases/dist/workers';
  const queue = bench.queues.of('preview');
  const data = { kind: 'track', id: 7, note: `${lies}/x.js`, token: 'abcdef', long: 'x'.repeat(1_000) };
  const job = await queue.add('preview', data, { jobId: 'broken', attempts: 1 });
  const error = new Error(`ENOENT: no such file, open '${lies}/secret.mp3'\n  in decoder`);
  error.stack = `Error: boom\n    at run (file://${lies}/preview.js:12:3)\n    at ${lies}/run-job.js:3:1`;
  const backend = await openQueueBackend(bench.config, bench.database.url);
  const worker = backend.worker('preview', () => Promise.reject(error), {});
  await eventually(async () => (await queue.getJob('broken'))?.isFailed(), { what: 'the job to fail' });
  await worker.close();
  await backend.close();
  await job.updateProgress({ at: `${lies}/progress.js` });
  const addresses = [
    '/queues/api/queues?activeQueue=preview&status=failed&page=1&jobsPerPage=10',
    '/queues/api/queues/preview/broken',
    '/queues/api/queues/preview/broken/logs',
    '/queues/api/queues/preview/broken/flow',
  ];
  for (const address of addresses) {
    for (const who of ['viewer', 'operator'] as const) {
      const { text } = await people[who].ask('GET', address);
      expect([address, who, text.includes('/srv/hiphop')]).toEqual([address, who, false]);
      if (who === 'viewer') expect(text).not.toMatch(/preview\.js:12|in decoder/);
      expect(text).not.toContain('abcdef');
      expect(text).not.toContain('x'.repeat(300));
    }
  }
  const of = async (who: Role) => {
    const { json } = await people[who].ask('GET', addresses[0]!);
    return json.queues.find(({ name }: { name: string }) => name === 'preview').jobs[0];
  };
  const [seen, known] = [await of('viewer'), await of('operator')];
  expect(seen).toMatchObject({ isFailed: true, stacktrace: [], data: { id: 7, token: '(redacted)' } });
  expect(seen.failedReason).toContain('ENOENT');
  expect(seen.externalUrl.href).toBe('/tracks/track-7');
  expect(known.stacktrace.join()).toContain('…/preview.js:12:3');
});

test('the board says that a stage is paused', async () => {
  const paused = async () => {
    const { json } = await people.viewer.ask('GET', '/queues/api/queues');
    const states: { name: string; isPaused: boolean }[] = json.queues;
    return states.filter(({ isPaused }) => isPaused).map(({ name }) => name);
  };
  expect(await paused()).toEqual([]);
  expect((await people.operator.ask('POST', '/api/queues/embedding/pause')).status).toBe(200);
  expect(await paused()).toEqual(['embedding']);
  expect((await people.operator.ask('POST', '/api/queues/embedding/resume')).status).toBe(200);
  expect(await paused()).toEqual([]);
});
