import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addAccount } from '../../producers/accounts.ts';
import { type Operation, operationsOf, requestOf } from '../support/api-requests.ts';
import { type SignedIn, signIn, testPassword } from '../support/browser-session.ts';
import { clip } from '../support/catalogue.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';
import { givenModel, givenSong, judged } from '../support/songs.ts';

const secret = 'unreleased masterpiece';

describe("an artist's songs", () => {
  let bench: QueueBench;
  let dashboard: TestDashboard;
  let ann: SignedIn;
  let eve: SignedIn;
  let batch: string;
  let song: string;

  beforeAll(async () => {
    bench = await openBench('postgresql');
    const { prisma } = bench.database;
    for (const name of ['op', 'ann', 'eve']) {
      const role = name === 'op' ? 'operator' : 'artist';
      await addAccount(prisma, { name, role, password: testPassword(name) });
    }
    await givenModel(prisma, { champion: true });
    dashboard = await startTestDashboard(bench, { REQUESTS_PER_MINUTE: '100000', AUDIO_SECONDS: '3' });
    [ann, eve] = [await signIn(dashboard, 'ann'), await signIn(dashboard, 'eve')];
    batch = (await ann.ask('POST', '/api/batches', { body: { name: secret } })).json.id;
    const answer = await ann.ask('POST', `/api/batches/${batch}/songs?file=${secret}.wav`, {
      raw: clip('bass', 11),
      headers: { 'Content-Type': 'application/octet-stream' },
    });
    song = answer.json.song;
    await judged(prisma, Number(song.slice(5)));
    const data = { songId: Number(song.slice(5)), content: {}, picture: new Uint8Array([1, 2, 3]) };
    await prisma.explanation.create({ data });
    await prisma.scoreBatch.updateMany({ data: { state: 'done' } });
    // Another model is champion since: judging again is possible.
    await givenModel(prisma, { champion: true });
  });
  afterAll(async () => {
    await dashboard?.close();
    await bench?.close();
  });

  const requestFor = (operation: Operation) => {
    const { url, asked } = requestOf(operation);
    return { url: url.replace(/batch-\d+/, batch).replace(/song-\d+/, song), asked };
  };
  const all = async (): Promise<Operation[]> => {
    const operations = operationsOf((await dashboard.ask('GET', '/api/openapi.json')).json);
    return operations.filter(({ path }) => /\{(batch|song)\}/.test(path));
  };
  /** All that there is of the songs. */
  const everything = async () => {
    const { prisma } = bench.database;
    return JSON.stringify([
      await prisma.scoreBatch.findMany({ orderBy: { id: 'asc' } }),
      await prisma.song.findMany({ orderBy: { id: 'asc' }, include: { score: true, failures: true } }),
      await prisma.upload.findMany({ select: { contentHash: true, size: true } }),
      await bench.queues.allCounts(),
    ]);
  };

  test('cannot be reached by another artist, by any route and any method, though they are there', async () => {
    const operations = await all();
    expect(operations.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining([
        ...['GET /batches/{batch}', 'DELETE /batches/{batch}', 'POST /batches/{batch}/songs'],
        ...['GET /batches/{batch}/ranking.csv', 'POST /batches/{batch}/judge-again'],
        ...[
          'GET /songs/{song}',
          'PATCH /songs/{song}',
          'DELETE /songs/{song}',
          'GET /songs/{song}/excerpt.wav',
        ],
        ...['GET /songs/{song}/spectrogram.png', 'GET /songs/{song}/explanation.png'],
      ]),
    );
    const before = await everything();
    const wrong: string[] = [];
    for (const operation of operations) {
      const { url, asked } = requestFor(operation);
      const own = await eve.ask(operation.method, url, asked);
      if (own.status !== 404) wrong.push(`${operation.method} ${url}: ${own.status}`);
      if (own.text.includes(secret)) wrong.push(`${url} tells of it`);
      const signedOut = await dashboard.ask(operation.method, url, asked);
      if (signedOut.status !== 401)
        wrong.push(`${operation.method} ${url} without a name: ${signedOut.status}`);
    }
    expect(wrong).toEqual([]);
    expect(await everything()).toBe(before);
    // A song of one's own in another's batch, and a batch of one's own, lead nowhere else.
    const list = await eve.ask('GET', '/api/batches');
    expect(list.json).toMatchObject({ total: 0, items: [] });
    const own = (await eve.ask('POST', '/api/batches', { body: {} })).json.id as string;
    await givenSong(bench.database.prisma, Number(own.slice(6)), { file: `${secret}.wav`, state: 'scored' });
    const { versions } = (await eve.ask('GET', `/api/songs/song-${Number(song.slice(5)) + 1}`)).json;
    expect(versions.map((version: { batch: string }) => version.batch)).toEqual([own]);
  });

  test('are not in what is pushed to another artist, and are in what is pushed to their own', async () => {
    const told = async (who: SignedIn) => JSON.parse(await firstEvent(who, 'songs'));
    const [hers, others] = [await told(ann), await told(eve)];
    expect(hers.batches.map(({ id }: { id: string }) => id)).toContain(batch);
    expect(hers.explained).toBe(1);
    expect(JSON.stringify(others)).not.toContain(secret);
    expect(others.explained).toBe(0);
  });

  test('can be reached by their artist and by operators, by the same requests', async () => {
    const op = await signIn(dashboard, 'op');
    const operations = await all();
    const reads = operations.filter(({ method }) => method === 'GET');
    // What changes most comes last.
    const changes = operations.filter(({ method }) => method !== 'GET' && method !== 'DELETE');
    const deletes = operations.filter(({ method }) => method === 'DELETE').reverse();
    const refused: string[] = [];
    for (const [who, some] of [
      [op, reads],
      [ann, [...reads, ...changes, ...deletes]],
    ] as const) {
      for (const operation of some) {
        const { url, asked } = requestFor(operation);
        const { status } = await who.ask(operation.method, url, asked);
        if ([401, 403, 404].includes(status)) refused.push(`${operation.method} ${url}: ${status}`);
      }
    }
    expect(refused).toEqual([]);
  });

  /** The data of the first event of a name in somebody's stream. */
  function firstEvent(who: SignedIn, name: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(`${dashboard.url}/api/events`, { headers: { Cookie: who.cookie } });
      let text = '';
      request.on('response', (response) =>
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          const event = text.split('\n\n').find((one) => new RegExp(`^event: ?${name}$`, 'm').test(one));
          const data = event && /^data: ?(.*)$/m.exec(event)?.[1];
          if (!data || !text.includes(`${data}\n`)) return;
          request.destroy();
          resolve(data);
        }),
      );
      request.on('error', reject);
      request.end();
    });
  }
});
