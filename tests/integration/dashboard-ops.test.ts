/** What operators do to many things at once. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { crawlCounts } from '../../dashboard/api/pipeline/crawl-counts.ts';
import { Pipeline } from '../../dashboard/api/pipeline/snapshot.ts';
import { readPauses } from '../../dashboard/api/pipeline/stages.ts';
import { addAccount, type Role } from '../../producers/accounts.ts';
import { retryFailures } from '../../producers/failures.ts';
import { currentParameters } from '../../producers/parameters.ts';
import { sweepCrawl } from '../../producers/sweep.ts';
import { causeOf } from '../../shared/failure-causes.ts';
import { recordFailure } from '../../shared/failures.ts';
import { type SignedIn, signIn, testPassword } from '../support/browser-session.ts';
import { CrawlBench } from '../support/crawl.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { eventually } from '../support/eventually.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let crawls: CrawlBench;
let dashboard: TestDashboard;
const people = {} as Record<Role, SignedIn>;

beforeAll(async () => {
  crawls = await CrawlBench.open('postgresql');
  for (const role of ['operator', 'viewer'] as const) {
    await addAccount(crawls.prisma, { name: role, role, password: testPassword(role) });
  }
  dashboard = await startTestDashboard(crawls.bench, { REQUESTS_PER_MINUTE: '100000' });
  for (const role of ['operator', 'viewer'] as const) people[role] = await signIn(dashboard, role);
});
beforeEach(() => crawls.simulate({ tracks: 1 }));
afterEach(() => crawls.clear());
afterAll(async () => {
  await dashboard?.close();
  await crawls?.close();
});

const queues = () => crawls.bench.queues;
const sql = (text: string, values: unknown[] = []) => crawls.bench.database.pool.query(text, values);

/** A crawl of so many tracks in a state. Returns the crawl's id and its tracks' ids. */
async function crawlOf(tracks: number, state: 'queued' | 'failed') {
  const { id } = await crawls.prisma.crawl.create({
    data: { source: 'spotify', query: {}, queryKey: 'q', runningKey: 'q' },
  });
  const { rows } = await sql(
    `WITH made AS (INSERT INTO tracks (source, source_key, title, state, updated_at)
       SELECT 'spotify', 'key-' || n, 'track ' || n, $2::"TrackState", now() FROM generate_series(1, $1) n
       RETURNING id)
     INSERT INTO crawl_tracks (crawl_id, track_id) SELECT $3, id FROM made RETURNING track_id AS id`,
    [tracks, state, id],
  );
  return { id, trackIds: rows.map((row) => row.id as number) };
}

const parameters = () => currentParameters(crawls.session);

/** An open failure of each track, as previews that are gone leave it. */
async function failAll(crawlId: number, trackIds: number[], reasons: (n: number) => string) {
  const parametersHash = await parameters();
  await crawls.prisma.failure.createMany({
    data: trackIds.map((id, n) => ({
      ...{ stage: 'preview', kind: 'permanent' as const, subject: `track ${n}`, crawlId, trackId: id },
      ...{ reason: reasons(n), cause: causeOf(reasons(n)), payload: { kind: 'track', id, parametersHash } },
    })),
  });
}

describe('failures are retried', () => {
  test('in chunks, each once, and only those that were counted', async () => {
    const { id, trackIds } = await crawlOf(1_200, 'failed');
    await failAll(id, trackIds, () => 'the preview is gone');
    // A second one of the same track: it is retried with the track, and counted.
    await crawls.prisma.failure.create({
      data: {
        ...{ stage: 'embedding', kind: 'permanent', subject: 'twice', crawlId: id, trackId: trackIds[0]! },
        ...{
          reason: 'gone',
          cause: 'gone',
          payload: { kind: 'track', id: trackIds[0]!, parametersHash: 'x' },
        },
      },
    });
    const read = vi.spyOn(crawls.prisma.failure, 'findMany');
    const answer = await people.operator.ask('POST', '/api/failures/retry', { body: { expected: 1_201 } });
    expect(answer).toMatchObject({ status: 202, json: { retried: 1_201, left: [], leftTotal: 0 } });
    expect(Math.max(...read.mock.calls.map(([asked]) => asked?.take ?? Number.POSITIVE_INFINITY))).toBe(500);
    read.mockRestore();
    expect(await crawls.prisma.failure.count({ where: { state: 'retried' } })).toBe(1_201);
    const { lookup, preview } = await queues().allCounts();
    expect(lookup.waiting + preview.waiting).toBe(1_200);
  });

  test('and what becomes of them meanwhile is not overwritten', async () => {
    const { id, trackIds } = await crawlOf(3, 'failed');
    await failAll(id, trackIds, () => 'the preview is gone');
    const [first, second, third] = await crawls.prisma.failure.findMany({ orderBy: { id: 'asc' } });
    const real = crawls.prisma.failure.findMany.bind(crawls.prisma.failure);
    // Between being read and being put back, one is resolved and one is deleted with its row.
    const read = vi.spyOn(crawls.prisma.failure, 'findMany').mockImplementationOnce((async (asked: never) => {
      const rows = await real(asked);
      await crawls.prisma.failure.update({ where: { id: first!.id }, data: { state: 'resolved' } });
      await crawls.prisma.failure.delete({ where: { id: second!.id } });
      return rows;
    }) as never);
    expect(await retryFailures(crawls.session, {})).toMatchObject({ retried: 1, left: [] });
    read.mockRestore();
    expect(await crawls.prisma.failure.findMany({ orderBy: { id: 'asc' } })).toMatchObject([
      { id: first!.id, state: 'resolved' },
      { id: third!.id, state: 'retried' },
    ]);
  });

  test('and are open again where their jobs could not be enqueued', async () => {
    const { id, trackIds } = await crawlOf(2, 'failed');
    await failAll(id, trackIds, () => 'the preview is gone');
    const session = crawls.session;
    const enqueue = vi
      .spyOn(session.queues, 'enqueueNext')
      .mockRejectedValueOnce(new Error('the queue is away'));
    await expect(retryFailures(session, {})).rejects.toThrow('the queue is away');
    enqueue.mockRestore();
    expect(await crawls.prisma.failure.count({ where: { state: 'open' } })).toBe(2);
    expect(await retryFailures(session, {})).toMatchObject({ retried: 2 });
  });

  test('while what has no job to repeat is left with the reason, the others go on', async () => {
    const { id } = await crawlOf(1, 'failed');
    for (const stage of ['ingest', 'search']) {
      await recordFailure(crawls.prisma, {
        ...{ stage, kind: 'permanent', subject: stage, reason: 'bad', attempts: 1, crawlId: id },
        ...(stage === 'search' ? { payload: { pageId: 999_999 } } : {}),
      });
    }
    expect(await retryFailures(crawls.session, {})).toMatchObject({
      ...{ retried: 0, leftTotal: 2 },
      left: [
        { subject: 'ingest', why: 'correct the manifest and ingest it again' },
        { subject: 'search', why: 'its crawl is gone' },
      ],
    });
    expect(await crawls.prisma.failure.count({ where: { state: 'open' } })).toBe(2);
  });
});

test('all failures of a crawl are counted, not those of its most frequent causes alone', async () => {
  const { id, trackIds } = await crawlOf(60, 'failed');
  const words = (n: number) => String.fromCharCode(97 + Math.floor(n / 26), 97 + (n % 26));
  await failAll(id, trackIds, (n) => `cause ${words(n)}`);
  const { json } = await people.viewer.ask('GET', `/api/crawls/crawl-${id}`);
  expect(json.failed).toBe(60);
  expect(json.failures.length).toBeLessThan(60);
  const { json: pipeline } = await people.viewer.ask('GET', '/api/pipeline');
  expect(pipeline.problems.map(({ text }: { text: string }) => text).join()).toContain(
    `60 failures of crawl-${id}, of 60 tracks`,
  );
});

const waitsForLock = async () => {
  const { rowCount } = await sql(
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE 'UPDATE%crawls%'`,
  );
  return rowCount! >= 1;
};

describe('a large crawl', () => {
  const enqueue = async (trackIds: number[], parametersHash: string) => {
    const payloads = trackIds.map((id) => ({ kind: 'track' as const, id, parametersHash }));
    await queues().enqueue('preview', payloads);
  };

  test('is cancelled at once; its jobs go behind that, and another crawl keeps its own', async () => {
    const { id, trackIds } = await crawlOf(1_500, 'queued');
    const other = await crawls.prisma.crawl.create({ data: { source: 'spotify', query: {} } });
    const shared = trackIds.slice(0, 50);
    await sql('INSERT INTO crawl_tracks (crawl_id, track_id) SELECT $1, unnest($2::int[])', [
      other.id,
      shared,
    ]);
    await enqueue(trackIds, await parameters());
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const removeAll = queues().removeAll.bind(queues());
    const remove = vi.spyOn(queues(), 'removeAll').mockImplementation(async (name, payloads) => {
      await gate;
      await removeAll(name, payloads);
    });
    const { status, json } = await people.operator.ask('POST', `/api/crawls/crawl-${id}/cancel`);
    expect(status).toBe(200);
    expect(json.said).toContain('1450 tracks were taken out of the queues');
    expect((await queues().counts('preview')).waiting).toBe(1_500);
    letGo();
    const listed = () => crawls.prisma.track.count({ where: { state: 'listed' } });
    await eventually(async () => (await listed()) === 1_450, {
      ...{ what: 'the tracks to be left', timeoutMs: 40_000 },
    });
    remove.mockRestore();
    expect((await queues().counts('preview')).waiting).toBe(shared.length);
    expect(await crawls.prisma.track.count({ where: { state: 'queued' } })).toBe(shared.length);
  });

  test('that is gone on with keeps what was not swept', async () => {
    const { id, trackIds } = await crawlOf(500, 'queued');
    await enqueue(trackIds, await parameters());
    await crawls.prisma.crawl.update({ where: { id }, data: { state: 'cancelled' } });
    const removeAll = queues().removeAll.bind(queues());
    let resumed: Promise<unknown> | null = null;
    const remove = vi.spyOn(queues(), 'removeAll').mockImplementation(async (name, payloads) => {
      if (name === 'preview' && !resumed) {
        resumed = crawls.prisma.crawl.update({ where: { id }, data: { state: 'running' } }).then(() => 1);
        await eventually(waitsForLock, { what: 'the resume to wait for this chunk', everyMs: 10 });
      }
      await removeAll(name, payloads);
    });
    await sweepCrawl(crawls.session, id);
    await resumed;
    remove.mockRestore();
    expect((await queues().counts('preview')).waiting).toBe(300);
    expect((await crawls.prisma.crawl.findUniqueOrThrow({ where: { id } })).state).toBe('running');
  });
});

test('all that runs of a kind is cancelled, so much as was counted; viewers may not', async () => {
  for (let n = 0; n < 3; n++) await crawls.prisma.crawl.create({ data: { source: 'spotify', query: {} } });
  const { json: running } = await people.viewer.ask('GET', '/api/running');
  expect(running).toMatchObject({ total: 3, counts: { crawl: 3, training: 0, batch: 0, night: 0 } });
  const post = (who: Role, body: object) => people[who].ask('POST', '/api/running/cancel', { body });
  expect((await post('viewer', { kind: 'crawl', expected: 3 })).status).toBe(403);
  expect((await post('operator', { kind: 'crawl', expected: 2 })).status).toBe(409);
  expect((await post('operator', { kind: 'training', expected: 0 })).json).toEqual({
    cancelled: [],
    said: [],
  });
  expect(await crawls.prisma.crawl.count({ where: { state: 'running' } })).toBe(3);
  const { status, json } = await post('operator', { expected: 3 });
  expect(status).toBe(200);
  expect(json.cancelled).toHaveLength(3);
  expect(await crawls.prisma.crawl.count({ where: { state: 'cancelled' } })).toBe(3);
  const entry = await eventually(
    () => crawls.prisma.auditEntry.findFirst({ where: { action: 'POST /running/cancel', status: 200 } }),
    { what: 'the entry of the audit' },
  );
  expect(entry).toMatchObject({ who: 'operator' });
});

test('what cannot be cancelled holds up none of the others', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    const { id } = await crawls.prisma.crawl.create({ data: { source: 'spotify', query: {} } });
    ids.push(`crawl-${id}`);
  }
  // Deleted after it was counted.
  const find = vi.spyOn(crawls.prisma.crawl, 'findUnique').mockResolvedValueOnce(null);
  const { status, json } = await people.operator.ask('POST', '/api/running/cancel', {
    body: { kind: 'crawl', expected: 3 },
  });
  find.mockRestore();
  expect(status).toBe(200);
  expect(json.cancelled).toHaveLength(2);
  const [gone] = ids.filter((id) => !json.cancelled.includes(id));
  expect(json.said).toHaveLength(3);
  expect(json.said).toContain(`${gone} could not be cancelled: there is no ${gone}`);
  expect(await crawls.prisma.crawl.count({ where: { state: 'cancelled' } })).toBe(2);
});

test('crawls that are over are counted once, until they are gone on with', async () => {
  const { database } = crawls.bench;
  const [over, running] = [
    await crawlOf(3, 'queued'),
    await crawls.prisma.crawl.create({ data: { source: 'spotify', query: {} } }),
  ];
  const end = (hoursAgo: number) =>
    crawls.prisma.crawl.update({
      where: { id: over.id },
      data: { state: 'done', finishedAt: new Date(Date.now() - hoursAgo * 3_600_000) },
    });
  const counted = async (row: Awaited<ReturnType<typeof end>>) => {
    const query = vi.spyOn(database.pool, 'query');
    const counts = await crawlCounts(database, [running, row]);
    const asked = (query.mock.calls as unknown as [string, [number[]]][])
      .filter(([text]) => text.includes('search_pages'))
      .map(([, [ids]]) => ids);
    query.mockRestore();
    return { tracks: [running, row].map(({ id }) => counts.get(id)?.tracks), asked: asked.flat() };
  };
  const ended = await end(2);
  expect(await counted(ended)).toEqual({ tracks: [0, 3], asked: [running.id, over.id] });
  expect(await counted(ended)).toEqual({ tracks: [0, 3], asked: [running.id] });
  await sql('DELETE FROM crawl_tracks WHERE track_id = $1', [over.trackIds[0]]);
  expect(await counted(await end(1))).toEqual({ tracks: [0, 2], asked: [running.id, over.id] });
  // What was at work when it ended may bring some more.
  const just = await end(0);
  for (let n = 0; n < 2; n++) expect((await counted(just)).asked).toEqual([running.id, over.id]);
});

test('a snapshot is as old as its oldest part, and says so when nothing moves', async () => {
  const ten = 10_000;
  const began = ten * Math.ceil(Date.now() / ten);
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: began + 9_700 });
  try {
    const pipeline = new Pipeline(crawls.session);
    const asOf = async () => Date.parse((await pipeline.snapshot()).asOf);
    expect(await asOf()).toBe(began);
    // The snapshot is made anew, of parts that were read before.
    vi.advanceTimersByTime(600);
    expect(await asOf()).toBe(began);
    vi.advanceTimersByTime(ten);
    expect(await asOf()).toBe(began + 2 * ten);
  } finally {
    vi.useRealTimers();
  }
});

test('who paused a schedule is told, on the pages or by a command', async () => {
  const { prisma } = crawls;
  const schedule = { cron: '0 3 * * *', timezone: 'UTC', steps: ['freeze'], options: {} };
  await prisma.schedule.create({ data: { ...schedule, name: 'nightly', paused: true } });
  const entry = { target: 'nightly', status: 200 };
  const pauses = () => readPauses(prisma, []);
  await prisma.auditEntry.create({
    data: { ...entry, who: 'ops', action: 'POST /schedules/{schedule}/pause' },
  });
  expect(await pauses()).toMatchObject([{ what: 'schedule nightly', by: 'ops' }]);
  for (const verb of ['resume', 'pause']) {
    await prisma.auditEntry.create({ data: { ...entry, who: 'command line', action: `schedule ${verb}` } });
  }
  expect(await pauses()).toMatchObject([{ what: 'schedule nightly', by: 'command line' }]);
  await prisma.schedule.deleteMany();
});
