import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Tokens } from '../../simulator/server/tokens.ts';
import { hiphop } from '../support/cli.ts';
import { CrawlBench } from '../support/crawl.ts';
import { query } from '../support/database.ts';
import { onBothBackends } from '../support/queue-backends.ts';

vi.setConfig({ testTimeout: 120_000 });

const id = 'client-id-that-is-easily-found';
const secret = 'client-secret-that-is-easily-found';

onBothBackends('what nobody may see', (kind) => {
  let bench: CrawlBench;

  beforeAll(async () => {
    bench = await CrawlBench.open(kind);
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.clear());

  /** All rows of all tables as text, those of the queues included. */
  async function everyRow(): Promise<string> {
    const { url } = bench.bench.database;
    const { rows: tables } = await query(
      url,
      `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    const all: string[] = [];
    for (const { name } of tables) {
      const { rows } = await query(url, `SELECT t::text AS row FROM ${name} t`);
      all.push(...rows.map(({ row }) => `${name} ${row}`));
    }
    return all.join('\n');
  }

  async function everyJob(): Promise<string> {
    const all: string[] = [];
    for (const stage of ['search', 'lookup', 'preview', 'spectrogram'] as const) {
      const jobs = await bench.bench.queues.of(stage).getJobs();
      for (const job of jobs)
        all.push(JSON.stringify([job.data, job.returnvalue, job.failedReason, job.stacktrace, job.opts]));
      for (const job of jobs)
        all.push(JSON.stringify(await bench.bench.queues.of(stage).getJobLogs(job.id!)));
    }
    return all.join('\n');
  }

  test('is neither in logs nor in jobs, rows or answers, whatever goes wrong', async () => {
    const simulator = await bench.simulate({
      ...{ tracks: 60, credentials: { id, secret } },
      quota: 'development',
      // The ways in which a request to Spotify can fail, and failures that stay.
      chaosRates: {
        ...{ 'search-5xx': 0.03, 'search-cut': 0.08, 'search-malformed': 0.12, 'search-reset': 0.08 },
        ...{ 'search-401': 0.15, 'search-429': 0.08, 'preview-404': 0.3 },
      },
    });
    const environment = {
      ...bench.environment,
      ...{ SPOTIFY_CLIENT_ID: id, SPOTIFY_CLIENT_SECRET: secret, LOG_LEVEL: 'trace' },
    };
    const crawl = await hiphop(['crawl', '--years', '2019-2021', '--limit', '30', '--json'], environment);
    expect(crawl.status, crawl.stderr).toBe(0);
    const wrong = { ...environment, SPOTIFY_CLIENT_SECRET: `${secret}-but-wrong` };
    await query(bench.bench.database.url, 'UPDATE outside_services SET token = NULL');
    const refused = await hiphop(['crawl', '--years', '2019', '--json'], wrong);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toContain('refuses the credentials');
    const listed = await hiphop(['crawls', '--json'], environment);
    expect(await bench.prisma.failure.count()).toBeGreaterThan(3);

    const { tokensGiven, chaos } = simulator.statistics();
    expect(tokensGiven).toBeGreaterThan(0);
    expect(Object.keys(chaos).filter((fault) => fault.startsWith('search-')).length).toBeGreaterThan(0);
    const said = [crawl, refused, listed].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    expect(said.join('').length).toBeGreaterThan(2_000);
    const rows = await everyRow();
    expect(rows).toContain('genre:hip-hop');
    for (const text of [...said, rows, await everyJob()]) {
      for (const kept of [id, secret, ...tokensOf(simulator.world.seed, tokensGiven)]) {
        expect(text).not.toContain(kept);
        expect(text).not.toContain(Buffer.from(kept).toString('base64').slice(0, -4));
      }
      expect(text).not.toContain(Buffer.from(`${id}:${secret}`).toString('base64'));
    }
  });
});

/** The tokens that the simulator has given. */
function tokensOf(seed: number, given: number): string[] {
  const tokens = new Tokens(seed);
  return Array.from({ length: given }, () => tokens.give(60));
}
