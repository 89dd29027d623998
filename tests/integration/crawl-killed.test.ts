import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { stages } from '../../shared/stages.ts';
import { chaosOf } from '../../simulator/server/chaos-table.ts';
import { audioFate, CrawlBench, end } from '../support/crawl.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends } from '../support/queue-backends.ts';

// Waiting for locks of 10 s to run out, on machines that may be busy otherwise.
vi.setConfig({ testTimeout: 180_000 });

const chaosRates = { 'preview-trickle': 0.3, 'preview-404': 0.05 };

onBothBackends('a crawl whose worker is killed', (kind) => {
  let bench: CrawlBench;

  beforeAll(async () => {
    bench = await CrawlBench.open(kind);
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  test('in the middle of search and audio is ended by another, and nothing is there twice', async () => {
    // The search is held up, so that it is still under way when the audio is.
    const simulator = await bench.simulate({
      ...{ tracks: 120, quota: 'development', chaosRates, searchLimit: 4, searchWindowSeconds: 3 },
    });
    const victim = await bench.workApart();
    const { id } = await bench.begin({}, { audio: true });
    await eventually(
      () => bench.downloads() > 12 && (simulator.statistics().requests.search?.['200'] ?? 0) > 4,
      {
        what: 'search and audio to be under way',
        everyMs: 10,
      },
    );
    await end(victim);
    const before = await bench.report(id);
    expect(before.state).toBe('running');
    expect(before.pages.queued).toBeGreaterThan(0);
    expect(before.tracks.unfinished).toBeGreaterThan(0);

    await bench.work();
    const report = await bench.ended(id, 120_000);
    expect(report).toMatchObject({
      ...{ state: 'done', pages: { failed: 0, queued: 0, newRows: bench.inMarket() } },
      tracks: { total: bench.inMarket(), unfinished: 0 },
    });
    const catalogue = bench.catalogue();
    const rows = await bench.prisma.track.findMany({ include: { readings: true } });
    const addresses = new Set<string | null>();
    for (const track of rows) {
      const audio = audioFate(simulator, catalogue.get(track.sourceKey)!, chaosOf('none', chaosRates), false);
      const isReady = audio.origin !== null && audio.fate === 'fine';
      expect(track.state, track.failureReason ?? '').toBe(isReady ? 'ready' : 'failed');
      if (isReady) addresses.add(track.location);
      expect(track.readings.length).toBeLessThanOrEqual(1);
    }
    expect(await bench.stored()).toMatchObject({
      ...{ tracks: bench.inMarket(), keys: bench.inMarket(), previews: 0, spectrograms: addresses.size },
    });
    // What was on its way when the worker died is gone on with from where it broke off. Of what had left the server
    // and not arrived there is nothing to go on with; it can be no more than was under way.
    const underWay = stages.preview.concurrency(bench.config);
    expect(simulator.statistics().previewsServedTwice).toBeLessThanOrEqual(underWay);
    expect(bench.downloads()).toBeGreaterThanOrEqual(addresses.size);
    expect(bench.downloads()).toBeLessThanOrEqual(addresses.size + underWay);
  });
});
