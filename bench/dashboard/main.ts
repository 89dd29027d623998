/**
 * The pages' server under load: `npm run bench -- dashboard [--tracks 100000] [--streams 200] [--rate 50]
 * [--seconds 60]`. Prints the first answer and the 95th percentile under load of each page's API, and the server's memory.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { dashboardFlags } from '../../producers/dashboard-process.ts';
import { parseConfig } from '../../shared/config.ts';
import { openDatabase } from '../../shared/database/index.ts';
import { createLogger } from '../../shared/logging.ts';
import { entryPoint } from '../../shared/paths.ts';
import { fill, season } from './fill.ts';
import { type Asked, load, quantile } from './load.ts';

/** What the pages ask for when they are opened, all of them. */
const paths: readonly Asked[] = [
  '/api/me',
  '/api/pipeline',
  '/api/crawls',
  '/api/crawls/crawl-1',
  '/api/failures',
  '/api/failures/reasons',
  '/api/queues',
  '/api/workers',
  '/api/tracks',
  '/api/tracks?sort=-popularity',
  '/api/tracks?search=title+a1',
  '/api/tracks?search=artist+c4ca',
  '/api/tracks?state=failed&genre=trap&sort=title',
  '/api/tracks?offset=50000&sort=-released',
  '/api/tracks/track-777',
  '/api/tracks?popularityFrom=60&popularityTo=61',
  '/api/tracks?popularityFrom=95&sort=title',
  '/api/tracks?sort=popularity&offset=96000',
  '/api/catalogue/overview',
  '/api/data-sets',
  '/api/data-sets/data-set-1',
  '/api/models',
  '/api/models?sort=-top10&backend=tensorflow-cpu',
  '/api/models/model-1',
  '/api/models/compare?models=model-1,model-3',
  '/api/models/compare?models=model-2,model-4,model-5',
  '/api/promotions',
  '/api/training-runs',
  '/api/training-runs/run-1',
  '/api/batches',
  '/api/batches/batch-7',
  '/api/schedules',
  '/api/nights',
  '/api/history',
  '/api/history?span=90d',
  '/api/logs',
  '/api/logs?text=spectrogram+c4ca',
  '/api/logs?text=fetched&level=error',
  '/api/audit',
  '/api/search?q=title+a1',
  '/api/search?q=demo+a87',
  '/api/search?q=preview-track-777-0123456789abcdef',
  {
    path: '/api/crawls/estimate',
    body: { genre: 'hip-hop', years: [2019, 2021], market: 'US', limit: null, metadataOnly: false },
  },
  '/metrics',
];

const targetMs = 200;
const targetMegabytes = 300;

export async function run(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: {
      tracks: { type: 'string', default: '100000' },
      streams: { type: 'string', default: '200' },
      rate: { type: 'string', default: '50' },
      seconds: { type: 'string', default: '60' },
    },
  });
  const plan = {
    streams: Number(values.streams),
    rate: Number(values.rate),
    seconds: Number(values.seconds),
  };
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-bench-'));
  const environment = {
    ...{ DATA_DIR: join(folder, 'data'), DASHBOARD_PORT: '0', LOG_LEVEL: 'warn' },
    REQUESTS_PER_MINUTE: '1000000',
  };
  const config = parseConfig({ ...process.env, ...environment });
  const database = await openDatabase(config, createLogger(config, 'bench', 'warn'));
  try {
    console.log(`making up a season of work on ${values.tracks} tracks`);
    await fill(database, { ...season, tracks: Number(values.tracks) });
    const server = fork(entryPoint('dashboard/main.ts'), {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: dashboardFlags,
    });
    const [{ url }] = (await once(server, 'message')) as [{ url: string }];
    try {
      const origin = url.replace(/\/$/, '');
      const before = megabytes(server.pid!);
      const { latencies, events, streamsLost } = await load(origin, paths, plan);
      const table = new Table({
        head: ['address', 'first, ms', 'answers', 'failed', 'median, ms', 'p95, ms', 'largest, ms'],
        colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
      });
      for (const { path, first, times, failed } of latencies) {
        const [median, p95, most] = [0.5, 0.95, 1].map((share) => quantile(times, share).toFixed(0));
        table.push([path, first.toFixed(0), times.length, failed, median!, p95!, most!]);
      }
      console.log(table.toString());
      const worst = Math.max(...latencies.map(({ times }) => quantile(times, 0.95)));
      const failed = latencies.reduce((sum, latency) => sum + latency.failed, 0);
      const memory = megabytes(server.pid!);
      console.log(
        `${plan.streams} streams (${streamsLost} lost, ${events} events), ${plan.rate} requests a second for ${plan.seconds} s, ${values.tracks} tracks: ` +
          `worst p95 ${worst.toFixed(0)} ms (target ${targetMs}), ${failed} failed, memory ${memory.now} MB, at its peak ${memory.peak} MB (before ${before.now}; target ${targetMegabytes})`,
      );
      if (worst > targetMs || failed > 0 || memory.peak > targetMegabytes) process.exitCode = 1;
    } finally {
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
  } finally {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resident memory of a process, in MB. Linux only. */
function megabytes(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1000);
  return { now: of('VmRSS'), peak: of('VmHWM') };
}
