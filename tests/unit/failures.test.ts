import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectDatabase, type Database } from '../../shared/database/index.ts';
import {
  jobOf,
  listFailures,
  type NewFailure,
  recordFailure,
  resolveFailures,
} from '../../shared/failures.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let server: TestDatabase;
let database: Database;
let trackIds: [number, number];
let crawlIds: [number, number];

beforeAll(async () => {
  server = await createTestDatabase();
  database = connectDatabase(server.url);
  const track = (sourceKey: string) =>
    database.prisma.track.create({
      data: { source: 'folder', sourceKey, title: sourceKey, location: `/${sourceKey}` },
    });
  trackIds = [(await track('a')).id, (await track('b')).id];
  const crawl = () => database.prisma.crawl.create({ data: { source: 'folder', query: {} } });
  crawlIds = [(await crawl()).id, (await crawl()).id];
});
afterAll(async () => {
  await database?.close();
  await server?.drop();
});
beforeEach(() => database.prisma.failure.deleteMany());

const record = (failure: Partial<NewFailure>) =>
  recordFailure(database.prisma, {
    ...{ stage: 'spectrogram', kind: 'permanent', reason: 'no audio', subject: 'a.wav', attempts: 1 },
    ...failure,
  });
const reasons = async (filter = {}) =>
  (await listFailures(database.prisma, filter, 50)).map(({ reason }) => reason);

test('the same thing failing again replaces its row; other things, stages and crawls keep theirs', async () => {
  await record({ trackId: trackIds[0], reason: 'first' });
  await record({ trackId: trackIds[1], reason: 'other track' });
  await record({ trackId: trackIds[0], stage: 'preview', reason: 'other stage' });
  await record({ trackId: trackIds[0], reason: 'again', subject: 'renamed.wav', crawlId: crawlIds[0] });
  expect(await reasons()).toEqual(['again', 'other stage', 'other track']);

  await record({ stage: 'ingest', subject: 'line 3', crawlId: crawlIds[0], reason: 'bad line' });
  await record({ stage: 'ingest', subject: 'line 3', crawlId: crawlIds[1], reason: 'bad line of another' });
  await record({ stage: 'ingest', subject: 'line 3', crawlId: crawlIds[1], reason: 'still bad' });
  expect(await reasons({ stage: 'ingest' })).toEqual(['still bad', 'bad line']);
});

test('what was settled stays on record when the same thing fails once more', async () => {
  await record({ trackId: trackIds[0], reason: 'first' });
  await resolveFailures(database.prisma, { trackId: trackIds[0] });
  await record({ trackId: trackIds[0], reason: 'second' });
  expect(await reasons({ state: 'resolved' })).toEqual(['first']);
  expect(await reasons({ state: 'open' })).toEqual(['second']);
});

test('resolving touches what is open or retried of that track alone', async () => {
  await record({ trackId: trackIds[0] });
  await record({ trackId: trackIds[0], stage: 'preview' });
  await record({ trackId: trackIds[1], reason: 'of the other' });
  await database.prisma.failure.updateMany({ where: { stage: 'preview' }, data: { state: 'retried' } });
  await resolveFailures(database.prisma, { trackId: trackIds[0] });
  expect(await reasons({ state: 'open' })).toEqual(['of the other']);
  expect(await reasons({ state: 'resolved' })).toHaveLength(2);
});

test('the list can be filtered by all at once, newest first, and limited', async () => {
  for (const reason of ['Disk full', 'disk FULL again', 'no audio']) {
    await record({ subject: reason, reason, crawlId: crawlIds[0] });
  }
  await record({ subject: 'x', reason: 'disk full', crawlId: crawlIds[1] });
  expect(await reasons({ reason: 'disk full', crawlId: crawlIds[0] })).toEqual([
    'disk FULL again',
    'Disk full',
  ]);
  for (const wildcard of ['%', '_', 'Disk\\']) expect(await reasons({ reason: wildcard })).toEqual([]);
  await record({ subject: 'y', reason: '100% of C:\\_x' });
  expect(await reasons({ reason: '0% OF c:\\_' })).toEqual(['100% of C:\\_x']);
  const [, second, ...others] = await listFailures(database.prisma, {}, 2);
  expect(second?.reason).toBe('disk full');
  expect(others).toEqual([]);
  expect(await reasons({ ids: [second!.id] })).toEqual(['disk full']);
});

test('a job is made again from what was recorded, and from nothing else', async () => {
  const payload = { kind: 'track' as const, id: trackIds[0], parametersHash: '0123456789abcdef' };
  await record({ trackId: trackIds[0], payload });
  await record({ stage: 'ingest', subject: 'line 3' });
  await record({ stage: 'mixing', subject: 'of a version that had other stages', payload });
  const jobs = (await listFailures(database.prisma, {}, 50)).map(jobOf);
  expect(jobs).toEqual([null, null, { stage: 'spectrogram', payload }]);
});
