import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PermanentError } from '../../shared/errors.ts';
import { storeRank } from '../../shared/sources/deezer/tracks.ts';
import { buildLookup } from '../../workers/lookup.ts';
import { onBothBackends } from '../support/queue-backends.ts';
import { PreviewBench, soundOf } from './previews-support.ts';

const isrc = 'USABC2000001';
const path = `/track/isrc:${isrc}`;

onBothBackends('previews and popularity from Deezer', (kind) => {
  let bench: PreviewBench;

  beforeAll(async () => {
    bench = await PreviewBench.open(kind);
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  /** What Deezer says of the recording, once and for all. */
  function says(body: unknown, of = path): void {
    bench.world.answers.set(of, (response) => response.end(JSON.stringify(body)));
  }
  const track = (more: object = {}) => ({ rank: 500_000, preview: bench.address('/stream/1.mp3'), ...more });
  const unknown = { error: { type: 'DataException', message: 'no data', code: 800 } };
  const lookup = (trackId: number, crawlId: number, audio = true) => ({
    ...{ trackId, crawlId },
    parametersHash: audio ? bench.parametersHash : null,
  });
  const preview = (id: number) => ({ stage: 'preview', payload: bench.payload(id) });
  const readings = async () =>
    (await bench.prisma.popularityReading.findMany({ orderBy: { id: 'asc' } })).map(
      ({ trackId, crawlId, origin, rank, value }) => ({ trackId, crawlId, origin, rank, value }),
    );
  const reading = (trackId: number, crawlId: number, rank = 500_000) => ({
    ...{ trackId, crawlId, origin: 'deezer', rank, value: null },
  });
  const asked = () => Object.fromEntries(bench.world.asked);

  test('a recording is looked up, fetched and decoded once for all its releases', async () => {
    const crawl = await bench.crawl();
    says(track());
    const ids = [await bench.track([crawl], { isrc }), await bench.track([crawl], { isrc })];
    // The same code at another source is another matter.
    const file = await bench.track([], { isrc, source: 'folder', state: 'listed' });
    await bench.queue.queues.enqueue(
      'lookup',
      ids.map((id) => lookup(id, crawl)),
    );
    await bench.work();
    await bench.drained();
    const tracks = await bench.tracks([...ids, file]);
    expect(tracks.map(({ state, location }) => [state, location])).toEqual([
      ['ready', bench.address('/stream/1.mp3')],
      ['ready', bench.address('/stream/1.mp3')],
      ['listed', null],
    ]);
    expect(asked()).toMatchObject({ '/stream/1.mp3': 1 });
    expect((await readings()).sort((a, b) => a.trackId - b.trackId)).toEqual(
      ids.map((id) => reading(id, crawl)),
    );
    expect(await bench.prisma.failure.count()).toBe(0);
  });

  test('asked twice, nothing changes; another crawl gets a reading of its own', async () => {
    const [crawl, next] = [await bench.crawl(), await bench.crawl()];
    says(track());
    const id = await bench.track([crawl], { isrc });
    const handler = buildLookup(bench.services());
    for (let time = 0; time < 2; time++) {
      expect(await bench.runLookup(lookup(id, crawl), handler)).toEqual({
        outcome: 'done',
        next: [preview(id)],
      });
    }
    expect(asked()).toEqual({ [path]: 1 });
    expect(await readings()).toEqual([reading(id, crawl)]);
    await bench.prisma.crawlTrack.create({ data: { crawlId: next, trackId: id } });
    says(track({ rank: 600_000 }));
    await bench.runLookup(lookup(id, next), handler);
    expect(await readings()).toEqual([reading(id, crawl), reading(id, next, 600_000)]);
    // Two runs at the same time, as when a worker was thought dead.
    const third = await bench.crawl();
    await bench.prisma.crawlTrack.create({ data: { crawlId: third, trackId: id } });
    await bench.prisma.$executeRawUnsafe(
      `CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END'`,
    );
    await bench.prisma.$executeRawUnsafe(
      `CREATE TRIGGER dawdle BEFORE INSERT ON popularity_readings FOR EACH ROW EXECUTE FUNCTION dawdle()`,
    );
    const said = { trackId: id, rank: 700_000, crawlIds: [third] };
    await Promise.all([1, 2, 3].map(() => storeRank(bench.queue.database, said)));
    await bench.prisma.$executeRawUnsafe(`DROP FUNCTION dawdle CASCADE`);
    expect(await readings()).toHaveLength(3);
  });

  test('what the source says itself is not asked for, and is not said twice', async () => {
    const crawl = await bench.crawl();
    says(track());
    const [popular, sibling, other] = [
      await bench.track([crawl], { isrc }),
      await bench.track([crawl], { isrc, path: '/from-spotify' }),
      await bench.track([crawl], { isrc }),
    ];
    await bench.prisma.popularityReading.createMany({
      data: [popular, sibling].map((trackId) => ({ trackId, crawlId: crawl, origin: 'spotify', value: 40 })),
    });
    // Another release of the recording has a preview: that is the same audio.
    expect(await bench.runLookup(lookup(popular, crawl))).toEqual({
      outcome: 'done',
      next: [preview(popular)],
    });
    expect((await bench.tracks([popular]))[0]!.location).toBe(bench.address('/from-spotify'));
    expect(asked()).toEqual({});
    // Popularity alone is missing.
    expect(await bench.runLookup(lookup(other, crawl, false))).toEqual({ outcome: 'done', next: [] });
    expect((await readings()).filter(({ origin }) => origin === 'deezer')).toEqual([reading(other, crawl)]);
    expect(asked()).toEqual({ [path]: 1 });
  });

  test('a crawl that waits for the same track gets its reading by the same lookup', async () => {
    const [crawl, other, done] = [await bench.crawl(), await bench.crawl(), await bench.crawl('done')];
    says(track());
    const id = await bench.track([crawl, other, done], { isrc });
    await bench.prisma.crawl.update({ where: { id: crawl }, data: { state: 'cancelled' } });
    expect(await bench.runLookup(lookup(id, crawl))).toMatchObject({ outcome: 'done', next: [preview(id)] });
    expect(await readings()).toEqual([reading(id, other)]);
  });

  test('what nobody offers fails for good, with the code that was asked for', async () => {
    const crawl = await bench.crawl();
    says(unknown);
    says(track({ preview: '' }), '/track/isrc:USABC2000002');
    const ids = [
      await bench.track([crawl], { isrc }),
      await bench.track([crawl]),
      await bench.track([crawl], { isrc: 'USABC2000002' }),
    ];
    await bench.queue.queues.enqueue(
      'lookup',
      ids.map((id) => lookup(id, crawl)),
    );
    await bench.work(['lookup']);
    await bench.drained();
    const tracks = await bench.tracks(ids);
    const what = 'neither Spotify nor Deezer offers a preview of this recording';
    const reasons = [what, `${what}: it has no ISRC, by which Deezer could be asked`, what];
    expect(tracks.map(({ state, failureReason }) => [state, failureReason])).toEqual(
      reasons.map((reason) => ['failed', reason]),
    );
    const failures = await bench.prisma.failure.findMany({ orderBy: { trackId: 'asc' } });
    expect(failures).toMatchObject(
      ids.map((trackId, index) => ({
        ...{ stage: 'lookup', kind: 'permanent', attempts: 1, trackId, crawlId: crawl },
        ...{ subject: tracks[index]!.title, reason: reasons[index]!, payload: lookup(trackId, crawl) },
      })),
    );
    // Its popularity is known all the same.
    expect(await readings()).toEqual([reading(ids[2]!, crawl)]);

    // Deezer has it by now.
    says(track());
    await bench.prisma.track.update({ where: { id: ids[0]! }, data: { state: 'queued' } });
    await bench.queue.queues.enqueue('lookup', [lookup(ids[0]!, crawl)]);
    await bench.work(['preview', 'spectrogram']);
    await bench.drained();
    expect((await bench.tracks(ids))[0]!.state).toBe('ready');
    const left = await bench.prisma.failure.findMany({ where: { state: 'open' } });
    expect(left.map(({ trackId }) => trackId).sort()).toEqual(ids.slice(1));
  });

  test('popularity that nobody knows costs no track its audio', async () => {
    const crawl = await bench.crawl();
    says(unknown);
    const [alone, with_, without] = [
      await bench.track([crawl], { isrc, state: 'listed' }),
      await bench.track([crawl], { isrc, path: '/1' }),
      await bench.track([crawl], { path: '/2' }),
    ];
    expect(await bench.runLookup(lookup(alone, crawl, false))).toMatchObject({
      ...{
        outcome: 'done',
        note: expect.stringContaining('popularity stays unknown: Deezer does not know it'),
      },
    });
    expect(await bench.runLookup(lookup(with_, crawl))).toMatchObject({
      outcome: 'done',
      next: [preview(with_)],
    });
    expect(await bench.runLookup(lookup(without, crawl))).toMatchObject({
      ...{ outcome: 'done', next: [preview(without)], note: expect.stringContaining('no ISRC') },
    });
    expect((await bench.tracks([alone, with_, without])).map(({ state }) => state)).toEqual([
      ...['listed', 'queued', 'queued'],
    ]);

    // Deezer is down for good: the same.
    const handler = buildLookup(bench.services());
    const subject = (id: number) => ({ subject: expect.any(String), trackId: id, crawlId: crawl });
    expect(await handler.fail(lookup(with_, crawl), 'down', '')).toEqual({
      ...{ subject: subject(with_), next: [preview(with_)] },
    });
    expect(await handler.fail(lookup(alone, crawl, false), 'down', '')).toEqual({ subject: subject(alone) });
    expect((await bench.tracks([alone, with_])).map(({ state }) => state)).toEqual(['listed', 'queued']);
    // Without an address the audio has failed with it.
    const none = await bench.track([crawl], { isrc });
    expect(await handler.fail(lookup(none, crawl), 'down', '')).toEqual({ subject: subject(none) });
    expect((await bench.tracks([none]))[0]).toMatchObject({ state: 'failed', failureReason: 'down' });
    await bench.prisma.track.delete({ where: { id: none } });
    expect(await handler.fail(lookup(none, crawl), 'down', '')).toBeNull();
  });

  test('an address that has expired is asked for again, and replaced for all', async () => {
    const crawl = await bench.crawl();
    const old = bench.address('/stream/old.mp3?hdnea=exp=1700000000~acl=1~hmac=1');
    const fresh = bench.address('/stream/new.mp3?hdnea=exp=4700000000~acl=1~hmac=1');
    says(track({ preview: fresh }));
    const ids = [
      await bench.track([crawl], { isrc, location: old }),
      await bench.track([crawl], { isrc, location: old }),
    ];
    // Fetched before it expired: there is nothing to ask for.
    const hash = 'b'.repeat(64);
    await bench.prisma.preview.create({
      data: { contentHash: hash, bytes: new Uint8Array(soundOf('/kept')) },
    });
    const other = bench.address('/stream/kept.mp3?hdnea=exp=1700000000~acl=1~hmac=1');
    const kept = await bench.track([crawl], { location: other, contentHash: hash });
    await bench.enqueue([...ids, kept]);
    await bench.work();
    await bench.drained();
    const tracks = await bench.tracks([...ids, kept]);
    expect(tracks.map(({ state, location }) => [state, location])).toEqual([
      ...[
        ['ready', fresh],
        ['ready', fresh],
        ['ready', other],
      ],
    ]);
    expect(Object.keys(asked()).sort()).toEqual(
      [path, '/stream/new.mp3?hdnea=exp=4700000000~acl=1~hmac=1'].sort(),
    );
    expect(asked()).toMatchObject({ '/stream/new.mp3?hdnea=exp=4700000000~acl=1~hmac=1': 1 });
  });

  test('what was cancelled is left alone', async () => {
    const cancelled = await bench.crawl('cancelled');
    const ids = [
      await bench.track([cancelled], { isrc }),
      await bench.track([cancelled], { isrc, path: '/1' }),
    ];
    const handler = buildLookup(bench.services());
    const skipped = { outcome: 'skipped', why: 'its crawl was cancelled' };
    expect(await bench.runLookup(lookup(ids[0]!, cancelled), handler)).toEqual(skipped);
    expect(await bench.runLookup(lookup(ids[1]!, cancelled, false), handler)).toEqual(skipped);
    // The second has a preview job of its own, which finds out by itself.
    expect((await bench.tracks(ids)).map(({ state }) => state)).toEqual(['listed', 'queued']);
    expect(asked()).toEqual({});
    expect(await bench.runLookup(lookup(999_999_999, cancelled), handler)).toMatchObject({
      outcome: 'skipped',
    });
  });

  test('the quota is waited for without an attempt, other errors are tried again', async () => {
    const crawl = await bench.crawl();
    const at: number[] = [];
    bench.world.answers.set(path, (response, _request, time) => {
      at.push(Date.now());
      if (time === 1) response.end(JSON.stringify({ error: { code: 4, message: 'Quota limit exceeded' } }));
      else if (time === 2) response.writeHead(500).end();
      else if (time === 3) response.end('<html>');
      else response.end(JSON.stringify(track()));
    });
    const id = await bench.track([crawl], { isrc });
    await bench.queue.queues.enqueue('lookup', [lookup(id, crawl, false)]);
    await bench.work(['lookup']);
    await bench.drained();
    expect(at).toHaveLength(4);
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(4_950);
    expect(await readings()).toEqual([reading(id, crawl)]);
    expect(await bench.prisma.failure.count()).toBe(0);
  });

  test('two lookups at the same time agree on one address', async () => {
    const crawl = await bench.crawl();
    let number = 0;
    // Nobody is answered before both have asked.
    const answers: (() => void)[] = [];
    bench.world.answers.set(path, (response) => {
      const preview = bench.address(`/stream/${++number}.mp3`); // signed anew for everybody who asks
      answers.push(() => response.end(JSON.stringify(track({ preview }))));
      if (answers.length === 2) for (const answer of answers) answer();
    });
    const ids = [await bench.track([crawl], { isrc }), await bench.track([crawl], { isrc })];
    await Promise.all(ids.map((id) => bench.runLookup(lookup(id, crawl))));
    expect(number).toBe(2);
    const [first, second] = await bench.tracks(ids);
    expect(first!.location).toMatch(/\/stream\/[12]\.mp3$/);
    expect(second!.location).toBe(first!.location);
  });

  test('the error of a lookup that finds nothing is one that no try can help', async () => {
    says(unknown);
    const crawl = await bench.crawl();
    const id = await bench.track([crawl], { isrc });
    await expect(bench.runLookup(lookup(id, crawl))).rejects.toThrow(PermanentError);
  });
});
