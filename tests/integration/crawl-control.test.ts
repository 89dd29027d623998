import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { cancel } from '../../producers/cancel.ts';
import { type CrawlReport, resumeCrawl } from '../../producers/crawl.ts';
import { retryFailures } from '../../producers/failures.ts';
import type { Partition } from '../../shared/database/generated/client.ts';
import { PermanentError, UserError } from '../../shared/errors.ts';
import { buildSearch } from '../../workers/search.ts';
import { hiphop, hiphopJson } from '../support/cli.ts';
import { CrawlBench } from '../support/crawl.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends } from '../support/queue-backends.ts';

vi.setConfig({ testTimeout: 120_000 });

onBothBackends('crawls as people steer them', (kind) => {
  let bench: CrawlBench;

  beforeAll(async () => {
    bench = await CrawlBench.open(kind);
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  const counts = async () => {
    const { search, lookup, preview, spectrogram } = await bench.bench.queues.allCounts();
    return [search, lookup, preview, spectrogram].map(
      ({ waiting, delayed, active }) => waiting + delayed + active,
    );
  };
  const states = async (crawlId: number) => {
    const rows = await bench.prisma.track.groupBy({
      by: ['state'],
      where: { crawls: { some: { crawlId } } },
      _count: true,
    });
    return Object.fromEntries(rows.map(({ state, _count }) => [state, _count]));
  };

  describe('one at a time', () => {
    test('of a query, however many begin it at the same moment; another runs beside it', async () => {
      await bench.simulate({ tracks: 400 });
      const begun = await Promise.all(Array.from({ length: 5 }, () => bench.begin()));
      const { id } = begun[0]!;
      expect(begun.map((crawl) => crawl.id)).toEqual(Array(5).fill(id));
      expect(begun.filter(({ joined }) => !joined)).toHaveLength(1);
      expect(await bench.prisma.searchPage.count()).toBe(1);
      const others = await Promise.all([
        bench.begin({ years: [2020, 2020] }),
        bench.begin({ limit: 30 }),
        bench.begin({ market: 'DE' }),
        bench.begin({}, { audio: true }),
      ]);
      expect(new Set([id, ...others.map((crawl) => crawl.id)]).size).toBe(5);
      expect(others.every(({ joined }) => !joined)).toBe(true);
      await cancel(bench.session, `crawl-${others[3]!.id}`);

      await bench.work(['search']);
      const reports = await Promise.all(
        [id, ...others.slice(0, 3).map((crawl) => crawl.id)].map((each) => bench.ended(each)),
      );
      expect(reports.map(({ state }) => state)).toEqual(Array(4).fill('done'));
      expect(reports.map(({ tracks }) => tracks.total)).toEqual([
        ...[bench.inMarket(), bench.inMarket('genre:hip-hop year:2020'), 30],
        bench.simulator.world.search('genre:hip-hop', { market: 'DE', operators: 'honoured' }).total,
      ]);
      const { tracks, keys } = await bench.stored();
      expect(tracks).toBe(keys);
      // It is done: the same question may be asked again.
      const again = await bench.begin();
      expect(again.joined).toBe(false);
      expect(again.id).toBeGreaterThan(id);
    });
  });

  test('metadata alone does not wait for the audio that another crawl has asked for', async () => {
    await bench.simulate({ tracks: 40 });
    await bench.work(['search']);
    const audio = await bench.begin({}, { audio: true });
    await eventually(() => bench.prisma.crawl.findFirst({ where: { searchedAt: { not: null } } }), {
      what: 'the search to end',
    });
    const { id } = await bench.begin();
    expect(await bench.ended(id)).toMatchObject({ state: 'done', tracks: { total: bench.inMarket() } });
    expect(await bench.report(audio.id)).toMatchObject({
      ...{ state: 'running', tracks: { unfinished: bench.inMarket() } },
    });
  });

  test('as many tracks as were asked for, and no more', async () => {
    const simulator = await bench.simulate({ tracks: 2_500 });
    await bench.work(['search']);
    for (const limit of [1, 77, 1_234]) {
      const before = simulator.statistics().requests.search?.['200'] ?? 0;
      const { id } = await bench.begin({ limit });
      const report = await bench.ended(id);
      expect(report).toMatchObject({
        state: 'done',
        tracks: { total: limit },
        pages: { newRows: limit, queued: 0 },
      });
      if (limit < 100) {
        expect(simulator.statistics().requests.search!['200']! - before).toBeLessThanOrEqual(
          Math.ceil(limit / 50) + 12,
        );
      }
    }
    expect(await bench.prisma.track.count()).toBeGreaterThanOrEqual(1_234);
  });

  test('what is cancelled leaves the queues alone with the others’ jobs, and is gone on with', async () => {
    const simulator = await bench.simulate({ tracks: 90 });
    const [own, other] = [
      await bench.begin({}, { audio: true }),
      await bench.begin({ years: [2020, 2020] }, { audio: true }),
    ];
    // The search alone is done: the audio of all waits.
    await bench.work(['search', 'lookup']);
    let quiet = 0;
    await eventually(
      async () => {
        const searching = await bench.prisma.crawl.count({ where: { searchedAt: null } });
        const [pages, lookups] = await counts();
        // What follows a job is enqueued before the job ends, but the queues are not counted at one moment.
        quiet = searching + pages! + lookups! === 0 ? quiet + 1 : 0;
        return quiet >= 3;
      },
      { what: 'both searches to end' },
    );
    await bench.stopWorkers();
    const shared = await bench.prisma.crawlTrack.count({ where: { crawlId: other.id } });
    const queued = (await states(other.id))['queued']!;
    expect((await counts())[2]).toBeGreaterThan(queued);

    const said = await cancel(bench.session, `crawl-${own.id}`);
    expect(said).toMatch(
      /^crawl-\d+ is cancelled: 0 pages and \d+ tracks were taken out of the queues; hiphop resume/,
    );
    expect(await counts()).toEqual([0, 0, queued, 0]);
    expect(await states(own.id)).toMatchObject({ listed: expect.any(Number) });
    expect(await cancel(bench.session, `crawl-${own.id}`)).toBe(`crawl-${own.id} is cancelled already`);

    await bench.work();
    expect(await bench.ended(other.id)).toMatchObject({
      state: 'done',
      tracks: { total: shared, unfinished: 0 },
    });
    const fetchedByOther = simulator.statistics().previews.total;
    expect((await bench.prisma.crawl.findUniqueOrThrow({ where: { id: own.id } })).state).toBe('cancelled');

    await resumeCrawl(bench.session, own.id);
    const report = await bench.ended(own.id);
    expect(report).toMatchObject({ state: 'done', tracks: { total: bench.inMarket(), unfinished: 0 } });
    expect(simulator.statistics().previews.total).toBeGreaterThan(fetchedByOther);
    expect(simulator.statistics().previewsServedTwice).toBe(0);

    await expect(resumeCrawl(bench.session, own.id)).rejects.toThrow(
      `crawl-${own.id} is done: hiphop crawl with the same query recrawls`,
    );
    await expect(resumeCrawl(bench.session, 999)).rejects.toThrow(UserError);
    const refused = await hiphop(['resume', `crawl-${own.id}`, '--json'], bench.environment);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain(`crawl-${own.id} is done`);
  });

  test('a search that is cancelled in the middle is gone on with where it was', async () => {
    const simulator = await bench.simulate({ tracks: 3_000, operators: 'ignored' });
    await bench.work(['search']);
    const { id } = await bench.begin();
    await eventually(async () => (await bench.prisma.searchPage.count({ where: { state: 'done' } })) > 12, {
      what: 'some pages',
      everyMs: 20,
    });
    await cancel(bench.session, `crawl-${id}`);
    // Pages that were under way are stored to their end.
    let quiet = 0;
    await eventually(
      async () => {
        quiet = (await counts()).every((count) => count === 0) ? quiet + 1 : 0;
        return quiet >= 3;
      },
      { what: 'the queues to be empty' },
    );
    const asked = simulator.statistics().requests.search!['200']!;
    await sleep(500);
    expect(simulator.statistics().requests.search!['200']).toBe(asked);

    // Meanwhile another of the same query may run, and then this one may not.
    const other = await bench.begin();
    expect(other.joined).toBe(false);
    await expect(resumeCrawl(bench.session, id)).rejects.toThrow(/of the same query runs: cancel it first/);
    await cancel(bench.session, `crawl-${other.id}`);
    await resumeCrawl(bench.session, id);
    const report = await bench.ended(id);
    expect(report.state).toBe('done');
    expect(report.tracks.total).toBeGreaterThan(0.995 * bench.inMarket());
    const { tracks, keys } = await bench.stored();
    expect(tracks).toBe(keys);
  });

  /** Workers to whom Spotify refuses some pages, for good. */
  async function workWithout(refused: (page: { offset: number; partition: Partition }) => boolean) {
    await bench.work(['search'], {
      search: (services) => {
        const handler = buildSearch(services);
        const run: typeof handler.run = async ({ pageId }, context) => {
          const page = await bench.prisma.searchPage.findUniqueOrThrow({
            ...{ where: { id: pageId }, include: { partition: true } },
          });
          if (refused(page)) throw new PermanentError('Spotify refuses the request: Bad request (400)');
          return handler.run({ pageId }, context);
        };
        return { ...handler, run };
      },
    });
  }

  test('a page that cannot be asked is a failure, and the rest of the crawl goes on; a retry mends it', async () => {
    await bench.simulate({ tracks: 800 });
    await workWithout(({ offset }) => offset === 150);
    const { id } = await bench.begin();
    const report = await bench.ended(id);
    const all = bench.inMarket();
    expect(report).toMatchObject({ state: 'done', pages: { failed: 1 }, tracks: { total: all - 50 } });
    expect(report.failures).toEqual([
      { stage: 'search', reason: expect.stringMatching(/Bad request/), count: 1 },
    ]);
    const whole = await bench.prisma.partition.findFirstOrThrow({ where: { crawlId: id } });
    expect(whole.note).toMatch(/could not be asked/);
    await bench.stopWorkers();

    const { failures } = await hiphopJson<{ failures: object[] }>(['failures'], bench.environment);
    expect(failures).toMatchObject([
      {
        ...{ stage: 'search', kind: 'permanent', state: 'open' },
        subject: 'genre:hip-hop year:2019-2021 from 150',
      },
    ]);
    expect(await hiphopJson(['retry', '--stage', 'search'], bench.environment)).toMatchObject({
      ...{ retried: 1, left: [] },
    });
    await bench.work(['search']);
    const mended = await bench.ended(id);
    expect(mended).toMatchObject({
      state: 'done',
      pages: { failed: 0 },
      tracks: { total: all },
      failures: [],
    });
    expect(await bench.prisma.failure.findMany({ select: { state: true } })).toEqual([{ state: 'resolved' }]);
  });

  test('a part that cannot be asked at all does not keep the others from it', async () => {
    await bench.simulate({ tracks: 3_000, years: [2020, 2020] });
    let refused: string | null = null;
    await workWithout(({ partition }) => {
      if (partition.parentId === null || partition.probe) return false;
      refused ??= partition.query;
      return partition.query === refused;
    });
    const { id } = await bench.begin({ years: [2020, 2020] });
    const report = await bench.ended(id);
    expect(report).toMatchObject({ state: 'done', honoursNot: true, pages: { failed: 1, queued: 0 } });
    const all = bench.inMarket('genre:hip-hop year:2020');
    const missing = all - report.tracks.total;
    expect(missing).toBeGreaterThan(0);
    expect(report.tracks.total).toBeGreaterThan(0.4 * all);

    await bench.stopWorkers();
    await bench.work(['search']);
    expect(await retryFailures(bench.session, {})).toMatchObject({ retried: 1, left: [] });
    const mended = await bench.ended(id);
    expect(mended).toMatchObject({ state: 'done', pages: { failed: 0 }, tracks: { total: all } });
  });

  test('with credentials that are refused there is nothing but a failure that says so', async () => {
    await bench.simulate({ tracks: 20, credentials: { id: 'another', secret: 'another' } });
    const report = await hiphopJson<CrawlReport>(['crawl', '--years', '2019-2021'], bench.environment, {
      status: 1,
    });
    expect(report).toMatchObject({ state: 'done', tracks: { total: 0 }, pages: { failed: 1 } });
    expect(report.failures).toEqual([
      { stage: 'search', reason: expect.stringMatching(/check SPOTIFY_CLIENT_ID/), count: 1 },
    ]);
    expect(bench.simulator.statistics().requests).toEqual({ token: { 400: 1 } });
  });
});
