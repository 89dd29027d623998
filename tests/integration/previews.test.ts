import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { settleCrawls } from '../../shared/crawls/lifecycle.ts';
import { CancelledError, PermanentError } from '../../shared/errors.ts';
import { Locks } from '../../shared/outside/locks.ts';
import { buildPreview } from '../../workers/preview.ts';
import { buildSpectrogram } from '../../workers/spectrogram.ts';
import { noise, wav } from '../support/audio.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { holding } from '../support/holding.ts';
import { onBothBackends } from '../support/queue-backends.ts';
import { context, PreviewBench, soundOf } from './previews-support.ts';

onBothBackends('previews from the network', (kind) => {
  let bench: PreviewBench;

  beforeAll(async () => {
    bench = await PreviewBench.open(kind);
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  const asked = () => Object.fromEntries(bench.world.asked);
  const states = async (ids: number[]) => (await bench.tracks(ids)).map((track) => track.state);
  const failures = () => bench.prisma.failure.findMany({ orderBy: { id: 'asc' } });
  const counts = async () => ({
    spectrograms: await bench.prisma.spectrogram.count(),
    previews: await bench.prisma.preview.count(),
  });

  test('each address is fetched once, whatever number of tracks share it and of workers take them', async () => {
    const crawl = await bench.crawl();
    bench.world.answers.set('/shared', async (response) => {
      await sleep(300); // so that all are under way before the first has it
      response.end(soundOf('/shared'));
    });
    const shared: number[] = [];
    for (let number = 0; number < 7; number++)
      shared.push(await bench.track([crawl], { path: '/shared?cid=1' }));
    const alone = [await bench.track([crawl], { path: '/1' }), await bench.track([crawl], { path: '/2' })];
    // The same audio at another address is fetched, and not decoded again.
    bench.world.answers.set('/copy', (response) => response.end(soundOf('/1')));
    const copy = await bench.track([crawl], { path: '/copy' });
    await bench.work();
    await bench.work();
    await bench.enqueue([...shared, ...alone, copy].reverse());
    await bench.drained();
    expect(asked()).toEqual({ '/shared?cid=1': 1, '/1': 1, '/2': 1, '/copy': 1 });
    const tracks = await bench.tracks([...shared, ...alone, copy]);
    expect(new Set(tracks.map((track) => track.state))).toEqual(new Set(['ready']));
    expect(new Set(tracks.slice(0, 7).map((track) => track.contentHash)).size).toBe(1);
    expect(tracks[7]!.contentHash).toBe(tracks[9]!.contentHash);
    // What was looked at is a part of the recording: how long that is stays unknown.
    expect(tracks[0]!.durationMs).toBeNull();
    expect(await counts()).toEqual({ spectrograms: 3, previews: 0 });
    expect(await failures()).toEqual([]);

    // A recrawl finds another release of a recording, and asks for those that are there once more.
    const late = await bench.track([crawl], { path: '/shared?cid=1' });
    await bench.enqueue([late, ...shared, copy]);
    await bench.drained();
    expect(asked()).toMatchObject({ '/shared?cid=1': 1, '/copy': 1 });
    expect(await states([late])).toEqual(['ready']);
  });

  test('what was stored when its worker died is not fetched again', async () => {
    const crawl = await bench.crawl();
    const [first, second] = [
      await bench.track([crawl], { path: '/1' }),
      await bench.track([crawl], { path: '/1' }),
    ];
    const spectrogram = (id: number) => ({ stage: 'spectrogram', payload: bench.payload(id) });
    // Died before what follows was enqueued: the job is run again.
    expect(await bench.runPreview(first)).toEqual({ outcome: 'done', next: [spectrogram(first)] });
    expect(await states([first, second])).toEqual(['fetched', 'fetched']);
    expect(await bench.runPreview(first)).toMatchObject({ outcome: 'skipped', next: [spectrogram(first)] });
    expect(await bench.runPreview(second)).toMatchObject({ outcome: 'skipped', next: [spectrogram(second)] });
    // Begun anew from its row, as after a lost queue.
    await bench.prisma.track.updateMany({ data: { state: 'queued' } });
    await bench.enqueue([first, second]);
    await bench.work();
    await bench.drained();
    expect(asked()).toEqual({ '/1': 1 });
    expect(await states([first, second])).toEqual(['ready', 'ready']);
    expect(await counts()).toEqual({ spectrograms: 1, previews: 0 });
    expect(await bench.runPreview(first)).toMatchObject({ outcome: 'skipped', next: [] });
  });

  test('bytes and state are stored together or not at all', async () => {
    const track = await bench.track([await bench.crawl()], { path: '/1' });
    const name = `refuse_${kind}`;
    await bench.prisma.$executeRawUnsafe(
      `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''the disk is full''; END'`,
    );
    await bench.prisma.$executeRawUnsafe(
      `CREATE TRIGGER ${name} BEFORE UPDATE ON tracks FOR EACH ROW EXECUTE FUNCTION ${name}()`,
    );
    await expect(bench.runPreview(track)).rejects.toThrow('the disk is full');
    await bench.prisma.$executeRawUnsafe(`DROP TRIGGER ${name} ON tracks`);
    await bench.prisma.$executeRawUnsafe(`DROP FUNCTION ${name}`);
    expect(await counts()).toEqual({ spectrograms: 0, previews: 0 });
    expect(await states([track])).toEqual(['queued']);
  });

  test('a failure moves all that wait for the address, and a retry mends them all', async () => {
    const [crawl, other] = [await bench.crawl(), await bench.crawl()];
    const gone = '/gone?cid=secret';
    bench.world.answers.set('/gone', (response) => response.writeHead(404).end());
    const ids = [
      await bench.track([crawl], { path: gone }),
      await bench.track([crawl, other], { path: gone }),
      await bench.track([other], { path: gone, state: 'listed' }),
      await bench.track([crawl], { path: '/fine' }),
    ];
    await bench.work();
    await bench.enqueue([ids[1]!, ids[0]!, ids[3]!]);
    await bench.drained();
    expect(asked()).toEqual({ [gone]: 1, '/fine': 1 });
    expect(await states(ids)).toEqual(['failed', 'failed', 'listed', 'ready']);
    const rows = await failures();
    expect(rows.map(({ trackId }) => trackId).sort()).toEqual(ids.slice(0, 2));
    for (const row of rows) {
      expect(row).toMatchObject({ stage: 'preview', kind: 'permanent', attempts: 1, state: 'open' });
      expect(row.payload).toEqual(bench.payload(row.trackId!));
    }
    const { reason } = rows[0]!;
    expect(reason).toMatch(/not there any more: http:.*\/gone answers with status 404/);
    expect(JSON.stringify(rows)).not.toContain('secret');
    expect((await bench.tracks(ids)).slice(0, 2).map((track) => track.failureReason)).toEqual([
      reason,
      reason,
    ]);

    // One of them is retried, whichever: it brings the others along, but not who has not been asked for.
    bench.world.answers.delete('/gone');
    const retried = rows[0]!.trackId!;
    await bench.prisma.track.update({
      where: { id: retried },
      data: { state: 'queued', failureReason: null },
    });
    await bench.prisma.failure.updateMany({ data: { state: 'retried' } });
    await bench.enqueue([retried]);
    await bench.drained();
    expect(asked()).toMatchObject({ [gone]: 2 });
    expect(await states(ids)).toEqual(['ready', 'ready', 'listed', 'ready']);
    expect((await failures()).map((failure) => failure.state)).toEqual(['resolved', 'resolved']);
    // Whoever asks for that one later finds it.
    await bench.prisma.track.update({ where: { id: ids[2]! }, data: { state: 'queued' } });
    await bench.enqueue([ids[2]!]);
    await bench.drained();
    expect(await states(ids)).toEqual(['ready', 'ready', 'ready', 'ready']);
    expect(asked()).toMatchObject({ [gone]: 2 });
  });

  test('a crawl is not closed before each of its failures is recorded, whatever others have in the queue', async () => {
    const [crawl, other] = [await bench.crawl(), await bench.crawl()];
    await bench.prisma.crawl.updateMany({ data: { searchedAt: new Date(Date.now() - 60_000) } });
    const path = '/gone';
    bench.world.answers.set(path, (response) => response.writeHead(404).end());
    const [first, second] = [await bench.track([crawl], { path }), await bench.track([crawl], { path })];
    await bench.track([other], { path: '/fine', state: 'ready' });
    await bench.enqueue([second]);
    // Both fail with the first one's fetch; the second one's job has yet to tell of it.
    await expect(bench.runPreview(first)).rejects.toThrow(/not there any more/);
    expect(await states([first, second])).toEqual(['failed', 'failed']);
    const settled = async () => {
      await settleCrawls(bench.queue.database.pool, bench.queue.queues);
      const rows = await bench.prisma.crawl.findMany({ orderBy: { id: 'asc' } });
      return rows.map(({ state }) => state);
    };
    expect(await settled()).toEqual(['running', 'done']);
    await bench.work(['preview']);
    await bench.drained();
    expect((await failures()).map(({ trackId }) => trackId)).toEqual([second]);
    expect(await settled()).toEqual(['done', 'done']);
  });

  test('who waits for an address that turns out to be no good does not ask for it again', async () => {
    const crawl = await bench.crawl();
    bench.world.answers.set('/gone', async (response) => {
      await sleep(200);
      response.writeHead(404).end();
    });
    const ids = [
      await bench.track([crawl], { path: '/gone' }),
      await bench.track([crawl], { path: '/gone' }),
    ];
    // By hand: nobody marks them failed but the handler itself, and it before the next one looks.
    const handler = buildPreview(bench.services());
    const runs = await Promise.allSettled(ids.map((id) => bench.runPreview(id, handler)));
    const [first, second] = runs.map((run) => (run as PromiseRejectedResult).reason as Error);
    expect(first).toBeInstanceOf(PermanentError);
    expect(second).toBeInstanceOf(PermanentError);
    expect(second!.message).toBe(first!.message);
    expect(asked()).toEqual({ '/gone': 1 });
  });

  test('audio that cannot be decoded fails for all tracks of its address, and a retry fetches it anew', async () => {
    const crawl = await bench.crawl();
    bench.world.answers.set('/short', (response) => response.end(wav([noise(300, 0.5)]))); // 14 ms
    const ids = [
      await bench.track([crawl], { path: '/short' }),
      await bench.track([crawl], { path: '/short' }),
    ];
    await bench.work();
    await bench.enqueue(ids);
    await bench.drained();
    expect(asked()).toEqual({ '/short': 1 });
    expect(await states(ids)).toEqual(['failed', 'failed']);
    expect((await bench.tracks(ids)).map((track) => track.contentHash)).toEqual([null, null]);
    expect(await counts()).toEqual({ spectrograms: 0, previews: 0 });
    expect((await failures()).map(({ trackId, kind }) => [trackId, kind]).sort()).toEqual(
      ids.map((id) => [id, 'permanent']),
    );

    bench.world.answers.delete('/short');
    await bench.prisma.track.updateMany({ data: { state: 'queued' } });
    await bench.enqueue(ids);
    await bench.drained();
    expect(asked()).toEqual({ '/short': 2 });
    expect(await states(ids)).toEqual(['ready', 'ready']);
  });

  test('what may pass is tried again, what asks for patience is waited for, without an attempt', async () => {
    const crawl = await bench.crawl();
    const { answers } = bench.world;
    answers.set('/busy', (response, _request, time) =>
      time === 1 ? response.writeHead(503).end() : response.end(soundOf('/busy')),
    );
    answers.set('/cut', (response, _request, time) => {
      if (time > 1) return response.end(soundOf('/cut'));
      response.writeHead(200, { 'content-length': 50_000 });
      return response.write('RIFF', () => response.destroy());
    });
    const ids = [await bench.track([crawl], { path: '/busy' }), await bench.track([crawl], { path: '/cut' })];
    await bench.work();
    await bench.enqueue(ids);
    await bench.drained();
    expect(await states(ids)).toEqual(['ready', 'ready']);
    expect(asked()).toEqual({ '/busy': 2, '/cut': 2 });

    const began: number[] = [];
    answers.set('/later', (response, _request, time) => {
      began.push(Date.now());
      // More often than a job has attempts.
      if (time <= 6) response.writeHead(429, { 'retry-after': '1' }).end();
      else response.end(soundOf('/later'));
    });
    const later = await bench.track([crawl], { path: '/later' });
    await bench.enqueue([later]);
    await bench.drained();
    expect(await states([later])).toEqual(['ready']);
    expect(began).toHaveLength(7);
    for (const [index, at] of began.entries())
      if (index > 0) expect(at - began[index - 1]!).toBeGreaterThanOrEqual(990);
    expect(await failures()).toEqual([]);
  });

  test('what only cancelled crawls asked for is left alone, and stays where it can be asked for', async () => {
    const [cancelled, running] = [await bench.crawl('cancelled'), await bench.crawl()];
    const ids = [
      await bench.track([cancelled], { path: '/shared' }),
      await bench.track([cancelled, running], { path: '/both' }),
      await bench.track([], { path: '/nobody' }),
      await bench.track([await bench.crawl('done')], { path: '/done' }),
      await bench.track([cancelled], { path: '/there', state: 'ready', contentHash: 'a'.repeat(64) }),
    ];
    // It waits for the same address as one that nobody wants any more.
    const wanted = await bench.track([running], { path: '/shared' });
    await bench.work();
    await bench.enqueue(ids);
    await bench.drained();
    expect(asked()).toEqual({ '/both': 1, '/nobody': 1, '/done': 1 });
    expect(await states(ids)).toEqual(['listed', 'ready', 'ready', 'ready', 'ready']);
    await bench.enqueue([wanted]);
    await bench.drained();
    expect(await states([...ids, wanted])).toEqual(['listed', 'ready', 'ready', 'ready', 'ready', 'ready']);
    expect(asked()).toMatchObject({ '/shared': 1 });

    // Cancelled between its preview and its spectrogram, then asked for by another crawl.
    const track = await bench.track([running], { path: '/late' });
    await bench.runPreview(track);
    await bench.prisma.crawl.update({ where: { id: running }, data: { state: 'cancelled' } });
    const spectrogram = buildSpectrogram(bench.services());
    expect(await spectrogram.run(bench.payload(track), context())).toEqual({
      ...{ outcome: 'skipped', why: 'its crawl was cancelled' },
    });
    expect(await states([track])).toEqual(['listed']);
    await bench.prisma.crawlTrack.create({ data: { crawlId: await bench.crawl(), trackId: track } });
    await bench.prisma.track.update({ where: { id: track }, data: { state: 'queued' } });
    await bench.enqueue([track]);
    await bench.drained();
    expect(await states([track])).toEqual(['ready']);
    expect(asked()).toMatchObject({ '/late': 1 });
    expect(await failures()).toEqual([]);
  });

  test('what cannot be fetched says why', async () => {
    const crawl = await bench.crawl();
    const ids = [
      await bench.track([crawl]),
      await bench.track([crawl], { location: 'https://evil.example/1?cid=2' }),
      await bench.track([crawl], { location: 'http://127.0.0.1:1/1' }),
      await bench.track([crawl], { location: '/no/such/file.mp3' }),
      await bench.track([crawl], { path: '/page' }),
    ];
    bench.world.answers.set('/page', (response) => response.end('<html>'.padEnd(2_000)));
    await bench.work(['preview']);
    await bench.enqueue(ids);
    await bench.drained();
    const reasons = (await bench.tracks(ids)).map((track) => track.failureReason);
    expect(reasons).toEqual([
      expect.stringMatching(/^no preview is offered: spotify gives none .* Deezer/),
      expect.stringMatching(/https:\/\/evil\.example\/1 is refused: .*PREVIEW_HOSTS/),
      expect.stringMatching(/http:\/\/127\.0\.0\.1:1\/1 is refused/),
      expect.stringMatching(/the file is not there/),
      expect.stringMatching(/web page/),
    ]);
    expect((await failures()).map(({ kind, trackId }) => [kind, trackId]).sort()).toEqual(
      ids.map((id) => ['permanent', id]).sort(),
    );
    expect(await counts()).toEqual({ spectrograms: 0, previews: 0 });
  });

  test('downloads wait while the spectrograms are far behind, but not what is fetched already', async () => {
    const crawl = await bench.crawl();
    const [first, second] = [
      await bench.track([crawl], { path: '/1' }),
      await bench.track([crawl], { path: '/2' }),
    ];
    let waiting = 501;
    const services = bench.services();
    services.queues.counts = async () => ({ waiting, active: 0, delayed: 0, failed: 0, paused: false });
    try {
      const handler = buildPreview(services);
      const running = bench.runPreview(first, handler);
      await sleep(700);
      expect(asked()).toEqual({});
      const shutdown = new AbortController();
      const stopped = expect(handler.run(bench.payload(second), context(shutdown.signal))).rejects.toThrow(
        CancelledError,
      );
      setTimeout(() => shutdown.abort(), 100);
      await stopped;
      waiting = 500;
      expect(await running).toMatchObject({ outcome: 'done' });
      waiting = 501;
      expect(await bench.runPreview(first, buildPreview(services))).toMatchObject({ outcome: 'skipped' });
      expect(asked()).toEqual({ '/1': 1 });
    } finally {
      delete (services.queues as Partial<typeof services.queues>).counts; // the prototype's again
    }
  });

  test('a shutdown hands a download back', async () => {
    const track = await bench.track([await bench.crawl()], { path: '/slow' });
    bench.world.answers.set('/slow', () => {});
    const shutdown = new AbortController();
    const handler = buildPreview(bench.services());
    const running = handler.run(bench.payload(track), context(shutdown.signal));
    const stopped = expect(running).rejects.toThrow(CancelledError);
    await sleep(200);
    shutdown.abort();
    await stopped;
    bench.world.answers.delete('/slow');
    expect(await bench.runPreview(track, handler)).toMatchObject({ outcome: 'done' });
  });
});

describe('locks by name', () => {
  let server: TestDatabase;
  let pools: pg.Pool[];
  const never = new AbortController().signal;

  beforeAll(async () => {
    server = await createTestDatabase();
    pools = [1, 2].map(() => new pg.Pool({ connectionString: server.url, max: 2 }));
    for (const pool of pools) pool.on('error', () => {});
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await server.drop();
  });

  test('let one in at a time, over processes, and forget those who fail', async () => {
    const locks = pools.map((pool) => new Locks(pool));
    let inside = 0;
    const order: number[] = [];
    const enter = (number: number) =>
      locks[number % 2]!.hold('a', never, async () => {
        expect(++inside).toBe(1);
        await sleep(5);
        inside--;
        order.push(number);
        if (number % 3 === 0) throw new PermanentError('no');
      });
    const all = await Promise.allSettled(Array.from({ length: 12 }, (_, number) => enter(number)));
    expect(all.filter(({ status }) => status === 'rejected')).toHaveLength(4);
    expect(order.sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
    // Nothing is held any more, neither a lock nor a connection.
    expect(await locks[1]!.hold('a', never, async () => 'in')).toBe('in');
    expect(pools.map((pool) => pool.totalCount - pool.idleCount)).toEqual([0, 0]);
  });

  test('other names do not wait, and one that waits can be stopped', async () => {
    const locks = pools.map((pool) => new Locks(pool));
    const { inside, hold, letGo } = holding();
    const held = locks[0]!.hold('a', never, hold);
    await inside;
    expect(await locks[0]!.hold('b', never, async () => 'in')).toBe('in');
    expect(await locks[1]!.hold('b', never, async () => 'in')).toBe('in');
    const shutdown = new AbortController();
    const waiting = locks[1]!.hold('a', shutdown.signal, async () => 'in');
    const stopped = expect(waiting).rejects.toThrow(CancelledError);
    shutdown.abort();
    await stopped;
    letGo();
    await held;
  });

  test('are free when the process that held them is gone', async () => {
    const locks = pools.map((pool) => new Locks(pool));
    const { inside, hold, letGo } = holding();
    const held = locks[0]!.hold('a', never, hold);
    await inside;
    let entered = false;
    const waiting = locks[1]!.hold('a', never, async () => {
      entered = true;
    });
    await sleep(300);
    expect(entered).toBe(false);
    const { rows } = await pools[1]!.query<{ pid: number }>(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (
         SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    expect(rows).toHaveLength(1);
    await pools[1]!.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
    await waiting;
    expect(entered).toBe(true);
    // Who had lost his connection goes on, and comes back on another.
    letGo();
    await held;
    expect(await locks[0]!.hold('a', never, async () => 'in')).toBe('in');
  });
});
