import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { clip, settings, writeCatalogue } from '../support/catalogue.ts';
import { hiphop, hiphopJson, killProcessesOf } from '../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// Several commands a test, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 180_000 });

interface Figures {
  n: number;
  accuracy: number;
  rocAuc: number;
  rocAucCi95: [number, number];
}
interface Trained {
  dataset: string;
  threshold: number;
  backend: string;
  models: {
    id: string;
    name: string;
    parameters: number;
    holdout: Figures;
    crossValidation: (Figures & { folds: number }) | null;
    trainMsPerSample: number;
  }[];
  champion: string | null;
}
interface Scored {
  model: string;
  songs: {
    file: string;
    probability: number;
    percentile: number;
    rank: number;
    ranks: { from: number; to: number };
    error?: string;
  }[];
}

let folder: string;
let server: TestDatabase;
let environment: Record<string, string>;
let songs: string;
/** The champion of the first training. */
let champion: string;

/** Holdout and test big enough for figures that mean something with so few tracks. */
const split = ['--holdout', '0.25', '--test', '0.2'];

// The tests follow one catalogue, in this order, on a database server that is not the program's own.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hiphop-learning-'));
  server = await createTestDatabase();
  environment = {
    ...settings,
    ...{ DATA_DIR: join(folder, 'data'), DATABASE_URL: server.url, TENSORFLOW: 'wasm' },
  };
  const { manifest } = writeCatalogue(folder, 48);
  const ingested = await hiphopJson(['ingest', manifest, '--wait'], environment);
  expect(ingested).toMatchObject({ tracks: 48, spectrograms: 48, failed: 0 });

  songs = join(folder, 'songs');
  mkdirSync(songs);
  for (const seed of [201, 202, 203]) {
    writeFileSync(join(songs, `deep-${seed}.wav`), clip('bass', seed));
    writeFileSync(join(songs, `shrill-${seed}.wav`), clip('treble', seed));
  }
  writeFileSync(join(songs, 'broken.wav'), 'no audio at all\n'.repeat(100));
}, 180_000);

afterAll(async () => {
  killProcessesOf(folder);
  await server?.drop();
  rmSync(folder, { recursive: true, force: true });
});

test('freeze makes a data set once, with artists whole and both classes on every side', async () => {
  const first = await hiphopJson<Record<string, unknown>>(['freeze', ...split], environment);
  expect(first).toMatchObject({ id: 'data-set-1', name: 'data-set-1', isNew: true, thresholdRule: 'median' });
  const counts = first['counts'] as Record<'train' | 'test' | 'holdout', { tracks: number; popular: number }>;
  expect(counts).toMatchObject({ tracks: 48, groups: 24, largestGroup: 2, unlabelled: 0 });
  for (const side of ['train', 'test', 'holdout'] as const) {
    // An artist has one popular song and one other: where both are on one side, so are the classes even.
    expect(counts[side].popular * 2).toBe(counts[side].tracks);
  }
  const again = await hiphopJson<Record<string, unknown>>(['freeze', ...split], environment);
  expect(again).toEqual({ ...first, isNew: false });
});

test('training finds the planted rule, and the champion is not the dummy', async () => {
  const trained = await hiphopJson<Trained>(
    ['train', '--models', 'dummy,logistic', '--cross-validate', '3', ...split, '--wait'],
    environment,
  );
  const figures = { accuracy: expect.any(Number), rocAuc: expect.any(Number) };
  expect(trained).toMatchObject({
    ...{ dataset: 'data-set-1', threshold: expect.any(Number), backend: expect.any(String) },
    models: ['dummy', 'logistic'].map((name, index) => ({
      ...{
        id: `model-${index + 1}`,
        name,
        parameters: expect.any(Number),
        trainMsPerSample: expect.any(Number),
      },
      holdout: { ...figures, n: 12 },
      crossValidation: { ...figures, folds: 3, n: 48 },
    })),
    champion: 'model-2',
  });
  const [dummy, logistic] = trained.models;
  expect(dummy!.holdout.rocAuc).toBe(0.5);
  expect(logistic!.holdout.rocAuc).toBeGreaterThan(0.8);
  expect(logistic!.crossValidation!.rocAuc).toBeGreaterThan(0.8);
  for (const { rocAuc, rocAucCi95 } of [logistic!.holdout, logistic!.crossValidation!]) {
    expect(rocAucCi95).toHaveLength(2);
    expect(rocAucCi95[0]).toBeLessThanOrEqual(rocAuc);
    expect(rocAucCi95[1]).toBeGreaterThanOrEqual(rocAuc);
  }
  champion = trained.champion!;
});

test('the null test is accepted, ends without a new champion, and its model may not score', async () => {
  const trained = await hiphopJson<Trained>(
    [
      'train',
      '--models',
      'logistic',
      '--shuffle-labels',
      '--seed',
      '5',
      '--data-set',
      'data-set-1',
      '--wait',
    ],
    environment,
  );
  expect(trained.models).toHaveLength(1);
  expect(trained.models[0]!.holdout.n).toBe(12);
  expect(trained.champion).toBe(champion);
  const refused = await hiphop(['promote', trained.models[0]!.id], environment);
  expect(refused).toMatchObject({ status: 2, stdout: '' });
  expect(refused.stderr).toContain('permuted labels');
});

test('good and bad songs together: ranks for the good, reasons for the bad', async () => {
  const table = join(folder, 'ranking.csv');
  const missing = join(folder, 'nowhere.mp3');
  const scored = await hiphopJson<Scored>(['score', songs, missing, '--csv', table], environment);
  expect(scored.model).toBe(champion);
  const good = scored.songs.slice(0, 6);
  expect(good.map(({ file }) => /deep|shrill/.exec(file)?.[0])).toEqual([
    ...['deep', 'deep', 'deep', 'shrill', 'shrill', 'shrill'],
  ]);
  for (const [index, song] of good.entries()) {
    expect(song.probability).toBeGreaterThanOrEqual(0);
    expect(song.probability).toBeLessThanOrEqual(good[index - 1]?.probability ?? 1);
    expect(song.percentile).toBeGreaterThanOrEqual(0);
    expect(song.percentile).toBeLessThanOrEqual(100);
    const better = good.filter(({ probability }) => probability > song.probability).length;
    expect(song.rank).toBe(better + 1);
    expect(song.ranks.from).toBeLessThanOrEqual(song.rank);
    expect(song.ranks.to).toBeGreaterThanOrEqual(song.rank);
  }
  // The order is sure between the best and the worst, and not between the best alone.
  expect([good[0]!.ranks.to < good.length, good.at(-1)!.ranks.from > 1]).toEqual([true, true]);
  expect(good[0]!.ranks.to).toBeGreaterThan(1);
  expect(scored.songs.slice(6)).toEqual([
    { file: join(songs, 'broken.wav'), error: expect.stringMatching(/\S{3}/) },
    { file: missing, error: expect.stringContaining('not there') },
  ]);

  const rows = parse(readFileSync(table), { columns: true }) as Record<string, string>[];
  expect(rows.map(({ file, rank }) => ({ file, rank }))).toEqual(
    scored.songs.map(({ file, rank }) => ({ file, rank: rank === undefined ? '' : String(rank) })),
  );
  // No more digits than two, beside how far they are off.
  expect(rows[0]).toMatchObject({
    model_estimate: good[0]!.probability.toFixed(2),
    calibration_error: expect.stringMatching(/^0\.\d\d$/),
    about: expect.stringMatching(/about|than|not to be told/),
    ...{ rank_from: '1', rank_to: String(good[0]!.ranks.to) },
  });
  expect(rows[6]!['error']).toBe(scored.songs[6]!.error);
});

test('the same songs again score the same', async () => {
  const first = await hiphopJson<Scored>(['score', songs], environment);
  const second = await hiphopJson<Scored>(['score', songs, '--model', champion], environment);
  expect(second.songs).toEqual(first.songs);
});

test('where no song can be scored, the exit status says so and the reasons are there', async () => {
  const scored = await hiphopJson<Scored>(['score', join(songs, 'broken.wav')], environment, { status: 1 });
  expect(scored.songs).toEqual([{ file: join(songs, 'broken.wav'), error: expect.stringMatching(/\S{3}/) }]);
});

test('a model chosen by hand scores from then on', async () => {
  const promoted = await hiphopJson(['promote', 'model-1', '--reason', 'to compare'], environment);
  expect(promoted).toEqual({ champion: 'model-1', reason: 'to compare' });
  const scored = await hiphopJson<Scored>(['score', join(songs, 'deep-201.wav')], environment);
  expect(scored.model).toBe('model-1');
  const { models } = await hiphopJson<{ models: { id: string; champion: boolean; state: string }[] }>(
    ['models'],
    environment,
  );
  expect(models.map(({ id, champion: is, state }) => [id, is, state])).toEqual([
    ['model-1', true, 'ready'],
    ['model-2', false, 'ready'],
    ['model-3', false, 'ready'],
  ]);
});
