/** Real answers held against the API's own document: over a database that a season of work has filled. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fill } from '../../bench/dashboard/fill.ts';
import { publicId } from '../../shared/identifiers.ts';
import { type Operation, operationsOf } from '../support/api-requests.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';

let bench: QueueBench;
let dashboard: TestDashboard;
let operations: Operation[];

beforeAll(async () => {
  bench = await openBench('postgresql');
  await fill(bench.database, {
    ...{ tracks: 600, runs: 3, models: 14, predictions: 40, days: 2, logLines: 300 },
    ...{ batches: 4, songsABatch: 10, auditEntries: 30, schedules: 2, nightsASchedule: 3 },
  });
  dashboard = await startTestDashboard(bench, { REQUESTS_PER_MINUTE: '100000' });
  operations = operationsOf((await dashboard.ask('GET', '/api/openapi.json')).json);
});
afterAll(async () => {
  await dashboard?.close();
  await bench?.close();
});

/** What stands in a path, of the filled database. */
const named: Record<string, string> = {
  ...{ crawl: 'crawl-2', track: 'track-52', model: 'model-1', run: 'run-1', dataSet: 'data-set-1' },
  ...{ batch: 'batch-2', song: 'song-11', schedule: 'nightly-1', night: 'night-1', failure: 'failure-1' },
};
/** What is asked for where a query is needed, or shows more. */
const queries: Record<string, string[]> = {
  '/models': ['', '?nullTests=true&sort=-top10', '?run=run-1&state=ready', '?sort=time&offset=3&limit=2'],
  '/models/compare': ['?models=model-1,model-3', '?models=model-1,model-2,model-13'],
  '/tracks': ['', '?sort=-popularity', '?search=title', '?popularityFrom=40&kept=false'],
  '/search': ['?q=title', '?q=7', '?q=demo', '?q=nightly', '?q=search-page-1'],
  '/history': ['', '?span=90d'],
  '/training-runs': ['', '?dataSet=data-set-1'],
  '/views': ['?page=/tracks'],
  '/schedules/firings': ['?cron=0+3+*+*+*&timezone=Europe/Berlin'],
};

/** Schema of the JSON that an operation answers with; undefined: it answers a file or nothing. */
function schemaOf({ operation }: Operation): object | undefined {
  return Object.entries(
    operation['responses'] as Record<string, { content?: Record<string, { schema?: object }> }>,
  )
    .filter(([status]) => status.startsWith('2'))
    .map(([, { content }]) => content?.['application/json']?.schema)[0];
}

describe('each GET route, to an operator', () => {
  test('answers what the document says, no more and no less', async () => {
    const wrong: string[] = [];
    const asked: string[] = [];
    for (const operation of operations) {
      const schema = schemaOf(operation);
      if (operation.method !== 'GET' || !schema) continue;
      const strict = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
      const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => named[name] ?? name);
      for (const query of queries[operation.path] ?? ['']) {
        const { status, json } = await dashboard.ask('GET', `${operation.base}${path}${query}`);
        asked.push(path);
        const read = status === 200 ? strict.safeParse(json) : null;
        if (read?.success) continue;
        wrong.push(
          `${path}${query}: ${status} ${read ? z.prettifyError(read.error!) : JSON.stringify(json)}`,
        );
      }
    }
    expect(wrong).toEqual([]);
    expect(new Set(asked).size).toBeGreaterThan(25);
  });

  test('is strict: a field that is not in the document is found', () => {
    const leaderboard = schemaOf(operations.find(({ path }) => path === '/models')!)!;
    const strict = z.fromJSONSchema(leaderboard as Parameters<typeof z.fromJSONSchema>[0]);
    const empty = {
      ...{ champion: null, hiddenNullTests: 0, total: 0, offset: 0, limit: 50, models: [] },
      choices: { names: [], backends: [] },
    };
    expect(strict.safeParse(empty).success).toBe(true);
    expect(strict.safeParse({ ...empty, more: 1 }).success).toBe(false);
    expect(strict.safeParse({ ...empty, total: 'none' }).success).toBe(false);
  });

  test('answers what there is not with a problem of the documented shape', async () => {
    const document = (await dashboard.ask('GET', '/api/openapi.json')).json;
    const problem = z.fromJSONSchema(document.components.schemas.Problem);
    let missing = 0;
    for (const { method, path, base } of operations) {
      if (method !== 'GET' || !path.includes('{')) continue;
      const nothing = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
        const known = named[name];
        return known ? known.replace(/\d+$/, '987654') : 'no-such-thing';
      });
      const { status, headers, json } = await dashboard.ask('GET', `${base}${nothing}`);
      expect([path, status]).toEqual([path, 404]);
      expect(headers['content-type']).toContain('application/problem+json');
      expect(problem.safeParse(json)).toMatchObject({ success: true });
      missing++;
    }
    expect(missing).toBeGreaterThan(10);
  });
});

describe('events', () => {
  test('are what the document says', async () => {
    const { operation } = operations.find(({ path }) => path === '/events')!;
    const { oneOf } = operation['responses']['200'].content['text/event-stream'].schema;
    const schemas = new Map<string, z.ZodType>(
      oneOf.map((one: { title: string; properties: { data: object } }) => [
        one.title,
        z.fromJSONSchema(one.properties.data as Parameters<typeof z.fromJSONSchema>[0]),
      ]),
    );
    const came = await firstEvents(`${dashboard.url}/api/events`, schemas.size);
    expect([...came.keys()].sort()).toEqual([...schemas.keys()].sort());
    for (const [name, data] of came) {
      const read = schemas.get(name)!.safeParse(data);
      expect([name, read.success ? '' : z.prettifyError(read.error)]).toEqual([name, '']);
    }
    expect(came.get('models')).toMatchObject({ training: [{ progress: { epoch: 7 } }, { state: 'queued' }] });
  });
});

/** The first event of each name, as many names as are waited for. */
async function firstEvents(url: string, names: number): Promise<Map<string, unknown>> {
  const stop = AbortSignal.timeout(20_000);
  const { body } = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: stop });
  const found = new Map<string, unknown>();
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body!) {
    text += decoder.decode(chunk, { stream: true });
    for (const [, name, data] of text.matchAll(/event:\s*(\w+)\n(?:.*\n)*?data:\s*(.*)\n\n/g))
      found.set(name!, JSON.parse(data!));
    if (found.size >= names) break;
  }
  return found;
}

describe('search', () => {
  const hits = async (q: string) =>
    (await dashboard.ask('GET', `/api/search?q=${encodeURIComponent(q)}`)).json.hits as {
      kind: string;
      id: string;
      href: string;
      title: string;
    }[];

  test.each([
    ['track-52', 'track', '/tracks/track-52'],
    ['model-1', 'model', '/models/model-1'],
    ['run-2', 'run', '/training-runs/run-2'],
    ['crawl-1', 'crawl', '/crawls/crawl-1'],
    ['batch-3', 'batch', '/songs/batch/batch-3'],
    ['song-11', 'song', '/songs/song-11'],
    ['data-set-1', 'data-set', '/data-sets/data-set-1'],
    ['night-2', 'night', '/schedules/nights/night-2'],
    ['preview-track-52-0123456789abcdef', 'track', '/tracks/track-52'],
    ['spectrogram-song-11-0123456789abcdef', 'song', '/songs/song-11'],
    ['score-batch-3', 'batch', '/songs/batch/batch-3'],
    ['score-explain-song-11', 'song', '/songs/song-11'],
    ['train-model-4', 'model', '/models/model-4'],
    ['search-page-1', 'crawl', '/crawls/crawl-1'],
    ['schedule-night-2', 'night', '/schedules/nights/night-2'],
  ])('by id: %s is a %s', async (q, kind, href) => {
    expect(await hits(q)).toMatchObject([{ kind, href }]);
  });

  test('a job is found while its queue has it, and what it is about beside it', async () => {
    await bench.queues.enqueue('train', [{ modelId: 1 }]);
    expect(await hits('train-model-1')).toMatchObject([
      { kind: 'job', href: `/queues/queue/${bench.queues.of('train').name}/train-model-1` },
      { kind: 'model', id: publicId('model', 1) },
    ]);
    await bench.queues.remove('train', { modelId: 1 });
    expect(await hits('train-model-1')).toMatchObject([{ kind: 'model' }]);
  });

  test('by name: words of a track in any order, parts of the other names', async () => {
    const { title, artists } = (await dashboard.ask('GET', '/api/tracks/track-52')).json;
    const [, first, second] = title.split(' ');
    const found = await hits(`${second} ${artists[0].slice(0, 12)} ${first}`);
    expect(found.map(({ id }) => id)).toContain('track-52');
    expect((await hits('demos of week 2')).map(({ kind }) => kind)).toEqual(['batch']);
    expect(new Set((await hits('nightly')).map(({ kind }) => kind))).toEqual(new Set(['schedule']));
    expect((await hits('crnn')).every(({ kind }) => kind === 'model')).toBe(true);
    expect(await hits('nothing has this name')).toEqual([]);
  });
});
