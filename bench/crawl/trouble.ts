/** Nothing twice and nothing lost: a SIGKILL of each process in the middle, and a storm of 429. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from './row.ts';
import { BenchWorld, kill, type Report } from './world.ts';

const crawl = ['crawl', '--years', '2019-2021', '--market', 'US', '--wait'];

/** Crawl with audio; kill each kind of process once while it runs; finish; recrawl. */
export async function measureKills(): Promise<Row[]> {
  const world = await BenchWorld.start({ tracks: 400, chaos: 'none' });
  const settings = { AUDIO_SECONDS: '30' };
  const killed: string[] = [];
  try {
    for (const victim of [
      'worker',
      'decoder',
      'worker',
      'postmaster',
      'keeper',
      'command',
      'worker',
    ] as const) {
      const child = world.spawn(crawl, settings);
      child.stdout!.resume();
      child.stderr!.resume();
      const ended = once(child, 'exit');
      await sleep(6_000);
      const found = world
        .processes()
        .find(({ pid, what }) => (victim === 'command' ? pid === child.pid : what === victim));
      if (found) {
        kill(found.pid);
        killed.push(victim);
      }
      await sleep(2_000);
      child.kill('SIGINT');
      await Promise.race([ended, sleep(40_000)]);
      kill(child.pid!);
    }
    const first = await world.run<Report>(crawl, settings);
    const between = await world.statistics();
    const second = await world.run<Report>(crawl, settings);
    const after = await world.statistics();
    const [stored] = await world.query<{ tracks: number; keys: number; readings: number }>(
      `SELECT count(*)::int AS tracks, count(DISTINCT source_key)::int AS keys,
         (SELECT count(*)::int FROM popularity_readings) AS readings FROM tracks`,
    );
    const twice = after.previewsServedTwice;
    const tracksTwice = stored!.tracks - stored!.keys;
    return [
      {
        what: `previews downloaded twice or tracks stored twice, after SIGKILL of ${killed.join(', ')}, and a recrawl`,
        target: '0',
        met: twice + tracksTwice === 0 && second.tracks.total === first.tracks.total,
        measured: `${twice} and ${tracksTwice}; ${first.tracks.total} tracks, ${first.tracks.ready} ready, ${after.previews.total - between.previews.total} previews fetched by the recrawl, ${stored!.readings} readings`,
      },
    ];
  } finally {
    await world.close();
  }
}

/** Two workers, a storm of 429 in the middle and a rolling limit all the while. */
export async function measureStorm(): Promise<Row[]> {
  const world = await BenchWorld.start({ tracks: 23_100 });
  try {
    await world.change({ searchLimit: 150, searchWindowSeconds: 5 });
    const only = ['work', '--only', 'search'];
    const workers = [1, 2].map(() => world.spawn(only, { LOG_LEVEL: 'debug' }));
    let attempts = 0;
    for (const worker of workers) {
      worker.stdout!.on('data', (text: Buffer) => (attempts += secondAttempts(text.toString())));
      worker.stderr!.on('data', (text: Buffer) => (attempts += secondAttempts(text.toString())));
    }
    await sleep(8_000);
    const ended = world.run<Report>([...crawl, '--metadata-only']);
    await sleep(5_000);
    await world.change({ storm: 10 });
    const report = await ended;
    const { insideRetryAfter, requests } = await world.statistics();
    for (const worker of workers) worker.kill('SIGTERM');
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
    return [
      {
        what: 'a 429 storm: attempts spent',
        target: '0',
        met: attempts === 0 && report.state === 'done',
        measured: `${attempts} (${requests['search']?.['429'] ?? 0} answers of 429, ${report.tracks.total} tracks, two workers)`,
      },
      {
        what: 'a 429 storm: requests inside a Retry-After',
        target: '0',
        met: insideRetryAfter === 0,
        measured: String(insideRetryAfter),
      },
    ];
  } finally {
    await world.close();
  }
}

function secondAttempts(log: string): number {
  return log.match(/"attempt":(?!1[,}])\d+/g)?.length ?? 0;
}
