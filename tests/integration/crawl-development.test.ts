import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { chaosOf } from '../../simulator/server/chaos-table.ts';
import { createWorld } from '../../simulator/world/world.ts';
import { hiphop, hiphopJson } from '../support/cli.ts';
import { audioFate, CrawlBench } from '../support/crawl.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends } from '../support/queue-backends.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Answers that are not as they were asked for, and Deezer in trouble. */
const chaosRates = {
  'deezer-5xx': 0.06,
  'deezer-malformed': 0.05,
  'preview-404': 0.08,
  'search-short': 0.08,
};

onBothBackends('a crawl in the development quota mode', (kind) => {
  let bench: CrawlBench;

  beforeAll(async () => {
    bench = await CrawlBench.open(kind);
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  test('asks in small pages, Deezer for all the rest, and is closed without anybody watching', async () => {
    const simulator = await bench.simulate({ tracks: 40, quota: 'development', chaosRates });
    await bench.work();
    // Where somebody is at work a command only puts the work in.
    const begun = await hiphopJson<{ crawl: string; state: string }>(
      ['crawl', '--years', '2019-2021'],
      bench.environment,
    );
    expect(begun).toMatchObject({ crawl: 'crawl-1', joined: false });
    const report = await bench.ended(1);
    expect(report).toMatchObject({
      ...{ state: 'done', quota: 'development', pages: { queued: 0, failed: 0, newRows: bench.inMarket() } },
      tracks: { total: bench.inMarket(), unfinished: 0 },
    });
    expect(report.finishedAt).not.toBeNull();
    const told = await hiphop(['crawls'], bench.environment);
    expect(told.stdout).toMatch(/crawl-1\s.*done/);

    const pages = await bench.prisma.searchPage.findMany();
    expect(new Set(pages.map(({ limit }) => limit))).toEqual(new Set([10]));
    // The mode is found out by one page that was too large.
    expect(simulator.statistics().requests.search).toMatchObject({ 400: 1 });

    const catalogue = bench.catalogue();
    const rows = await bench.prisma.track.findMany({ include: { readings: true } });
    expect(rows).toHaveLength(bench.inMarket());
    const ranks: { rank: number; value: number }[] = [];
    for (const track of rows) {
      const known = catalogue.get(track.sourceKey)!;
      const audio = audioFate(simulator, known, chaosOf('none', chaosRates), false);
      const state = audio.origin === 'deezer' && audio.fate === 'fine' ? 'ready' : 'failed';
      expect(track.state, track.failureReason ?? '').toBe(state);
      if (state === 'failed') expect(track.failureReason).toMatch(/404|neither Spotify nor Deezer/);
      const rank = simulator.world.deezer(known.recording)?.rank;
      if (rank === undefined) expect(track.readings).toEqual([]);
      else {
        expect(track.readings).toMatchObject([{ origin: 'deezer', rank, crawlId: 1 }]);
        ranks.push({ rank, value: track.readings[0]!.value! });
      }
    }
    // A place among the ranks of the crawl, from 0 to 100.
    ranks.sort((a, b) => a.rank - b.rank);
    expect(ranks.length).toBeGreaterThan(25);
    expect([ranks[0]!.value, ranks.at(-1)!.value]).toEqual([0, 100]);
    for (const [index, { rank, value }] of ranks.entries()) {
      const place = ranks.findIndex((other) => other.rank === rank);
      expect(value).toBeCloseTo((100 * place) / (ranks.length - 1), 9);
      expect(index === 0 || value >= ranks[index - 1]!.value).toBe(true);
    }
    const statistics = simulator.statistics();
    expect(statistics.previewsServedTwice).toBe(0);
    // Nobody is asked again and again; a job that was enqueued twice may ask twice.
    expect(statistics.deezerLookups).toBeLessThan(1.2 * rows.length);
    expect(await bench.stored()).toMatchObject({ previews: 0, readings: ranks.length });

    // The next day: a reading more of each, and no audio that is there already.
    const downloads = bench.downloads();
    const recrawl = await bench.begin({}, { audio: true });
    expect(await bench.ended(recrawl.id)).toMatchObject({ state: 'done', tracks: report.tracks });
    expect(bench.downloads()).toBe(downloads);
    expect(await bench.stored()).toMatchObject({ tracks: rows.length, readings: 2 * ranks.length });
    expect(await bench.prisma.popularityReading.count({ where: { value: null } })).toBe(0);
  });

  test('is not closed before the popularity of tracks that are ready has been looked up', async () => {
    const limit = 5;
    await bench.simulate({ tracks: 30, quota: 'development', seed: seedOfKnownTracks(limit) });
    await bench.work();
    const first = await bench.begin({ limit }, { audio: true });
    expect(await bench.ended(first.id)).toMatchObject({ tracks: { ready: limit } });
    await bench.stopWorkers();
    await bench.work(['search']);
    const { id } = await bench.begin({ limit }, { audio: true });
    await eventually(
      async () => (await bench.prisma.crawl.findUniqueOrThrow({ where: { id } })).searchedAt !== null,
      { what: 'the search to end' },
    );
    await sleep(4_000);
    expect((await bench.report(id)).state).toBe('running');
    await bench.work();
    await bench.ended(id);
    expect(await bench.prisma.popularityReading.count({ where: { value: { not: null } } })).toBe(2 * limit);
  });

  test('metadata alone is a crawl too, and its popularity is not asked for elsewhere', async () => {
    const simulator = await bench.simulate({ tracks: 130, quota: 'development' });
    await bench.work(['search']);
    const { id } = await bench.begin();
    const report = await bench.ended(id);
    expect(report).toMatchObject({
      state: 'done',
      quota: 'development',
      tracks: { total: bench.inMarket() },
    });
    expect(simulator.statistics().requests.deezer).toBeUndefined();
    expect(await bench.prisma.track.count({ where: { state: 'listed' } })).toBe(bench.inMarket());
    // As few as can be: one that was too large, and those that the tracks fill.
    expect(simulator.statistics().requests.search).toEqual({ 200: Math.ceil(bench.inMarket() / 10), 400: 1 });
  });
});

/** A catalogue the most popular tracks of which Deezer has all. */
function seedOfKnownTracks(tracks: number): number {
  for (let seed = 1; ; seed++) {
    const world = createWorld({ tracks: 30, seed, years: [2019, 2021] });
    const { first } = world.search('genre:hip-hop', { market: 'US', operators: 'honoured' });
    const known = [...first.subarray(0, tracks)].map((index) => world.deezer(world.track(index).recording));
    if (known.every((track) => track?.hasPreview)) return seed;
  }
}
