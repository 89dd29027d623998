import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { chaosOf } from '../../simulator/server/chaos-table.ts';
import { hiphopJson } from '../support/cli.ts';
import { audioFate, CrawlBench } from '../support/crawl.ts';
import { onBothBackends } from '../support/queue-backends.ts';

// Several commands a test, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 180_000 });

interface Answer {
  crawl: string;
  state: string;
  joined: boolean;
  quota: string;
  honoursNot: boolean | null;
  pages: { asked: number; queued: number; failed: number; rows: number; newRows: number };
  tracks: { total: number; ready: number; failed: number; unfinished: number; recordings: number };
  failures: { stage: string; reason: string; count: number }[];
}

/** Enough that cannot be had, and each way in which that may be. */
const badDay = {
  ...{ 'preview-404': 0.07, 'preview-403': 0.05, 'preview-html': 0.05, 'preview-astray': 0.06 },
  ...{ 'preview-loop': 0.04, 'preview-503': 0.05, 'preview-truncated': 0.05, 'preview-trickle': 0 },
};
const tracks = 60;

onBothBackends('a crawl through the command line', (kind) => {
  let bench: CrawlBench;

  beforeAll(async () => {
    bench = await CrawlBench.open(kind);
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  const crawl = (...more: string[]) =>
    hiphopJson<Answer>(['crawl', '--years', '2019-2021', ...more], bench.environment);
  const rows = () =>
    bench.prisma.track.findMany({
      orderBy: { id: 'asc' },
      include: {
        readings: { orderBy: { id: 'asc' } },
        artists: { orderBy: { position: 'asc' } },
        album: true,
      },
    });

  test('brings every track once, its audio where it is to be had, and a reason where not', async () => {
    const simulator = await bench.simulate({ tracks, chaos: 'mild', chaosRates: badDay });
    const answer = await crawl();
    const catalogue = bench.catalogue();
    const chaos = chaosOf('mild', badDay);
    expect(answer).toMatchObject({
      ...{ crawl: 'crawl-1', state: 'done', joined: false, quota: 'extended', honoursNot: null },
      pages: { queued: 0, failed: 0, newRows: bench.inMarket() },
      tracks: { total: bench.inMarket(), unfinished: 0 },
    });

    const stored = await rows();
    expect(new Set(stored.map(({ sourceKey }) => sourceKey)).size).toBe(stored.length);
    const fetched = new Set<string>();
    for (const track of stored) {
      const known = catalogue.get(track.sourceKey)!;
      expect(track).toMatchObject({ title: known.title, isrc: known.isrc, durationMs: known.durationMs });
      expect(track.album!.title).toBe(known.album.name);
      expect(track.artists).toHaveLength(known.artists.length);
      expect(track.readings).toMatchObject([{ origin: 'spotify', value: known.popularity, crawlId: 1 }]);

      const audio = audioFate(simulator, known, chaos, true);
      if (audio.origin === null) {
        expect(track).toMatchObject({
          state: 'failed',
          failureReason: expect.stringMatching(/neither Spotify nor Deezer offers a preview/),
        });
      } else if (audio.fate === 'never') {
        expect(track.state, track.failureReason ?? '').toBe('failed');
        expect(track.failureReason).toMatch(/404|403|web page|refused|redirect/);
      } else {
        expect(track.state, track.failureReason ?? '').toBe('ready');
        fetched.add(track.location!);
      }
    }
    const states = stored.map(({ state }) => state);
    const [ready, failed] = ['ready', 'failed'].map(
      (state) => states.filter((each) => each === state).length,
    );
    expect(answer.tracks).toMatchObject({ ready, failed });
    expect(ready).toBeGreaterThan(25);
    expect(failed).toBeGreaterThan(10);
    expect(await bench.prisma.failure.count({ where: { state: 'open', crawlId: 1 } })).toBe(failed);
    expect(answer.failures.length).toBeGreaterThan(0);
    expect(bench.downloads()).toBe(fetched.size);
    expect(simulator.statistics().previewsServedTwice).toBe(0);
    expect(await bench.stored()).toMatchObject({ previews: 0, spectrograms: fetched.size });

    // The next day: the readings are new, and what failed has another chance.
    simulator.change({ chaos: 'none', chaosRates: {} });
    await bench.work();
    const recrawl = await bench.begin({}, { audio: true });
    expect(recrawl).toEqual({ id: 2, joined: false });
    // On a steady day no page is asked twice.
    const { newRows } = answer.pages;
    expect(await bench.ended(2)).toMatchObject({
      state: 'done',
      pages: { newRows, rows: newRows, failed: 0 },
    });
    const later = await rows();
    expect(later.map(({ id, sourceKey }) => [id, sourceKey])).toEqual(
      stored.map(({ id, sourceKey }) => [id, sourceKey]),
    );
    for (const [index, track] of later.entries()) {
      const { audio, before } = {
        audio: audioFate(simulator, catalogue.get(track.sourceKey)!, chaosOf('none'), true),
        before: stored[index]!,
      };
      expect(track.readings).toMatchObject([before.readings[0]!, { origin: 'spotify', crawlId: 2 }]);
      expect(track.state, track.failureReason ?? '').toBe(audio.origin === null ? 'failed' : 'ready');
      if (before.state === 'ready') {
        expect([track.contentHash, track.location]).toEqual([before.contentHash, before.location]);
      }
    }
    const addresses = later.flatMap(({ state, location }) => (state === 'ready' ? [location] : []));
    expect(bench.downloads()).toBe(new Set(addresses).size);
    expect(simulator.statistics().previewsServedTwice).toBe(0);
    const open = await bench.prisma.failure.findMany({ where: { state: { in: ['open', 'retried'] } } });
    expect(open.map(({ trackId }) => trackId).sort()).toEqual(
      later.flatMap(({ id, state }) => (state === 'failed' ? [id] : [])).sort(),
    );
  });
});
