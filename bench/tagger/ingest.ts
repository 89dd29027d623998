/** What the tagger costs the pipeline: tracks a second from a folder to spectrograms, with it and without. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  /** Of all processes but the database's, their start included, for each track. */
  processorMs: number;
  embeddings: number;
}

/** @param rounds of each, which take turns */
export async function measureIngest(rounds: number): Promise<void> {
  const runs: Run[] = [];
  for (let round = 0; round < rounds; round++) runs.push(await measure('off'), await measure('auto'));
  const table = new Table({ head: ['TAGGER', 'tracks/s', 'CPU ms a track', 'embeddings'] });
  for (const { tagger, perSecond, processorMs, embeddings } of runs) {
    table.push([tagger, perSecond.toFixed(1), processorMs.toFixed(0), embeddings]);
  }
  console.log(
    `${tracks} clips of 30 s from a folder, ${workers} worker processes, from the first job to the last`,
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
  const before = processorMsOfChildren();
  let measured: Omit<Run, 'processorMs'>;
  try {
    const client = new pg.Client({ connectionString: lease.url });
    await client.connect();
    for (let i = 0; i < workers; i++) {
      children.push(start(['work', '--only', 'preview,embedding,spectrogram']));
    }
    await atWork(client);
    await once(start(['ingest', music, '--wait']), 'exit');
    const { rows } = await client.query<{ n: number; seconds: number; embeddings: number }>(
      `SELECT count(*)::int AS n, (SELECT count(*)::int FROM embeddings) AS embeddings,
         extract(epoch FROM max(created_at) - (SELECT min(started_at) FROM crawls))::float8 AS seconds
       FROM spectrograms`,
    );
    const [row] = rows;
    await client.end();
    measured = { tagger, perSecond: row!.n / row!.seconds, embeddings: row!.embeddings };
  } finally {
    await Promise.all(
      children.map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        await gone;
      }),
    );
    await lease.release();
    await serverGone(dataDir);
    rmSync(folder, { recursive: true, force: true });
  }
  return { ...measured, processorMs: (processorMsOfChildren() - before) / tracks };
}

/** Linux counts in hundredths of a second; those of children that have ended and of theirs (`man proc_pid_stat`). */
function processorMsOfChildren(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  const [user, system] = [Number(fields[13]), Number(fields[14])];
  return 10 * (user + system);
}

/** Wait until the database's server, which nobody uses any more, has stopped: its files are its own until then. */
async function serverGone(dataDir: string): Promise<void> {
  const isThere = () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .some((pid) => commandLineOf(pid).includes(dataDir));
  while (isThere()) await sleep(200);
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}

/** Wait until all workers take jobs. */
async function atWork(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client
      .query<{ n: number }>(`SELECT count(*)::int AS n FROM worker_processes WHERE stopped_at IS NULL`)
      .catch(() => ({ rows: [] })); // the first worker makes the tables
    if ((rows[0]?.n ?? 0) >= workers) return;
    await sleep(200);
  }
}
