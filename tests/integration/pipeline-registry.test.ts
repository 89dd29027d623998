import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { clip, manifestOf, settings, writeCatalogue } from '../support/catalogue.ts';
import { hiphop, hiphopJson, killProcessesOf } from '../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// Several commands a test, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 180_000 });

interface NightAnswer {
  night: string;
  state: string;
  reason: string | null;
  steps: { step: string; state: string; worksOn: string | null; outcome: string | null }[];
}
interface Scored {
  model: string;
  championSince: string | null;
  songs: { file: string; percentile: number }[];
}

let folder: string;
let own: TestDatabase;
let elsewhere: TestDatabase;
let environment: Record<string, string>;
/** Another machine's registry. */
let otherEnvironment: Record<string, string>;
let exported: string;
let songs: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hiphop-registry-'));
  [own, elsewhere] = [await createTestDatabase(), await createTestDatabase()];
  const base = { ...settings, TENSORFLOW: 'wasm', TAGGER: 'off' };
  environment = { ...base, DATA_DIR: join(folder, 'here'), DATABASE_URL: own.url };
  otherEnvironment = { ...base, DATA_DIR: join(folder, 'elsewhere'), DATABASE_URL: elsewhere.url };
  exported = join(folder, 'champion.hiphop');
  songs = join(folder, 'songs');
  mkdirSync(songs);
  writeFileSync(join(songs, 'deep.wav'), clip('bass', 201));
  writeFileSync(join(songs, 'shrill.wav'), clip('treble', 202));
});

afterAll(async () => {
  killProcessesOf(folder);
  await own?.drop();
  await elsewhere?.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function night(): Promise<NightAnswer> {
  return hiphopJson<NightAnswer>(['schedule', 'run', 'nightly', '--wait'], environment);
}

test('nights train challengers, keep the holdout apart and tell how it was decided', async () => {
  const { manifest, tracks } = writeCatalogue(folder, 60);
  const early = join(folder, 'early.csv');
  writeFileSync(early, manifestOf(tracks.slice(0, 40)));
  await hiphopJson(['ingest', early, '--wait'], environment);
  await hiphopJson(
    [
      ...['schedule', 'add', 'nightly', '--cron', '0 3 * * *', '--steps', 'freeze,train'],
      ...['--models', 'dummy,logistic', '--cross-validate', '3', '--holdout', '0.25', '--test', '0.2'],
    ],
    environment,
  );
  const first = await night();
  expect(first).toMatchObject({ state: 'done', reason: null });
  expect(first.steps[1]).toMatchObject({
    ...{ step: 'train', state: 'done', worksOn: 'run-1' },
    outcome: expect.stringMatching(
      /^model-1 \(dummy\); model-2 \(logistic\)\. first champion: model-2 \(logistic\) .* by 3-fold cross-validation$/,
    ),
  });

  await hiphopJson(['ingest', manifest, '--wait'], environment);
  const second = await night();
  expect(second.steps[0]).toMatchObject({ state: 'done', worksOn: 'data-set-2' });
  // The champion has judged what is new in the holdout: fourteen songs, ten of them of its own holdout.
  expect(second.steps[1]!.outcome).toMatch(
    /^model-3 \(dummy\); model-4 \(logistic\)\. .* \(by figures of their own: only 14 songs are new to both\)$/,
  );
});

test('the registry tells of each model what it is and how it was decided on', async () => {
  const shown = await hiphopJson<Record<string, unknown>>(['models', 'show', 'model-4'], environment);
  expect(shown).toMatchObject({
    ...{ id: 'model-4', champion: true, dataset: 'data-set-2', description: expect.any(String) },
    metrics: { crossValidation: { rocCurve: expect.any(Array), reliability: expect.any(Array) } },
    decision: { outcome: 'promoted', champion: 'model-2', challenger: 'model-4' },
    promotions: [{ promotedBy: 'training run', evidence: { before: 'model-2' } }],
  });
  const { stdout } = await hiphop(['models', 'show', 'model-4'], environment);
  for (const words of [
    'model-4 (logistic): ready, champion',
    '3-fold cross-validation',
    'decision: model-4',
  ]) {
    expect(stdout).toContain(words);
  }
  expect(stdout).toMatch(/top 10 %.*\n.*3-fold cross-validation +60 .* x chance n=6/);
});

test('two models are compared on what neither has learned from, and a rollback goes back', async () => {
  const { stdout } = await hiphop(['compare', 'model-2', 'model-4'], environment);
  expect(stdout).toMatch(/holdout +14 +7 .* within noise/);
  expect(stdout).toMatch(
    /no difference beyond noise between model-2 \(logistic\) and model-4 \(logistic\): /,
  );
  const back = await hiphopJson(['rollback', '--reason', 'to see'], environment);
  expect(back).toEqual({ champion: 'model-2', name: 'logistic', before: 'model-4', reason: 'to see' });
});

test('a model moves to another registry as one file, and scores the same there', async () => {
  await hiphopJson(['export', 'model-2', exported], environment);
  const imported = await hiphopJson(['import', exported], otherEnvironment);
  expect(imported).toEqual({
    ...{ model: 'model-1', name: 'logistic', isNew: true, dataset: 'data-set-1-imported' },
  });
  const promoted = new Date();
  await hiphopJson(['promote', 'model-1'], otherEnvironment);
  const table = join(folder, 'ranking.csv');
  const there = await hiphopJson<Scored>(['score', songs, '--csv', table], otherEnvironment);
  const here = await hiphop(['score', songs, '--model', 'model-2'], environment);
  expect(here.stdout).toContain('Scored by model-2 (logistic), champion since 20');
  for (const { file, percentile } of there.songs) {
    expect(here.stdout).toMatch(new RegExp(`${file} .* ${Math.round(percentile)}(?: |$)`, 'm'));
  }
  expect(there).toMatchObject({ model: 'model-1', championSince: expect.any(String) });
  expect(Date.parse(there.championSince!)).toBeGreaterThan(promoted.getTime() - 1_000);
  const rows = parse(readFileSync(table), { columns: true }) as Record<string, string>[];
  for (const row of rows) {
    expect(row).toMatchObject({ model: 'model-1', champion_since: there.championSince });
  }
});
