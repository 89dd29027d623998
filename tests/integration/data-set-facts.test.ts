import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cacheDataSet } from '../../shared/data-sets/cache.ts';
import { factNames, readFacts } from '../../shared/data-sets/facts.ts';
import { readOrigins } from '../../shared/data-sets/origins.ts';
import { storeEmbedding } from '../../shared/database/embeddings.ts';
import { openRecordings } from '../../shared/learning/recording.ts';
import { embeddingValues } from '../../shared/tagger/embedding.ts';
import { taggerName } from '../../shared/tagger/provision.ts';
import { silent } from '../support/queue-backends.ts';
import { RegistryDesk } from '../support/registry.ts';

let desk: RegistryDesk;
let dataSetId: number;
/** In the data set, by one artist; `outside` is by her too, and in no data set. */
let tracks: number[];
const folder = mkdtempSync(join(tmpdir(), 'hiphop-facts-'));

beforeAll(async () => {
  desk = await RegistryDesk.open();
  const { prisma } = desk;
  tracks = [];
  for (const artist of ['Ada', 'Ada', 'Grace', 'unknown']) tracks.push(await desk.track({ artist }));
  const outside = await desk.track({ artist: 'Ada' });
  const late = await desk.track({ artist: 'Ada' });
  const read = (trackId: number, value: number, takenAt: string) =>
    prisma.popularityReading.create({
      data: { trackId, value, origin: 'manifest', takenAt: new Date(takenAt) },
    });
  const album = await prisma.album.create({
    data: { source: 'folder', sourceKey: 'a', title: 'Album', type: 'single' },
  });
  await prisma.track.update({
    where: { id: tracks[0]! },
    data: {
      ...{ releaseDate: new Date('2021-05-07'), durationMs: 180_000, albumId: album.id },
      attributes: { source: 'Label one/catalogue/7.ogg' },
    },
  });
  // A fellow of the data set and an own reading: labels, which must never be facts.
  await read(tracks[1]!, 99, '2020-01-01');
  await read(tracks[0]!, 98, '2020-01-01');
  // Known before the release, and learned of only after it.
  await read(outside, 40, '2020-01-01');
  await read(outside, 60, '2021-01-01');
  await read(outside, 97, '2021-06-01');
  await read(late, 96, '2022-01-01');
  dataSetId = await desk.dataSet(
    'facts',
    tracks.map((trackId, i) => ({
      trackId,
      split: i === 2 ? 'holdout' : 'train',
      group: i >> 1,
      popular: i % 2 === 0,
    })),
  );
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await desk?.close();
});

const named = (names: readonly string[], row: readonly number[]) =>
  Object.fromEntries(names.map((name, i) => [name, row[i]]));

describe('facts beside the audio', () => {
  test('are none where models judge by the audio alone', async () => {
    expect(factNames(['audio'])).toBeNull();
    expect(await readFacts(desk.database.pool, dataSetId, ['audio'])).toBeNull();
  });

  test('tell when and how a track came out, and NaN where nobody knows', async () => {
    const groups = ['audio', 'release'] as const;
    const rows = await readFacts(desk.database.pool, dataSetId, groups);
    const first = named(factNames(groups)!, rows![0]!);
    expect(first).toMatchObject({
      ...{ 'release year': 2021, 'released on a Friday': 1, minutes: 3, artists: 1 },
      ...{ 'on a single': 1, 'on an album': 0 },
    });
    expect(rows![1]!.filter(Number.isNaN)).toHaveLength(8);
  });

  test('take an artist’s popularity only from before the release and from outside the data set', async () => {
    const groups = ['audio', 'artist'] as const;
    const rows = await readFacts(desk.database.pool, dataSetId, groups);
    expect(named(factNames(groups)!, rows![0]!)).toEqual({
      'earlier tracks of its artists': Math.log1p(1),
      'their mean popularity before its release': 60,
      'their highest popularity before its release': 60,
    });
    // Without a release date nothing is known to be from before it.
    expect(rows![1]).toEqual([0, Number.NaN, Number.NaN]);
  });
});

test('origins name label, artist and year, and no artist where the name is none', async () => {
  const origins = await readOrigins(desk.database.pool, dataSetId);
  expect(origins.map(({ artist }) => artist)).toEqual(['ada', 'ada', 'grace', null]);
  expect(origins[0]!.year).toBe(2021);
  expect(origins[1]!.year).toBeNull();
});

test('what the tagger said comes to the training, also what it said after the first training', async () => {
  const { prisma, pool } = desk.database;
  const dataSet = await prisma.dataSet.findUniqueOrThrow({
    where: { id: dataSetId },
    include: { parameters: true },
  });
  const cached = () => cacheDataSet(desk.database, dataSet, ['audio', 'release'], folder, silent);
  expect((await cached()).embeddingsFile).toBeNull();
  const hear = (track: number, value: number) =>
    storeEmbedding(
      pool,
      { contentHash: `content ${track}`, tagger: taggerName },
      new Float32Array(embeddingValues).fill(value),
    );
  await hear(tracks[1]!, 0.5);
  const heardOf = async () => {
    const recordings = await openRecordings(await cached());
    try {
      const embeddings = await Promise.all([0, 1, 2].map((index) => recordings.embedding(index)));
      expect(recordings.facts(0)![0]).toBe(2021);
      return embeddings.map((embedding) => embedding?.[0] ?? null);
    } finally {
      await recordings.close();
    }
  };
  expect(await heardOf()).toEqual([null, 0.5, null]);
  await hear(tracks[2]!, 0.25);
  expect(await heardOf()).toEqual([null, 0.5, 0.25]);
});
