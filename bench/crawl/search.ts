/** How many requests a crawl needs, and how many of its rows are new. */

import type { Row } from './row.ts';
import { BenchWorld, type Report, type WorldOptions } from './world.ts';

const years = '2019-2021';

/** Rows that were new and requests against the least possible, of a catalogue of 23,100. */
export async function measureFrugality(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const quota of ['extended', 'development'] as const) {
    for (const operators of ['honoured', 'ignored'] as const) {
      const { report, requests } = await crawl({ tracks: 23_100, quota, operators });
      const pageSize = quota === 'extended' ? 50 : 10;
      const least = Math.ceil(report.tracks.total / pageSize);
      const share = report.pages.newRows / report.pages.rows;
      const not = operators === 'honoured' ? 'NOT honoured' : 'NOT not honoured';
      rows.push(
        {
          what: `rows that were new, ${quota} quota, ${not}`,
          target: operators === 'honoured' ? '>= 95 %' : '>= 50 %',
          met: share >= (operators === 'honoured' ? 0.95 : 0.5),
          measured: `${(100 * share).toFixed(1)} % of ${report.pages.rows}`,
        },
        {
          what: `requests / least possible, ${quota} quota, ${not}`,
          target: operators === 'honoured' ? '<= 1.15' : '<= 2.2',
          met: requests / least <= (operators === 'honoured' ? 1.15 : 2.2),
          measured: `${(requests / least).toFixed(3)} (${requests} for ${report.tracks.total} tracks)`,
        },
      );
    }
  }
  return rows;
}

/** What of the catalogue came, on a bad day. */
export async function measureCoverage(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const operators of ['honoured', 'ignored'] as const) {
    const { report, inMarket, requests } = await crawl({ tracks: 23_100, operators, chaos: 'wild' });
    const share = report.tracks.total / inMarket;
    rows.push({
      what: `coverage, chaos wild, NOT ${operators}`,
      target: '>= 99.5 %',
      met: share >= 0.995,
      measured: `${(100 * share).toFixed(2)} % (${report.tracks.total} of ${inMarket} in the market; ${requests} requests, ${report.pages.failed} pages failed)`,
    });
  }
  return rows;
}

/** A million tracks, metadata only: it finishes, in bounded memory, as frugally as the small one. */
export async function measureMillion(): Promise<Row[]> {
  const small = await crawl({ tracks: 23_100 });
  const large = await crawl({ tracks: 1_000_000, years: '1990-2021' });
  const perTrack = (run: typeof small) => run.requests / run.report.tracks.total;
  const ratio = perTrack(large) / perTrack(small);
  const most = Math.max(...large.peaks.values());
  const peaks = [...large.peaks].map(([what, size]) => `${what} ${size.toFixed(0)}`).join(', ');
  return [
    {
      what: 'crawl of 1,000,000, metadata only',
      target: 'finishes',
      met: large.report.state === 'done',
      measured: `${large.report.state}, ${large.report.tracks.total} of ${large.inMarket} in the market, ${(large.seconds / 60).toFixed(1)} min`,
    },
    {
      what: 'largest process, MB resident',
      target: '< 400',
      met: most < 400,
      measured: `${most.toFixed(0)} (${peaks})`,
    },
    {
      what: 'requests per track against 23,100',
      target: '<= 1.10',
      met: ratio <= 1.1,
      measured: `${ratio.toFixed(3)} (${large.requests} requests)`,
    },
  ];
}

/** One crawl of a world of its own, metadata only. */
async function crawl(options: WorldOptions) {
  const world = await BenchWorld.start(options);
  try {
    const started = performance.now();
    const args = ['crawl', '--years', options.years ?? years, '--market', 'US', '--metadata-only', '--wait'];
    const report = await world.run<Report>(args);
    const seconds = (performance.now() - started) / 1_000;
    const { requests } = await world.statistics();
    const { inMarket } = (await (await fetch(`${world.url}/simulator/market/US`)).json()) as {
      inMarket: number;
    };
    const answered = Object.values(requests['search'] ?? {}).reduce((sum, count) => sum + count, 0);
    return { report, seconds, inMarket, requests: answered, peaks: new Map(world.peaks) };
  } finally {
    await world.close();
  }
}
