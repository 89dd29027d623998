/** How fast previews become spectrograms, everything on this machine. */
import { mkdirSync } from 'node:fs';
import { availableParallelism, cpus, homedir } from 'node:os';
import { join } from 'node:path';
import type { Row } from './row.ts';
import { BenchWorld, type Report } from './world.ts';

const tracks = 400;

/** The preview and spectrogram stages, from the first spectrogram stored to the last. */
export async function measureThroughput(): Promise<Row[]> {
  // Synthesising is not what is measured: a first round fills the cache of the simulator.
  const cache = join(homedir(), '.cache', 'hiphop-popularity', 'bench-previews');
  mkdirSync(cache, { recursive: true });
  await once(cache);
  const { perSecond, busy, n } = await once(cache);
  return [
    {
      what: `preview and spectrogram stages on ${availableParallelism()} cores, embedded default`,
      target: '>= 15 tracks/s',
      met: perSecond >= 15,
      measured: `${perSecond.toFixed(1)} tracks/s over ${n}; ${busy.toFixed(2)} of ${availableParallelism()} cores busy`,
    },
  ];
}

async function once(cache: string): Promise<{ perSecond: number; busy: number; n: number }> {
  const world = await BenchWorld.start({ tracks, cache });
  try {
    const before = cpuSeconds();
    const started = performance.now();
    await world.run<Report>(['crawl', '--years', '2019-2021', '--market', 'US', '--wait']);
    const busy = (cpuSeconds() - before) / ((performance.now() - started) / 1_000);
    // The first hundred belong to the start: processes come up, Deezer is asked in turn at the end.
    const [row] = await world.query<{ n: number; seconds: number }>(
      `SELECT count(*)::int AS n, extract(epoch FROM max(created_at) - min(created_at))::float8 AS seconds
       FROM (SELECT created_at FROM spectrograms ORDER BY created_at
             OFFSET 50 LIMIT (SELECT (count(*) * 0.7)::int FROM spectrograms)) AS middle`,
    );
    return { perSecond: (row!.n - 1) / row!.seconds, busy, n: row!.n };
  } finally {
    await world.close();
  }
}

/** Seconds that all cores together have worked since the machine started. */
function cpuSeconds(): number {
  return cpus().reduce(
    (sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1_000,
    0,
  );
}
