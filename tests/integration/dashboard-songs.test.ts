import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addAccount, removeAccount } from '../../producers/accounts.ts';
import { type SignedIn, signIn, testPassword } from '../support/browser-session.ts';
import { clip } from '../support/catalogue.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { eventually } from '../support/eventually.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';
import { givenModel, givenSong, judged } from '../support/songs.ts';

/** Bytes that no content type is told by. */
const noise = (length: number, seed: string): Buffer => {
  const block = createHash('sha512').update(seed).digest();
  return Buffer.concat(Array.from({ length: Math.ceil(length / 64) }, () => block)).subarray(0, length);
};

describe('songs that are uploaded', () => {
  let bench: QueueBench;
  let dashboard: TestDashboard;
  let ann: SignedIn;

  beforeAll(async () => {
    bench = await openBench('postgresql');
    const { prisma } = bench.database;
    for (const [name, role] of [['op', 'operator'] as const, ['ann', 'artist'] as const]) {
      await addAccount(prisma, { name, role, password: testPassword(name) });
    }
    await givenModel(prisma, { champion: true });
    dashboard = await startTestDashboard(bench, {
      ...{ UPLOAD_MAX_MEGABYTES: '1', UPLOAD_MAX_FILES: '3', UPLOAD_ACCOUNT_MEGABYTES: '2' },
      ...{ REQUESTS_PER_MINUTE: '100000', AUDIO_SECONDS: '3' },
    });
    ann = await signIn(dashboard, 'ann');
  });
  beforeEach(async () => {
    const { prisma } = bench.database;
    await prisma.scoreBatch.deleteMany();
    await prisma.upload.deleteMany();
    await bench.clear();
  });
  afterAll(async () => {
    await dashboard?.close();
    await bench?.close();
  });

  const begin = async (who: SignedIn = ann): Promise<string> =>
    (await who.ask('POST', '/api/batches', { body: {} })).json.id;
  const upload = (
    batch: string,
    bytes: Buffer,
    { who = ann, key, name = 'a song.wav' }: { who?: SignedIn; key?: string; name?: string } = {},
  ) =>
    who.ask('POST', `/api/batches/${batch}/songs?file=${encodeURIComponent(name)}`, {
      raw: bytes,
      headers: {
        'Content-Type': 'application/octet-stream',
        ...(key === undefined ? {} : { 'Idempotency-Key': key }),
      },
    });
  const kept = async () => {
    const { prisma } = bench.database;
    const [songs, uploads, spectrograms] = await Promise.all([
      prisma.song.count(),
      prisma.upload.count(),
      prisma.spectrogram.count({ where: { dataSetTracks: { none: {} } } }),
    ]);
    return { songs, uploads, spectrograms };
  };
  const leftOnDisk = () => {
    const folder = join(dashboard.dataDir, 'uploads');
    return existsSync(folder) ? readdirSync(folder) : [];
  };

  test('one file is one song, however often and how soon it is sent again', async () => {
    const batch = await begin();
    const bytes = clip('bass', 1);
    const sent = await Promise.all([1, 2, 3].map(() => upload(batch, bytes, { key: 'the-first' })));
    const again = await upload(batch, bytes, { key: 'the-first' });
    expect([...sent, again].map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set([...sent, again].map(({ json }) => json.song)).size).toBe(1);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(await kept()).toMatchObject({ songs: 1, uploads: 1 });
    expect((await bench.queues.counts('preview')).waiting).toBe(1);
    // Other bytes under a key that is taken leave nothing behind; another key is another song.
    expect((await upload(batch, clip('bass', 2), { key: 'the-first' })).json.song).toBe(again.json.song);
    expect((await upload(batch, bytes, { key: 'the-second' })).json.song).not.toBe(again.json.song);
    expect(await kept()).toMatchObject({ songs: 2, uploads: 1 });
    // The first answer and its job were lost with the server: the same key starts it all the same.
    await bench.clear();
    await upload(batch, bytes, { key: 'the-first' });
    expect((await bench.queues.counts('preview')).waiting).toBe(1);
    expect((await upload(batch, bytes, { key: 'ü' })).status).toBe(400);
    // A file that is no music is one failed song, too.
    const lie = Buffer.from(`<html>${'x'.repeat(3_000)}</html>`);
    const refused = await Promise.all([1, 2].map(() => upload(batch, lie, { key: 'a-lie' })));
    expect(new Set(refused.map(({ json }) => json.song)).size).toBe(1);
    expect(leftOnDisk()).toEqual([]);
  });

  test('a file over the limit is refused as a problem, read no further, and leaves nothing', async () => {
    const batch = await begin();
    const whole = await upload(batch, noise(1_000_001, 'too much'));
    expect(whole.status).toBe(413);
    expect(whole.json).toMatchObject({ title: 'Too large', detail: expect.stringContaining('1 MB') });
    // Announced and never sent: answered at once.
    const announced = await begun(batch, { 'Content-Length': '900000000' }).answer;
    expect(announced).toBe(413);
    // Without a length, and without an end.
    const endless = begun(batch, { 'Transfer-Encoding': 'chunked' });
    const pouring = setInterval(() => endless.write(noise(100_000, 'more')), 5);
    expect(await endless.answer).toBe(413);
    await endless.cut;
    clearInterval(pouring);
    expect(await kept()).toMatchObject({ songs: 0, uploads: 0 });
    await eventually(() => leftOnDisk().length === 0, { what: 'the folder to be empty' });
  });

  test('an upload that breaks off leaves nothing', async () => {
    const batch = await begin();
    const broken = begun(batch, { 'Content-Length': '500000' });
    broken.write(noise(200_000, 'half'));
    await eventually(() => leftOnDisk().length === 1, { what: 'the upload to be under way' });
    broken.end();
    await eventually(() => leftOnDisk().length === 0, { what: 'the folder to be empty' });
    expect(await kept()).toMatchObject({ songs: 0, uploads: 0 });
    expect((await ann.ask('GET', `/api/batches/${batch}`)).json.state).toBe('empty');
  });

  test('of a batch and of an account there is only so much, however many come at once', async () => {
    const batch = await begin();
    const sent = await Promise.all(
      Array.from({ length: 6 }, (_, index) => upload(batch, noise(10_000, `song ${index}`))),
    );
    expect(sent.map(({ status }) => status).sort()).toEqual([201, 201, 201, 422, 422, 422]);
    expect(await kept()).toMatchObject({ songs: 3, uploads: 3 });
    const more = await Promise.all(
      [1, 2, 3].map(async (index) => upload(await begin(), noise(900_000, `large ${index}`))),
    );
    expect(more.map(({ status }) => status).sort()).toEqual([201, 201, 422]);
    const full = await upload(await begin(), noise(900_000, 'one more'));
    expect(full.json).toMatchObject({ status: 422, detail: expect.stringContaining('2 MB in all') });
    expect(await kept()).toMatchObject({ songs: 5, uploads: 5 });
    // The same audio again takes no room, and another account has its own.
    const op = await signIn(dashboard, 'op');
    expect((await upload(await begin(op), noise(900_000, 'one more'), { who: op })).status).toBe(201);
    expect((await ann.ask('DELETE', `/api/batches/${batch}`)).status).toBe(200);
    expect((await upload(await begin(), noise(10_000, 'small'))).status).toBe(201);
  });

  test('what is deleted is gone with its bytes, but for what somebody else has too', async () => {
    const { prisma } = bench.database;
    const [batch, other] = [await begin(), await begin()];
    const own = (await upload(batch, clip('bass', 3))).json.song as string;
    const second = (await upload(batch, clip('bass', 4))).json.song as string;
    const shared = (await upload(other, clip('bass', 4))).json.song as string;
    for (const song of [own, second, shared]) await judged(prisma, Number(song.slice(5)));
    expect(await kept()).toEqual({ songs: 3, uploads: 2, spectrograms: 2 });
    await ann.ask('DELETE', `/api/songs/${own}`);
    expect(await kept()).toEqual({ songs: 2, uploads: 1, spectrograms: 1 });
    await ann.ask('DELETE', `/api/batches/${batch}`);
    expect(await kept()).toEqual({ songs: 1, uploads: 1, spectrograms: 1 });
    expect((await ann.ask('GET', `/api/songs/${shared}/spectrogram.png`)).status).toBe(200);
    await ann.ask('DELETE', `/api/batches/${other}`);
    expect(await kept()).toEqual({ songs: 0, uploads: 0, spectrograms: 0 });
  });

  test('an account that is removed leaves no audio behind, and keeps all of it when it may not go', async () => {
    const { prisma } = bench.database;
    await addAccount(prisma, { name: 'bea', role: 'artist', password: testPassword('bea') });
    const [bea, op] = [await signIn(dashboard, 'bea'), await signIn(dashboard, 'op')];
    const [hers, his] = [await begin(bea), await begin(op)];
    for (const seed of [5, 6]) {
      const { song } = (await upload(hers, clip('bass', seed), { who: bea })).json;
      await judged(prisma, Number(song.slice(5)));
    }
    await upload(his, clip('bass', 6), { who: op });
    await expect(removeAccount(prisma, 'op')).rejects.toThrow('last operator');
    expect(await kept()).toEqual({ songs: 3, uploads: 2, spectrograms: 2 });
    expect((await op.ask('DELETE', '/api/accounts/bea')).status).toBe(204);
    expect(await kept()).toEqual({ songs: 1, uploads: 1, spectrograms: 1 });
    expect(await prisma.scoreBatch.count()).toBe(1);
  });

  test('pictures and excerpts are kept by a browser only as long as it may see them', async () => {
    const batch = await begin();
    const { song } = (await upload(batch, clip('bass', 7))).json;
    await judged(bench.database.prisma, Number(song.slice(5)));
    for (const file of ['spectrogram.png', 'excerpt.wav']) {
      const first = await ann.ask('GET', `/api/songs/${song}/${file}`);
      expect(first.status, file).toBe(200);
      expect(first.headers['cache-control']).toBe('private, no-cache');
      const headers = { 'If-None-Match': first.headers.etag! };
      const again = await ann.ask('GET', `/api/songs/${song}/${file}`, { headers });
      expect([again.status, again.text]).toEqual([304, '']);
      expect((await dashboard.ask('GET', `/api/songs/${song}/${file}`, { headers })).status).toBe(401);
    }
    const { etag } = (await ann.ask('GET', `/api/songs/${song}/excerpt.wav`)).headers;
    await ann.ask('DELETE', `/api/songs/${song}`);
    const headers = { 'If-None-Match': etag! };
    expect((await ann.ask('GET', `/api/songs/${song}/excerpt.wav`, { headers })).status).toBe(404);
  });

  test('an explanation that failed is told on the song, until it is asked for again', async () => {
    const { prisma } = bench.database;
    const batch = await begin();
    const id = await givenSong(prisma, Number(batch.slice(6)), { file: 'x', state: 'scored' });
    const failure = { stage: 'score', kind: 'permanent', subject: 'x', songId: id, cause: 'x' } as const;
    await prisma.failure.create({
      data: { ...failure, reason: 'the song could not be explained: no memory' },
    });
    const view = async () => (await ann.ask('GET', `/api/songs/song-${id}`)).json;
    expect((await view()).unexplained).toContain('no memory');
    expect((await ann.ask('POST', `/api/songs/song-${id}/explain`)).status).toBe(202);
    expect((await view()).unexplained).toBeNull();
  });

  test('what was under way when its batch was cancelled is not judged, and is told so', async () => {
    const { prisma } = bench.database;
    const batch = await begin();
    const id = Number(batch.slice(6));
    for (const [file, state] of [
      ['judged', 'scored'],
      ['waits', 'queued'],
      ['broken', 'failed'],
    ] as const) {
      await givenSong(prisma, id, { file, state });
    }
    await prisma.scoreBatch.update({ where: { id }, data: { state: 'cancelled' } });
    const view = (await ann.ask('GET', `/api/batches/${batch}`)).json;
    const told = view.songs.map(({ file, step, reason }: Record<string, string>) => [file, step, reason]);
    expect(told).toEqual([
      ['judged', 'scored', null],
      ['waits', 'cancelled', 'its batch is cancelled: resume it to go on'],
      ['broken', 'failed', 'it failed'],
    ]);
    const one = (await ann.ask('GET', `/api/songs/${view.songs[1].id}`)).json;
    expect([one.step, one.versions[0].step]).toEqual(['cancelled', 'cancelled']);
    // One that is empty takes no song either.
    await prisma.song.deleteMany({ where: { batchId: id } });
    expect((await ann.ask('GET', `/api/batches/${batch}`)).json.state).toBe('cancelled');
  });

  test('a batch that another model judged than the champion is judged again, its owner stays', async () => {
    const { prisma } = bench.database;
    const batch = await begin();
    const id = Number(batch.slice(6));
    await givenSong(prisma, id, { file: 'Night Bus v1.wav', state: 'scored' });
    expect((await ann.ask('GET', `/api/batches/${batch}`)).json.judgeAgain).toBeNull();
    const champion = await givenModel(prisma, { champion: true });
    expect((await ann.ask('GET', `/api/batches/${batch}`)).json.judgeAgain).toBe(`model-${champion.id}`);
    const op = await signIn(dashboard, 'op');
    const headers = { 'Idempotency-Key': 'again' };
    const [first, second] = [
      await op.ask('POST', `/api/batches/${batch}/judge-again`, { headers }),
      await op.ask('POST', `/api/batches/${batch}/judge-again`, { headers }),
    ];
    expect([first.status, second.json.id]).toEqual([201, first.json.id]);
    const again = (await ann.ask('GET', `/api/batches/${first.json.id}`)).json;
    expect(again).toMatchObject({ owner: 'ann', state: 'running', counts: { total: 1, judging: 1 } });
    // Versions are told apart by nothing but marks and case, in the order in which their audio came.
    const later = await givenSong(prisma, id, { file: 'later', state: 'scored' });
    await prisma.song.update({ where: { id: later }, data: { title: 'NIGHT BUS V1.WAV' } });
    const { versions } = (await ann.ask('GET', `/api/songs/song-${later}`)).json;
    expect(versions.map(({ batch: of }: { batch: string }) => of)).toEqual([batch, first.json.id, batch]);
    expect(versions.at(-1).move.words).toContain('same score');
  });

  test('a batch that was cancelled takes nothing in and tries nothing again, until it is resumed', async () => {
    const batch = await begin();
    const { song } = (await upload(batch, clip('bass', 3))).json;
    const ask = (path: string) => ann.ask('POST', `/api${path}`, { headers: { 'Idempotency-Key': path } });
    await ask(`/batches/${batch}/cancel`);
    expect((await bench.queues.counts('preview')).waiting).toBe(0);
    expect((await upload(batch, clip('bass', 4))).json.detail).toContain('resume it');
    const id = Number(song.slice(5));
    await bench.database.prisma.song.update({ where: { id }, data: { state: 'failed' } });
    const refused = await ask(`/songs/${song}/retry`);
    expect([refused.status, refused.json.detail]).toEqual([422, `${batch} is cancelled: resume it first`]);
    const resumed = await ask(`/batches/${batch}/resume`);
    expect([resumed.status, resumed.json.said]).toEqual([202, `${batch} goes on`]);
    expect((await ann.ask('POST', `/api/songs/${song}/retry`)).status).toBe(202);
    expect((await bench.queues.counts('preview')).waiting).toBe(1);
  });

  /** An upload in the hands of the test. */
  function begun(batch: string, headers: Record<string, string>) {
    const url = `${dashboard.url}/api/batches/${batch}/songs?file=x.wav`;
    const own = {
      ...{ Cookie: ann.cookie, 'X-CSRF-Token': ann.csrf, 'Sec-Fetch-Site': 'same-origin' },
      ...{ 'Content-Type': 'application/octet-stream', ...headers },
    };
    const request = httpRequest(url, { method: 'POST', headers: own });
    request.on('error', () => {}); // cut off: that is what is looked for
    request.flushHeaders();
    const answer = new Promise<number>((resolve) => {
      request.once('response', (response) => {
        response.resume().on('error', () => {});
        resolve(response.statusCode!);
      });
    });
    const cut = new Promise<void>((resolve) => request.once('close', () => resolve()));
    const write = (bytes: Buffer) => void (request.destroyed || request.write(bytes));
    return { answer, cut, write, end: () => request.destroy() };
  }
});

test('what a server that died has left of uploads is removed when the next one starts', async () => {
  const bench = await openBench('postgresql');
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-uploads-'));
  const uploads = join(folder, 'uploads');
  mkdirSync(uploads);
  for (const name of ['old', 'new']) writeFileSync(join(uploads, name), name);
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  utimesSync(join(uploads, 'old'), longAgo, longAgo);
  const dashboard = await startTestDashboard(bench, { DATA_DIR: folder });
  await eventually(() => !readdirSync(uploads).includes('old'), { what: 'the old file to be removed' });
  expect(readdirSync(uploads)).toEqual(['new']);
  await dashboard.close();
  await bench.close();
  rmSync(folder, { recursive: true });
});
