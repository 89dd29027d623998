/** A crawl of the simulator: database, queues, the world outside, workers, and what is expected of them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CrawlReport, crawl, describeCrawl } from '../../producers/crawl.ts';
import type { Session } from '../../producers/session.ts';
import { Workforce as Helpers } from '../../producers/workforce.ts';
import { type Config, parseConfig } from '../../shared/config.ts';
import { entryPoint } from '../../shared/paths.ts';
import type { CrawlQuery } from '../../shared/sources/spotify/query.ts';
import type { StageName } from '../../shared/stages.ts';
import type { Chaos } from '../../simulator/server/chaos-table.ts';
import { previewFate } from '../../simulator/server/index.ts';
import type { WorldTrack } from '../../simulator/world/types.ts';
import type { HandlerBuilder, Services } from '../../workers/handler.ts';
import { buildLookup } from '../../workers/lookup.ts';
import { buildPreview } from '../../workers/preview.ts';
import { buildSearch } from '../../workers/search.ts';
import { buildSpectrogram } from '../../workers/spectrogram.ts';
import { startWorkers, type Workforce } from '../../workers/workforce.ts';
import { settings } from './catalogue.ts';
import { eventually } from './eventually.ts';
import { type BackendKind, openBench, type QueueBench, silent } from './queue-backends.ts';
import { startTestSimulator, type TestSimulator, type TestSimulatorOptions } from './simulator.ts';
import { standIns } from './stand-ins.ts';

export const crawlStages: readonly StageName[] = ['search', 'lookup', 'preview', 'spectrogram'];

/** What of the catalogue is asked for where a test does not say otherwise: all of the simulator's. */
const wholeQuery: CrawlQuery = { genre: 'hip-hop', years: [2019, 2021], market: 'US', limit: null };

/** What a crawl fills, those that refer to others first. */
const tables = [
  ...['failures', 'crawls', 'tracks', 'albums', 'artists', 'previews', 'spectrograms', 'outside_services'],
  'worker_processes',
];

export class CrawlBench {
  readonly bench: QueueBench;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hiphop-crawl-'));
  #simulator: TestSimulator | null = null;
  #workforces: Workforce[] = [];
  #children: ChildProcess[] = [];

  static async open(kind: BackendKind): Promise<CrawlBench> {
    return new CrawlBench(await openBench(kind));
  }

  private constructor(bench: QueueBench) {
    this.bench = bench;
  }

  get prisma() {
    return this.bench.database.prisma;
  }

  get simulator(): TestSimulator {
    if (!this.#simulator) throw new Error('the test has started no simulator');
    return this.#simulator;
  }

  /** Start the world outside of one test. */
  async simulate(options: TestSimulatorOptions): Promise<TestSimulator> {
    this.#simulator = await startTestSimulator(options);
    return this.#simulator;
  }

  /** What a command or a worker in a process of its own needs. */
  get environment(): Record<string, string> {
    return {
      ...this.bench.environment,
      ...settings,
      ...{ DATA_DIR: join(this.#folder, 'data'), SIMULATOR_URL: this.simulator.url, TENSORFLOW: 'wasm' },
    };
  }

  get config(): Config {
    return parseConfig(this.environment);
  }

  /** What a command in this process has open. */
  get session(): Session {
    const { database, queues } = this.bench;
    const { config } = this;
    const { signal } = new AbortController();
    const workforce = new Helpers(database.prisma, config, silent, signal);
    return { config, log: silent, database, queues, workforce, signal };
  }

  /** What a worker has, to run a handler by hand. */
  get services(): Services {
    const none = () => {
      throw new Error('not in this test');
    };
    const { database, queues } = this.bench;
    return {
      ...{ config: this.config, stages: crawlStages, database, queues },
      ...{ spectrograms: none, tagger: none, trainer: none, judge: none },
    };
  }

  /** Begin a crawl, as the command does; nobody waits for it. */
  begin(query: Partial<CrawlQuery> = {}, { audio = false } = {}): Promise<{ id: number; joined: boolean }> {
    return crawl(this.session, { ...wholeQuery, ...query }, { metadataOnly: !audio });
  }

  /** Start workers in this process. */
  async work(
    only: readonly StageName[] = crawlStages,
    replaced: Partial<Record<StageName, HandlerBuilder>> = {},
  ): Promise<void> {
    const builders = {
      ...standIns({}),
      ...{ search: buildSearch, lookup: buildLookup, preview: buildPreview, spectrogram: buildSpectrogram },
      ...replaced,
    };
    this.#workforces.push(await startWorkers(this.config, silent, only, builders));
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.#workforces.splice(0).map((workforce) => workforce.close()));
  }

  /** Start a worker in a process of its own, as `hiphop work` does. */
  async workApart(only: readonly StageName[] = crawlStages): Promise<ChildProcess> {
    const child = fork(entryPoint('workers/main.ts'), ['--only', only.join(',')], {
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#children.push(child);
    const [said] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (typeof said !== 'object') throw new Error('the worker ended before it was at work');
    return child;
  }

  report(id: number): Promise<CrawlReport> {
    return describeCrawl(this.session, id);
  }

  /** Wait until workers have closed the crawl; nobody else does. */
  async ended(id: number, timeoutMs = 60_000): Promise<CrawlReport> {
    await eventually(
      async () => (await this.prisma.crawl.findUniqueOrThrow({ where: { id } })).state !== 'running',
      { what: `crawl ${id} to end`, timeoutMs },
    ).catch(async (error: Error) => {
      throw new Error(`${error.message}; ${JSON.stringify(await this.report(id))}`);
    });
    return this.report(id);
  }

  /** Leave nothing to the next test. */
  async clear(): Promise<void> {
    await this.stopWorkers();
    await Promise.all(this.#children.splice(0).map(end));
    await this.#simulator?.close();
    this.#simulator = null;
    await this.bench.clear();
    for (const table of tables) await this.bench.database.pool.query(`DELETE FROM ${table}`);
  }

  async close(): Promise<void> {
    await this.clear();
    await this.bench.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** All tracks of the catalogue that the query of `begin` means, by id. */
  catalogue(): Map<string, WorldTrack> {
    const { world } = this.simulator;
    const found = new Map<string, WorldTrack>();
    for (let index = 0; index < world.tracks; index++) {
      const track = world.track(index);
      found.set(track.id, track);
    }
    return found;
  }

  /** How many of them the market has. */
  inMarket(query = 'genre:hip-hop year:2019-2021'): number {
    return this.simulator.world.search(query, { market: 'US', operators: 'honoured' }).total;
  }

  /** How often audio came to its end; a download that broke off and was gone on with is one. */
  downloads(): number {
    const { requests, chaos } = this.simulator.statistics();
    const ended = ['200', '206'].flatMap((status) => [
      requests.preview?.[status] ?? 0,
      requests.stream?.[status] ?? 0,
    ]);
    return ended.reduce((sum, count) => sum + count, 0) - (chaos['preview-html'] ?? 0);
  }

  /** How many rows of each kind there are; what is stored twice is seen here. */
  async stored() {
    const { rows } = await this.bench.database.pool.query(
      `SELECT (SELECT count(*)::int FROM tracks) AS tracks, (SELECT count(*)::int FROM previews) AS previews,
         (SELECT count(*)::int FROM popularity_readings) AS readings,
         (SELECT count(DISTINCT source_key)::int FROM tracks) AS keys,
         (SELECT count(*)::int FROM spectrograms) AS spectrograms,
         (SELECT count(DISTINCT content_hash)::int FROM tracks WHERE state = 'ready') AS sounds`,
    );
    return rows[0] as Record<'tracks' | 'previews' | 'readings' | 'keys' | 'spectrograms' | 'sounds', number>;
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** What must become of a track's audio: where it is to be had, or why it is not. */
export type AudioFate = { origin: 'spotify' | 'deezer'; fate: 'fine' | 'never' } | { origin: null };

/** @param shown whether Spotify shows previews: the extended quota mode */
export function audioFate(
  { world }: TestSimulator,
  { recording, hasPreview }: WorldTrack,
  chaos: Chaos,
  shown: boolean,
): AudioFate {
  if (shown && hasPreview) {
    return { origin: 'spotify', fate: previewFate(world.seed, recording, chaos, 'spotify') };
  }
  if (!world.deezer(recording)?.hasPreview) return { origin: null };
  return { origin: 'deezer', fate: previewFate(world.seed, recording, chaos, 'deezer') };
}
