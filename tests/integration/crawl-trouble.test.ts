import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { wordsOf } from '../../shared/sources/spotify/partitions/part.ts';
import { CrawlBench } from '../support/crawl.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends } from '../support/queue-backends.ts';

vi.setConfig({ testTimeout: 150_000 });

onBothBackends('a crawl when Spotify has a bad day', (kind) => {
  let bench: CrawlBench;

  beforeAll(async () => {
    bench = await CrawlBench.open(kind);
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  const asked = () => bench.simulator.statistics().requests.search?.['200'] ?? 0;
  const refused = () => bench.simulator.statistics().requests.search?.['429'] ?? 0;

  test('is patient: no attempt is spent, nobody asks too soon, and a token is renewed once for all', async () => {
    const simulator = await bench.simulate({ tracks: 1_800, searchLimit: 8, searchWindowSeconds: 1.5 });
    await Promise.all([bench.workApart(['search']), bench.workApart(['search'])]);
    let attempts = 0;
    const look = async () => {
      const queue = bench.bench.queues.of('search');
      const jobs = await queue.getJobs(['waiting', 'delayed', 'active', 'prioritized']);
      for (const job of jobs) attempts = Math.max(attempts, job?.attemptsMade ?? 0);
    };
    const watch = setInterval(() => look().catch(() => {}), 100);
    try {
      const { id } = await bench.begin();
      await eventually(() => asked() > 8, { what: 'the crawl to be under way', everyMs: 10 });
      simulator.change({ revokeTokens: true });
      await eventually(() => asked() > 16, { what: 'the crawl to go on', everyMs: 10 });
      simulator.change({ storm: 2 });
      const report = await bench.ended(id);
      expect(report).toMatchObject({
        state: 'done',
        pages: { failed: 0 },
        tracks: { total: bench.inMarket() },
      });
    } finally {
      clearInterval(watch);
    }
    expect(refused()).toBeGreaterThan(3);
    expect(attempts).toBe(0);
    expect(await bench.prisma.failure.count()).toBe(0);
    const { insideRetryAfter, tokensGiven, requests } = simulator.statistics();
    expect(insideRetryAfter).toBe(0);
    expect(requests.search!['401']).toBe(1);
    expect(tokensGiven).toBe(2);
    // Both were at it: the one that got the 429 told the other.
    const workers = await bench.prisma.workerProcess.findMany();
    expect(workers).toHaveLength(2);
  });

  test.each([
    ['extended', 'honoured', 3_000, 'wild'],
    ['extended', 'ignored', 1_700, 'wild'],
    ['extended', 'literal', 1_100, 'none'],
    ['development', 'honoured', 1_100, 'mild'],
  ] as const)(
    'brings all there is, in the quota mode %s, where NOT is %s',
    async (quota, operators, tracks, chaos) => {
      // What only makes the test wait is left out: it is tested by itself.
      const chaosRates = { 'search-slow': 0, 'search-429': 0 };
      await bench.simulate({ tracks, quota, operators, chaos, chaosRates });
      await bench.work(['search']);
      const { id } = await bench.begin();
      const report = await bench.ended(id, 120_000);
      expect(report).toMatchObject({
        ...{ state: 'done', quota, honoursNot: operators === 'honoured', pages: { failed: 0, queued: 0 } },
      });
      const rows = await bench.prisma.track.findMany({ select: { sourceKey: true } });
      const came = new Set(rows.map(({ sourceKey }) => sourceKey));
      expect(came.size).toBe(rows.length);
      expect(report.tracks.total).toBe(came.size);
      // Without NOT no prefix finds names of signs alone, and those of an alphabet that was never seen.
      const letterless = [...bench.catalogue().values()].filter(
        ({ artists }) => !artists.some(({ name }) => wordsOf(name).some((word) => /^[a-z0-9]/.test(word))),
      );
      const reachable = bench.inMarket() - (operators === 'honoured' ? 0 : letterless.length);
      expect(came.size).toBeGreaterThanOrEqual(reachable);
      const struck = bench.simulator.statistics().chaos;
      expect(Object.keys(struck).length).toBeGreaterThan(chaos === 'none' ? -1 : 2);
    },
  );
});
