import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { stageNames } from '../../shared/stages.ts';
import { hiphop } from '../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// Several commands a test, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 180_000 });

const commands = [
  ...['demo', 'ingest', 'freeze', 'train', 'models', 'promote', 'score', 'status', 'failures', 'retry'],
  ...['cancel', 'up', 'work', 'doctor', 'db', 'crawl', 'crawls', 'resume', 'schedule', 'simulate'],
];

let folder: string;
let server: TestDatabase;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hiphop-usage-'));
  server = await createTestDatabase();
  environment = { DATA_DIR: join(folder, 'data'), DATABASE_URL: server.url, TENSORFLOW: 'wasm' };
});
afterAll(async () => {
  await server?.drop();
  rmSync(folder, { recursive: true, force: true });
});

test('help names every command, and each explains itself', async () => {
  const help = await hiphop(['--help'], environment);
  expect(help).toMatchObject({ status: 0, stderr: '' });
  for (const command of commands) expect(help.stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  for (const command of ['train', 'work']) {
    const one = await hiphop([command, '--help'], environment);
    expect(one).toMatchObject({ status: 0, stderr: '' });
    expect(one.stdout).toContain(`Usage: hiphop ${command}`);
  }
});

const wrong: [string, string[], Record<string, string>, RegExp][] = [
  ['an unknown command', ['play'], {}, /unknown command 'play'/],
  ['an unknown option', ['status', '--loud'], {}, /unknown option '--loud'/],
  ['a missing argument', ['ingest'], {}, /missing required argument 'path'/],
  [
    'an unknown stage',
    ['work', '--only', 'preview,mixing'],
    {},
    new RegExp(`unknown stage mixing; .*${stageNames.join(', ')}`),
  ],
  ['a wrong setting', ['status'], { AUDIO_SECONDS: 'long' }, /AUDIO_SECONDS/],
  ['a database that is not there', ['status'], { DATABASE_URL: 'mysql://localhost/music' }, /DATABASE_URL/],
  [
    'a Redis that does not answer',
    ['status'],
    { REDIS_URL: 'redis://127.0.0.1:1' },
    /REDIS_URL .*does not answer/,
  ],
  ['years that are none', ['crawl', '--years', 'soon'], {}, /expected a year or a span/],
  ['a crawl without credentials', ['crawl'], {}, /SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET/],
  ['a simulator elsewhere', ['status'], { SIMULATOR_URL: 'http://example.org' }, /SIMULATOR_URL/],
  ['a catalogue that is not there', ['ingest', '/nowhere/manifest.csv'], {}, /nowhere\/manifest\.csv/],
  ['scoring before training', ['score', 'song.wav'], {}, /no trained model yet/],
  ['promoting what is not there', ['promote', 'model-7'], {}, /there is no model-7/],
  ['cancelling what is not there', ['cancel', 'crawl-9'], {}, /there is no crawl-9/],
  ['a name that names nothing', ['cancel', 'everything'], {}, /"everything" names nothing here: .*crawl-3/],
  ['retrying without saying what', ['retry'], {}, /say what to retry/],
  ['an unknown model', ['train', '--models', 'dummy,oracle'], {}, /unknown model oracle/],
  ['freezing nothing', ['freeze'], {}, /at least \d+ tracks/],
];

test.each(wrong)('%s ends with status 2 and one clear line', async (_what, args, extra, says) => {
  const done = await hiphop(args, { ...environment, ...extra });
  expect(done).toMatchObject({ status: 2, stdout: '' });
  expect(done.stderr).toMatch(says);
  expect(done.stderr).not.toMatch(/^ {4}at /m);
});

test('a data folder that cannot be made is said to be', async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  const done = await hiphop(['status'], { ...environment, DATA_DIR: join(file, 'data') });
  expect(done).toMatchObject({ status: 2, stdout: '' });
  expect(done.stderr).toContain('set DATA_DIR to another');
});

test('status and models of an empty database are answers, not errors', async () => {
  const status = await hiphop(['status', '--json'], environment);
  expect(status.status).toBe(0);
  const none = { waiting: 0, active: 0, delayed: 0, failed: 0, paused: false };
  expect(JSON.parse(status.stdout)).toEqual({
    ...{ database: { kind: 'external' }, tracks: { total: 0, byState: {} }, workers: [], champion: null },
    ...{
      spectrograms: 0,
      dataSets: 0,
      openFailures: 0,
      running: { crawls: [], models: [], batches: [], nights: [] },
    },
    queues: { kind: 'postgresql', stages: Object.fromEntries(stageNames.map((stage) => [stage, none])) },
  });
  const models = await hiphop(['models', '--json'], environment);
  expect(models).toMatchObject({ status: 0, stdout: '{"champion":null,"models":[]}\n' });
});
