import { afterAll, beforeAll, expect, test } from 'vitest';
import { audioJobs } from '../../shared/crawls/jobs.ts';
import type { Handler } from '../../workers/handler.ts';
import { buildLookup } from '../../workers/lookup.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends } from '../support/queue-backends.ts';
import { PreviewBench } from './previews-support.ts';

onBothBackends('a lookup that fails while another crawl finds its track', (kind) => {
  let bench: PreviewBench;
  beforeAll(async () => {
    bench = await PreviewBench.open(kind);
  });
  afterAll(() => bench?.close());

  test('is done once more for that crawl, and ends', async () => {
    const { pool } = bench.queue.database;
    const { queues } = bench.queue;
    const [first, second] = [await bench.crawl(), await bench.crawl()];
    // Without an ISRC it cannot be looked up.
    const trackId = await bench.track([first]);
    const crawls: number[] = [];
    await bench.work(['lookup'], {
      lookup: (services) => {
        const handler = buildLookup(services);
        const replaced: Handler<'lookup'> = {
          ...handler,
          run: (payload, context) => {
            crawls.push(payload.crawlId);
            return handler.run(payload, context);
          },
          fail: async (payload, reason, jobId) => {
            const failed = await handler.fail(payload, reason, jobId);
            if (crawls.length > 1) return failed;
            // Its row says that it failed, and its job is still at work: now the other crawl comes.
            await bench.prisma.crawlTrack.create({ data: { crawlId: second, trackId } });
            const crawl = { id: second, parametersHash: bench.parametersHash };
            await queues.enqueueNext(await audioJobs(pool, crawl, [trackId]));
            await bench.prisma.crawl.update({ where: { id: first }, data: { state: 'done' } });
            return failed;
          },
        };
        return replaced;
      },
    });
    await queues.enqueue('lookup', [{ trackId, crawlId: first, parametersHash: bench.parametersHash }]);
    await eventually(() => crawls.length === 2, { what: 'the second lookup' });
    await bench.drained();
    expect(crawls).toEqual([first, second]);
    const track = await bench.prisma.track.findUniqueOrThrow({ where: { id: trackId } });
    expect(track.state).toBe('failed');
    const failures = await bench.prisma.failure.findMany();
    expect(failures).toMatchObject([{ trackId, crawlId: second, state: 'open' }]);
  });
});
