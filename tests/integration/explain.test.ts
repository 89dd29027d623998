import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseConfig } from '../../shared/config.ts';
import { type Database, openDatabase } from '../../shared/database/index.ts';
import { type ExplanationContent, explanationContent } from '../../shared/learning/explain/content.ts';
import { pictureHeight, pictureWidth } from '../../shared/learning/explain/picture.ts';
import { trustOf } from '../../shared/learning/explain/trust.ts';
import type { Services } from '../../workers/handler.ts';
import { buildScore } from '../../workers/score.ts';
import { clip, settings, writeCatalogue } from '../support/catalogue.ts';
import { hiphop, hiphopJson, killProcessesOf } from '../support/cli.ts';
import { createTestDatabase, quiet, type TestDatabase } from '../support/database.ts';
import { context } from './previews-support.ts';

vi.setConfig({ testTimeout: 180_000 });

type Explanation = { picture: string; json: string; content: ExplanationContent } | { error: string };
interface Scored {
  model: string;
  songs: { file: string; rank: number; probability: number; explanation?: Explanation }[];
}

let folder: string;
let server: TestDatabase;
let database: Database;
let environment: Record<string, string>;
let songs: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hiphop-explain-'));
  server = await createTestDatabase();
  environment = {
    ...settings,
    ...{ DATA_DIR: join(folder, 'data'), DATABASE_URL: server.url, TENSORFLOW: 'wasm' },
  };
  const config = parseConfig(environment);
  database = await openDatabase(config, quiet);
  const { manifest } = writeCatalogue(folder, 32);
  await hiphopJson(['ingest', manifest, '--wait'], environment);
  await hiphopJson(['train', '--models', 'logistic', '--wait'], environment);
  songs = join(folder, 'songs');
  mkdirSync(join(songs, 'other'), { recursive: true });
  for (const kind of ['bass', 'treble'] as const) writeFileSync(join(songs, `${kind}.wav`), clip(kind, 201));
  // The same name in another folder, and the sound of a track of the catalogue.
  writeFileSync(join(songs, 'other', 'bass.wav'), readFileSync(join(folder, 'audio', 'bass-0.wav')));
}, 180_000);

afterAll(async () => {
  await database?.close();
  killProcessesOf(folder);
  await server?.drop();
  rmSync(folder, { recursive: true, force: true });
});

test('the best songs are explained: in the answer, as a picture and as a file for programs', async () => {
  const into = join(folder, 'why');
  const scored = await hiphopJson<Scored>(
    ['score', songs, '--explain', '2', '--explain-dir', into],
    environment,
  );
  const [first, second, third] = scored.songs;
  expect(third!.explanation).toBeUndefined();
  expect([first, second].map((song) => /bass/.test(song!.file))).toEqual([true, true]);
  const names = new Set<string>();
  for (const song of [first!, second!]) {
    const explanation = song.explanation!;
    if ('error' in explanation) throw new Error(explanation.error);
    names.add(explanation.picture);
    expect(decode(readFileSync(explanation.picture))).toMatchObject({
      ...{ width: pictureWidth, height: pictureHeight },
    });
    expect(JSON.parse(readFileSync(explanation.json, 'utf8'))).toEqual(explanation.content);
    const content = explanationContent.parse(explanation.content);
    expect(content).toMatchObject({ model: scored.model, file: song.file, probability: song.probability });
    expect(content.decision!.segments.some(({ named }) => named)).toBe(true);
    expect(content.neighbours).toMatchObject({ by: 'mel statistics', compared: 32 });
    expect(content.neighbours.popular).toHaveLength(3);
    expect(content.neighbours.popular.every(({ title }) => title.includes('bass'))).toBe(true);
    // The song that is a track of the catalogue is not its own neighbour.
    if (song.file.includes('other')) {
      expect(content.neighbours.popular.map(({ title }) => title)).not.toContain('audio/bass-0.wav');
    }
    expect(content.tags).toBeNull();
    expect(content.decision!.sanity!.correlations).toHaveLength(5);
    const words = content.sentences.join(' ');
    // Parts are named where the checks were passed, and only there.
    if (trustOf(content.decision!) === 'trusted')
      expect(words).toMatch(/Speaks (for|against) it: .*Checked: /);
    else expect(words).toMatch(/^Which parts its score hangs on cannot be said: /);
    expect(words).toMatch(/Nearest popular tracks: /);
    expect(words).not.toMatch(/log odds/);
  }
  expect(names).toEqual(new Set([join(into, 'bass.png'), join(into, 'bass-2.png')]));
});

test('people read it in sentences', async () => {
  const file = join(songs, 'treble.wav');
  const { stdout, status } = await hiphop(['score', file, '--explain'], environment, { cwd: folder });
  expect(status).toBe(0);
  expect(stdout).toContain(`${file}:\n`);
  expect(stdout).not.toMatch(/probability|chance of|\bhit\b/);
  expect(stdout).toContain(`Picture: ${join('explanations', 'treble.png')}`);
  expect(stdout).toMatch(/Checked: |cannot be said: /);
  readFileSync(join(folder, 'explanations', 'treble.png'));
});

test('a file in the place of the number is told apart', async () => {
  const refused = await hiphop(['score', '--explain', join(songs, 'bass.wav')], environment);
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('put --explain after the files');
});

test('an explanation that fails leaves the score, says why, and can be retried', async () => {
  const { prisma } = database;
  const model = await prisma.model.findFirstOrThrow({ where: { state: 'ready' } });
  const known = await prisma.song.findFirstOrThrow({ where: { file: join(songs, 'bass.wav') } });
  const batch = await prisma.scoreBatch.create({
    data: {
      ...{ modelId: model.id, explain: 1 },
      songs: {
        create: {
          ...{ file: known.file, location: known.location },
          ...{ contentHash: known.contentHash, state: 'ready' },
        },
      },
    },
    include: { songs: true },
  });
  const judge = {
    score: async (_model: unknown, recordings: unknown[]) => recordings.map(() => 0.75),
    explain: () => Promise.reject(new Error('the learning process ended unexpectedly (signal SIGKILL)')),
  };
  const services = { config: parseConfig(environment), database, judge: () => judge } as unknown as Services;
  const outcome = await buildScore(services).run({ batchId: batch.id }, context());
  expect(outcome).toEqual({ outcome: 'done', note: '1 songs; 0 explained, 1 could not be' });
  const song = batch.songs[0]!;
  const after = await prisma.song.findUniqueOrThrow({
    where: { id: song.id },
    include: { score: true, batch: true },
  });
  expect(after).toMatchObject({
    state: 'scored',
    score: { probability: 0.75, rank: 1 },
    batch: { state: 'done' },
  });
  const failures = () => prisma.failure.findMany({ where: { songId: song.id } });
  expect(await failures()).toMatchObject([
    {
      stage: 'score',
      state: 'open',
      reason: expect.stringContaining('could not be explained: the learning process'),
    },
  ]);

  await hiphop(['retry', '--stage', 'score'], environment);
  await vi.waitFor(
    async () => expect(await prisma.explanation.count({ where: { songId: song.id } })).toBe(1),
    { timeout: 60_000, interval: 500 },
  );
  expect(await failures()).toMatchObject([{ state: 'resolved' }]);

  // One of an earlier version was not compared with shuffled models: asked for, it is made anew, once.
  const { content } = await prisma.explanation.findUniqueOrThrow({ where: { songId: song.id } });
  const stored = content as unknown as ExplanationContent;
  const { sanity, ...earlier } = stored.decision!;
  await prisma.explanation.update({
    where: { songId: song.id },
    data: { content: JSON.parse(JSON.stringify({ ...stored, decision: earlier })) },
  });
  let asked = 0;
  const explain = async () => {
    asked++;
    return { decision: { ...earlier, sanity }, picture: new Uint8Array([1]) };
  };
  const again = { ...services, judge: () => ({ ...judge, explain }) } as unknown as Services;
  for (const note of ['explained', 'there was nothing to explain, or it failed']) {
    const job = { batchId: batch.id, songId: song.id };
    expect(await buildScore(again).run(job, context())).toEqual({ outcome: 'done', note });
  }
  expect(asked).toBe(1);
});
