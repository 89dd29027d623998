/** A simulated world and a data folder of its own for one measurement, and what became of both. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { parseConfig } from '../../shared/config.ts';
import { ensureServer } from '../../shared/database/server.ts';
import { entryPoint, packageRoot } from '../../shared/paths.ts';

export interface WorldOptions {
  tracks: number;
  years?: string;
  operators?: 'honoured' | 'ignored';
  quota?: 'extended' | 'development';
  chaos?: 'none' | 'mild' | 'wild';
  /** Folder of synthesised previews that outlives the world. */
  cache?: string;
}

export interface Statistics {
  requests: Record<string, Record<string, number>>;
  insideRetryAfter: number;
  previews: { addresses: number; total: number };
  previewsServedTwice: number;
  previewsServedTwiceExamples: unknown[];
  tokensGiven: number;
}

/** What `hiphop crawl --json` says, as far as it is measured. */
export interface Report {
  crawl: string;
  state: string;
  quota: string;
  honoursNot: boolean | null;
  pages: { asked: number; rows: number; newRows: number; failed: number };
  tracks: { total: number; ready: number; failed: number };
}

export class BenchWorld {
  readonly folder: string;
  readonly url: string;
  readonly #simulator: ChildProcess;
  readonly #peaks = new Map<string, number>();
  readonly #watch: NodeJS.Timeout;

  private constructor(folder: string, url: string, simulator: ChildProcess) {
    this.folder = folder;
    this.url = url;
    this.#simulator = simulator;
    this.#watch = setInterval(() => this.#sampleMemory(), 500);
  }

  static async start(options: WorldOptions): Promise<BenchWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'hiphop-bench-'));
    const {
      tracks,
      years = '2019-2021',
      operators = 'honoured',
      quota = 'extended',
      chaos = 'none',
    } = options;
    const simulator = fork(
      entryPoint('simulator/main.ts'),
      [
        ...['serve', '--tracks', String(tracks), '--years', years, '--operators', operators],
        ...['--quota', quota, '--chaos', chaos, ...(options.cache ? ['--cache', options.cache] : [])],
      ],
      { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    );
    const [message] = await once(simulator, 'message');
    return new BenchWorld(folder, (message as { ready: string }).ready, simulator);
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      DATA_DIR: join(this.folder, 'data'),
      SIMULATOR_URL: this.url,
      LOG_LEVEL: 'silent',
      // What it costs is measured by the tagger's own bench.
      TAGGER: 'off',
    };
  }

  /** Start a command of the program; what it says goes nowhere but to the one who asks. */
  spawn(args: readonly string[], environment: Record<string, string> = {}): ChildProcess {
    return spawn(process.execPath, [join(packageRoot, 'bin/hiphop.mjs'), ...args], {
      env: { ...this.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Run a command with --json to its end. */
  async run<T>(args: readonly string[], environment: Record<string, string> = {}): Promise<T> {
    const child = this.spawn([...args, '--json'], environment);
    const [out, err] = ['', ''];
    const said = { out, err };
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (said.out += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said.err += text));
    const [status] = await once(child, 'close');
    if (said.out === '')
      throw new Error(`hiphop ${args.join(' ')} ended with ${status}: ${said.err.slice(-2_000)}`);
    return JSON.parse(said.out) as T;
  }

  async statistics(): Promise<Statistics> {
    return (await (await fetch(`${this.url}/simulator/statistics`)).json()) as Statistics;
  }

  async change(settings: object): Promise<void> {
    await fetch(`${this.url}/simulator/settings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
  }

  /** Ask the world's own database. */
  async query<T extends pg.QueryResultRow>(sql: string): Promise<T[]> {
    const { dataDir } = parseConfig(this.environment);
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const lease = await ensureServer({ dataDir, log });
    const client = new pg.Client({ connectionString: lease.url });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
      await lease.release();
    }
  }

  /** The processes that work for the data folder, by what they are. */
  processes(): { pid: number; what: string }[] {
    const all = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map((pid) => ({ pid, command: read(pid, 'cmdline'), parent: parentOf(pid) }));
    const own = all.filter(
      ({ pid, command }) => command.includes(this.folder) || read(pid, 'environ').includes(this.folder),
    );
    // Decoders get no environment: they are known by whose children they are.
    const pids = new Set(own.map(({ pid }) => pid));
    const children = all.filter(({ pid, parent }) => !pids.has(pid) && pids.has(parent));
    return [...own, ...children].map(({ pid, command }) => ({ pid: Number(pid), what: nameOf(command) }));
  }

  /** Largest resident memory of a process of each kind, in MB. */
  get peaks(): ReadonlyMap<string, number> {
    return this.#peaks;
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    for (const { pid } of this.processes()) kill(pid);
    this.#simulator.kill('SIGTERM');
    await once(this.#simulator, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #sampleMemory(): void {
    const all = [...this.processes(), { pid: this.#simulator.pid!, what: 'simulator' }];
    for (const { pid, what } of all) {
      const resident = Number(/VmRSS:\s+(\d+)/.exec(read(String(pid), 'status'))?.[1] ?? 0) / 1_000;
      if (resident > (this.#peaks.get(what) ?? 0)) this.#peaks.set(what, resident);
    }
  }
}

function parentOf(pid: string): string {
  return /PPid:\s+(\d+)/.exec(read(pid, 'status'))?.[1] ?? '';
}

function nameOf(command: string): string {
  if (command.includes('workers/main')) return 'worker';
  if (command.includes('spectrogram-process')) return 'decoder';
  if (command.includes('keeper-process')) return 'keeper';
  if (/bin\/postgres .*-D/.test(command)) return 'postmaster';
  if (command.startsWith('postgres')) return 'PostgreSQL';
  return 'command';
}

function read(pid: string, what: string): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // gone
  }
}

/** SIGKILL, of a process that the measurement itself has started. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone meanwhile
  }
}
