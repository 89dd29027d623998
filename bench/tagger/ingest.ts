/** What the tagger costs the pipeline: tracks a second from a folder to spectrograms, with it and without. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import Table from 'cli-table3';
import pg from 'pg';
import { ensureServer } from '../../shared/database/server.ts';
import { packageRoot } from '../../shared/paths.ts';
import { benchClips } from '../clips.ts';

const tracks = 40;
const workers = 2;
const program = join(packageRoot, 'bin', 'hiphop.mjs');
const silentLog = { debug: () => {}, info: () => {}, warn: () => {} };

interface Run {
  tagger: 'auto' | 'off';
  perSecond: number;
  embeddings: number;
}

export async function measureIngest(): Promise<void> {
  // The first round pays for what the operating system then keeps in memory: it does not count.
  await measure('off');
  const runs = [await measure('auto'), await measure('off'), await measure('auto'), await measure('off')];
  const table = new Table({ head: ['TAGGER', 'tracks/s', 'embeddings'] });
  for (const { tagger, perSecond, embeddings } of runs) {
    table.push([tagger, perSecond.toFixed(1), embeddings]);
  }
  console.log(
    `${tracks} clips of 30 s from a folder, ${workers} worker processes, first to last spectrogram`,
  );
  console.log(table.toString());
}

async function measure(tagger: Run['tagger']): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-bench-'));
  const dataDir = join(folder, 'data');
  const music = join(folder, 'music');
  for (const path of [dataDir, music]) mkdirSync(path, { recursive: true });
  for (const clip of benchClips(tracks)) copyFileSync(clip, join(music, basename(clip)));
  const environment = {
    ...{ ...process.env, DATA_DIR: dataDir, TAGGER: tagger, AUDIO_PROCESSES: '1', LOG_LEVEL: 'silent' },
  };
  const start = (args: readonly string[]) =>
    spawn(process.execPath, [program, ...args], { env: environment, stdio: 'ignore' });
  const lease = await ensureServer({ dataDir, log: silentLog });
  const children: ChildProcess[] = [];
  try {
    const client = new pg.Client({ connectionString: lease.url });
    await client.connect();
    for (let i = 0; i < workers; i++) {
      children.push(start(['work', '--only', 'preview,embedding,spectrogram']));
    }
    await atWork(client);
    await once(start(['ingest', music, '--wait']), 'exit');
    // From the first preview on, the start of the processes aside.
    const { rows } = await client.query<{ n: number; seconds: number; embeddings: number }>(
      `SELECT count(*)::int AS n, extract(epoch FROM max(created_at) - min(created_at))::float8 AS seconds,
         (SELECT count(*)::int FROM embeddings) AS embeddings
       FROM (SELECT created_at FROM spectrograms ORDER BY created_at OFFSET 4) AS later`,
    );
    const [row] = rows;
    await client.end();
    return { tagger, perSecond: (row!.n - 1) / row!.seconds, embeddings: row!.embeddings };
  } finally {
    await Promise.all(
      children.map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        await gone;
      }),
    );
    await lease.release();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Wait until all workers take jobs. */
async function atWork(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client
      .query<{ n: number }>(`SELECT count(*)::int AS n FROM worker_processes WHERE stopped_at IS NULL`)
      .catch(() => ({ rows: [] })); // the first worker makes the tables
    if ((rows[0]?.n ?? 0) >= workers) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
