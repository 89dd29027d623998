import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cancel } from '../../producers/cancel.ts';
import { enqueueEmbeddings } from '../../producers/embed.ts';
import { retryFailures } from '../../producers/failures.ts';
import type { Session } from '../../producers/session.ts';
import { Workforce } from '../../producers/workforce.ts';
import { parseConfig } from '../../shared/config.ts';
import { hasEmbedding, readEmbeddings, storeEmbedding } from '../../shared/database/embeddings.ts';
import { publicId } from '../../shared/identifiers.ts';
import { embeddingParts, embeddingValues } from '../../shared/tagger/embedding.ts';
import { taggerName } from '../../shared/tagger/provision.ts';
import { buildEmbedding } from '../../workers/embedding.ts';
import type { HandlerBuilder, Services } from '../../workers/handler.ts';
import { noise, wav } from '../support/audio.ts';
import { clip } from '../support/catalogue.ts';
import { silent } from '../support/queue-backends.ts';
import { taggerMissing } from '../support/tagger.ts';
import { context, PreviewBench } from './previews-support.ts';

const everyStage = ['lookup', 'preview', 'embedding', 'spectrogram'] as const;
const settings = { TAGGER: 'auto', TENSORFLOW: 'wasm' };

let bench: PreviewBench;
beforeAll(async () => {
  bench = await PreviewBench.open('postgresql', settings);
});
afterEach(() => bench.clear());
afterAll(() => bench.close());

const work = (replaced: Parameters<PreviewBench['work']>[1] = {}) => bench.work([...everyStage], replaced);
const embeddings = () => bench.prisma.embedding.count();
const failures = () =>
  bench.prisma.failure.findMany({
    select: { stage: true, state: true, reason: true },
    orderBy: { id: 'asc' },
  });

/** What a command has open, without workers of its own. */
function session(): Session {
  const { database, queues } = bench.queue;
  const { config } = bench;
  const { signal } = new AbortController();
  const workforce = new Workforce(database.prisma, config, silent, signal);
  return { config, log: silent, database, queues, workforce, signal };
}

/** The stage as it is, with a tagger that answers or fails as a test says. */
function withTagger(embed: () => Promise<Float32Array>): { embedding: HandlerBuilder } {
  const tagger = () => ({ embed }) as unknown as ReturnType<Services['tagger']>;
  return { embedding: (services) => buildEmbedding({ ...services, tagger }) };
}

const zeros = async () => new Float32Array(embeddingValues);
const broken = async (): Promise<Float32Array> => {
  throw new Error('the tagger ended unexpectedly (signal SIGSEGV)');
};

async function readyWithout(paths: readonly string[]): Promise<number[]> {
  const crawlId = await bench.crawl();
  const ids: number[] = [];
  for (const path of paths) ids.push(await bench.track([crawlId], { path }));
  await bench.work(['preview', 'spectrogram']);
  await bench.enqueue(ids);
  await bench.drained();
  expect(await embeddings()).toBe(0);
  return ids;
}

test('what is stored is read again, in chunks and by its tagger alone', async () => {
  const { pool } = bench.queue.database;
  const hashes = Array.from({ length: 2_500 }, (_, i) => `hash-${i}`);
  const values = (i: number) => Float32Array.of(i, 0.1, -1e-7);
  for (const [i, contentHash] of hashes.entries()) {
    if (i % 5 === 0) await storeEmbedding(pool, { contentHash, tagger: 'ours' }, values(i));
  }
  await storeEmbedding(pool, { contentHash: 'hash-1', tagger: 'another' }, values(1));
  await storeEmbedding(pool, { contentHash: 'hash-5', tagger: 'ours' }, values(99));
  const found = await readEmbeddings(pool, [...hashes, ...hashes], 'ours');
  expect(found.size).toBe(500);
  expect(found.get('hash-2495')).toEqual(values(2_495));
  expect(found.get('hash-5')).toEqual(values(5));
  expect(found.has('hash-1')).toBe(false);
  expect(await hasEmbedding(pool, 'hash-1', 'another')).toBe(true);
});

describe.skipIf(taggerMissing)(`with the true tagger ${taggerMissing ?? ''}`, () => {
  test('tracks get an embedding before their spectrogram, one for all of an address, and leave no audio', async () => {
    const crawlId = await bench.crawl();
    const ids = [await bench.track([crawlId], { path: '/a' }), await bench.track([crawlId], { path: '/a' })];
    await work();
    await bench.enqueue(ids);
    await bench.drained();
    const tracks = await bench.tracks(ids);
    expect(tracks.map(({ state }) => state)).toEqual(['ready', 'ready']);
    expect(await bench.prisma.preview.count()).toBe(0);
    expect(bench.world.asked.get('/a')).toBe(1);
    const [row] = await bench.prisma.embedding.findMany();
    expect(await embeddings()).toBe(1);
    const [spectrogram] = await bench.prisma.spectrogram.findMany();
    expect(row!.createdAt.getTime()).toBeLessThanOrEqual(spectrogram!.createdAt.getTime());

    const { contentHash } = tracks[0]!;
    const stored = await readEmbeddings(bench.queue.database.pool, [contentHash!], taggerName);
    const { tags, mean, max, spread } = embeddingParts(stored.get(contentHash!)!);
    expect(tags.every((tag) => tag > 0 && tag < 1)).toBe(true);
    expect(mean.every((value, i) => value <= max[i]! + 1e-3)).toBe(true);
    // Three seconds are one patch.
    expect(new Set(spread)).toEqual(new Set([0]));
    expect(await failures()).toEqual([]);
  });
});

// From here on the tagger is a stand-in, but that there is one is looked up truly.
describe.skipIf(taggerMissing)(`the stage ${taggerMissing ?? ''}`, () => {
  test('what fails costs the embedding and not the track, and a retry mends it', async () => {
    const crawlId = await bench.crawl();
    const id = await bench.track([crawlId], { path: '/a' });
    await work(withTagger(broken));
    await bench.enqueue([id]);
    await bench.drained();
    expect((await bench.tracks([id]))[0]!.state).toBe('ready');
    expect(await failures()).toEqual([
      { stage: 'embedding', state: 'open', reason: 'the tagger ended unexpectedly (signal SIGSEGV)' },
    ]);
    await bench.stopWorkers();

    await work(withTagger(zeros));
    expect(await retryFailures(session(), {})).toMatchObject({ retried: 1, left: [] });
    await bench.drained();
    expect(await embeddings()).toBe(1);
    expect((await failures()).map(({ state }) => state)).toEqual(['resolved']);
    expect((await bench.tracks([id]))[0]!.state).toBe('ready');
  });

  test('a song goes the same way, and on to its score', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hiphop-embedding-'));
    const location = join(folder, 'song.wav');
    writeFileSync(location, clip('bass', 3));
    const scored: number[] = [];
    const songId = await bench.song(location);
    await bench.work([...everyStage, 'score'], {
      ...withTagger(broken),
      score: () => ({
        stage: 'score',
        run: async ({ batchId }) => {
          scored.push(batchId);
          return { outcome: 'done' };
        },
        fail: async () => null,
      }),
    });
    const { parametersHash } = bench;
    await bench.queue.queues.enqueue('preview', [{ kind: 'song', id: songId, parametersHash }]);
    await bench.drained();
    const song = await bench.prisma.song.findUniqueOrThrow({ where: { id: songId } });
    expect(song.state).toBe('ready');
    // This stand-in leaves the batch open, so whoever settles batches may ask once more.
    expect(new Set(scored)).toEqual(new Set([song.batchId]));
    expect((await failures()).map(({ stage, state }) => [stage, state])).toEqual([['embedding', 'open']]);
    rmSync(folder, { recursive: true });
  });

  test('audio that is no good is one trouble, told by the spectrogram', async () => {
    bench.world.answers.set('/short', (response) => response.end(wav([noise(300, 0.5)]))); // 14 ms
    const id = await bench.track([await bench.crawl()], { path: '/short' });
    await work(withTagger(zeros));
    await bench.enqueue([id]);
    await bench.drained();
    expect((await bench.tracks([id]))[0]!.state).toBe('failed');
    expect((await failures()).map(({ stage, state }) => [stage, state])).toEqual([
      ['embedding', 'resolved'],
      ['spectrogram', 'open'],
    ]);
  });

  test('what is asked for twice is made once', async () => {
    let calls = 0;
    const counted = async () => {
      calls++;
      return zeros();
    };
    const crawlId = await bench.crawl();
    const ids = [
      await bench.track([crawlId], { path: '/a' }),
      await bench.track([crawlId], { path: '/a' }),
      await bench.track([crawlId], { path: '/b' }),
    ];
    await work(withTagger(counted));
    for (let time = 0; time < 3; time++) {
      await bench.enqueue(ids);
      await bench.queue.queues.enqueue(
        'embedding',
        ids.map((id) => bench.payload(id)),
      );
      await bench.drained();
    }
    expect(calls).toBe(2);
    expect(await embeddings()).toBe(2);
  });

  test('a crawl that is cancelled takes its embeddings out of the queue', async () => {
    const crawlId = await bench.crawl();
    const id = await bench.track([crawlId], { path: '/a' });
    await bench.queue.queues.enqueue('embedding', [bench.payload(id)]);
    expect((await bench.queue.queues.counts('embedding')).waiting).toBe(1);
    await cancel(session(), publicId('crawl', crawlId));
    expect((await bench.queue.queues.counts('embedding')).waiting).toBe(0);
    // One that was at work already finds out by itself.
    const outcome = await buildEmbedding(bench.services()).run(bench.payload(id), context());
    expect(outcome).toEqual({ outcome: 'skipped', why: 'its crawl was cancelled' });
  });

  test.each([
    ['is off', { TAGGER: 'off' }, /TAGGER=off/],
    ['is not set up on this machine', { CACHE_DIR: '/tmp/hiphop-no-cache' }, /not set up/],
  ])('where the tagger %s, the track is handed on with a note', async (_what, changed, why) => {
    const id = await bench.track([await bench.crawl()], { path: '/a', contentHash: 'some-hash' });
    const config = parseConfig({ ...settings, ...changed });
    const handler = buildEmbedding({ ...bench.services(), config });
    const outcome = await handler.run(bench.payload(id), context());
    expect(outcome).toMatchObject({
      outcome: 'skipped',
      why: expect.stringMatching(why),
      next: [{ stage: 'spectrogram', payload: bench.payload(id) }],
    });
  });

  test('who fetches need not be who embeds', async () => {
    const id = await bench.track([await bench.crawl()], { path: '/a' });
    await bench.work(['embedding', 'spectrogram'], withTagger(zeros));
    await bench.work(['preview']);
    await bench.enqueue([id]);
    await bench.drained();
    expect((await bench.tracks([id]))[0]!.state).toBe('ready');
    expect(await embeddings()).toBe(1);
  });

  test('where nobody embeds, audio goes straight to its spectrogram', async () => {
    await readyWithout(['/a']);
    expect(await bench.queue.queues.counts('embedding')).toMatchObject({ waiting: 0, active: 0, failed: 0 });
  });

  describe('what was ready before', () => {
    test('is fetched once more and embedded, and is ready all the while', async () => {
      const ids = await readyWithout(['/a', '/b', '/b']);
      await bench.stopWorkers();
      expect(await enqueueEmbeddings(session())).toBe(3);
      const seen = new Set<string>();
      await work(
        withTagger(async () => {
          for (const { state } of await bench.tracks(ids)) seen.add(state);
          return zeros();
        }),
      );
      await bench.drained();
      expect(seen).toEqual(new Set(['ready']));
      expect(await embeddings()).toBe(2);
      expect([bench.world.asked.get('/a'), bench.world.asked.get('/b')]).toEqual([2, 2]);
      expect(await bench.prisma.preview.count()).toBe(0);
      expect(await enqueueEmbeddings(session())).toBe(0);
      expect(await failures()).toEqual([]);
    });

    test('stays ready when its audio is gone, and the reason is told', async () => {
      const ids = await readyWithout(['/a']);
      await bench.stopWorkers();
      bench.world.answers.set('/a', (response) => {
        response.statusCode = 404;
        response.end();
      });
      await enqueueEmbeddings(session());
      await work(withTagger(zeros));
      await bench.drained();
      expect((await bench.tracks(ids))[0]).toMatchObject({ state: 'ready', failureReason: null });
      expect(await failures()).toMatchObject([{ stage: 'preview', state: 'open' }]);
      bench.world.answers.clear();
      await retryFailures(session(), {});
      await bench.drained();
      expect(await embeddings()).toBe(1);
      expect(await failures()).toMatchObject([{ stage: 'preview', state: 'resolved' }]);
    });

    test('is looked up again where its address has expired', async () => {
      const isrc = 'USABC2000001';
      const [id] = await readyWithout(['/a']);
      await bench.stopWorkers();
      const location = bench.address('/a?hdnea=exp=1700000000~acl=1~hmac=1');
      await bench.prisma.track.update({ where: { id: id! }, data: { isrc, location } });
      const { crawlId } = await bench.prisma.crawlTrack.findFirstOrThrow({ where: { trackId: id! } });
      const taken = { trackId: id!, crawlId, value: 40, origin: 'deezer' };
      await bench.prisma.popularityReading.create({ data: taken });
      await bench.prisma.crawl.updateMany({ data: { state: 'done' } });
      // Another address of the very same audio.
      bench.world.answers.set(`/track/isrc:${isrc}`, (response) =>
        response.end(JSON.stringify({ rank: 1, preview: bench.address('/a') })),
      );
      expect(await enqueueEmbeddings(session())).toBe(1);
      await work(withTagger(zeros));
      await bench.drained();
      expect(await embeddings()).toBe(1);
      expect((await bench.tracks([id!]))[0]).toMatchObject({ state: 'ready', location: bench.address('/a') });
      expect(await failures()).toEqual([]);
    });

    test('is embedded when a crawl sees the same audio again', async () => {
      await readyWithout(['/a']);
      await bench.stopWorkers();
      const again = await bench.track([await bench.crawl()], { path: '/a' });
      await work(withTagger(zeros));
      await bench.enqueue([again]);
      await bench.drained();
      expect((await bench.tracks([again]))[0]!.state).toBe('ready');
      expect(await embeddings()).toBe(1);
    });
  });
});

describe.skipIf(taggerMissing)(`a data set ${taggerMissing ?? ''}`, () => {
  test('can be asked for alone', async () => {
    // A bench of its own: what is in a data set can never be deleted.
    const own = await PreviewBench.open('postgresql', settings);
    const everywhere = { ...session(), ...{ database: own.queue.database, queues: own.queue.queues } };
    try {
      const ids = [await own.track([], { path: '/a' }), await own.track([], { path: '/b' })];
      await own.work(['preview', 'spectrogram']);
      await own.enqueue(ids);
      await own.drained();
      const { name } = await own.dataSet(ids.slice(1));
      expect(await enqueueEmbeddings(everywhere, { dataSet: name })).toBe(1);
      expect(await own.queue.queues.find('preview', own.payload(ids[1]!))).toBeDefined();
      expect(await own.queue.queues.find('preview', own.payload(ids[0]!))).toBeUndefined();
      expect(await enqueueEmbeddings(everywhere)).toBe(2);
      await expect(enqueueEmbeddings(everywhere, { dataSet: 'none' })).rejects.toThrow(/no data set none/);
    } finally {
      await own.stopWorkers();
      await own.close();
    }
  });
});
