import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseConfig } from '../../shared/config.ts';
import { type Database, openDatabase } from '../../shared/database/index.ts';
import { type CatalogueTrack, clip, manifestOf, settings, writeCatalogue } from '../support/catalogue.ts';
import { hiphop, hiphopJson, killProcessesOf, startHiphop } from '../support/cli.ts';
import { quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends } from '../support/queue-backends.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

// Several commands a test, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 180_000 });

interface Ingested {
  tracks: number;
  spectrograms: number;
  failed: number;
  failures: { file: string; reason: string }[];
}

/** The tests of a suite follow one catalogue through its life, in this order. */
onBothBackends('a catalogue through the command line', (kind) => {
  let folder: string;
  let dataDir: string;
  let environment: Record<string, string>;
  let redis: TestRedis | null;
  let database: Database;
  let manifest: string;
  let tracks: CatalogueTrack[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hiphop-ingest-'));
    dataDir = join(folder, 'data');
    redis = kind === 'redis' ? await startRedis() : null;
    environment = { ...settings, DATA_DIR: dataDir, ...(redis ? { REDIS_URL: redis.url } : {}) };
    // Held open, so that not every command has to start the server.
    database = await openDatabase(parseConfig(environment), quiet);
    ({ manifest, tracks } = writeCatalogue(folder, 6));
    // One file is no audio, one line names a file that is not there.
    writeFileSync(join(folder, 'audio/broken.wav'), 'this is a text\n'.repeat(1_000));
    const broken = { file: 'audio/broken.wav', kind: 'bass' as const, artist: 'Artist 9', popularity: 50 };
    writeFileSync(manifest, manifestOf([...tracks, broken], ['audio/missing.wav,Missing,Artist 9,30']));
  });

  afterAll(async () => {
    await database?.close();
    killProcessesOf(dataDir);
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function stored() {
    const { prisma } = database;
    return {
      tracks: await prisma.track.count(),
      artists: await prisma.artist.count(),
      readings: await prisma.popularityReading.count(),
      spectrograms: await prisma.spectrogram.count(),
      previews: await prisma.preview.count(),
      openFailures: await prisma.failure.count({ where: { state: 'open' } }),
    };
  }

  const answer = {
    tracks: 7,
    spectrograms: 6,
    failed: 2,
    failures: [
      { file: 'audio/missing.wav', reason: expect.stringMatching(/^line 9: .*no such file/) },
      { file: 'audio/broken.wav', reason: expect.stringMatching(/\S{3}/) },
    ],
  };

  test('every good clip gets a spectrogram, every bad one a reason', async () => {
    const done = await hiphop(['ingest', manifest, '--wait', '--json'], environment);
    expect(done).toMatchObject({ status: 0, signal: null });
    // One line of JSON, alone, with these keys and no others.
    expect(done.stdout.endsWith('}\n')).toBe(true);
    expect(JSON.parse(done.stdout)).toStrictEqual(answer);
    expect(await stored()).toEqual({
      ...{ tracks: 7, artists: 4, readings: 7, spectrograms: 6, openFailures: 2 },
      previews: 0, // they have served, and what cannot be decoded is fetched anew by a retry
    });
    const status = await hiphopJson<{ queues: { kind: string } }>(['status'], environment);
    expect(status.queues.kind).toBe(kind);
  });

  test('the same catalogue again changes nothing, and tries again what failed', async () => {
    const before = await stored();
    const spectrograms = await database.prisma.spectrogram.findMany({
      select: { contentHash: true, createdAt: true },
    });
    expect(await hiphopJson<Ingested>(['ingest', manifest, '--wait'], environment)).toStrictEqual(answer);
    const again = await database.prisma.spectrogram.findMany({
      select: { contentHash: true, createdAt: true },
    });
    expect(again).toEqual(spectrograms);
    // The missing file is a failure of each crawl that missed it.
    expect(await stored()).toEqual({ ...before, openFailures: before.openFailures + 1 });
  });

  test('another popularity is another reading, and nothing else', async () => {
    const before = await stored();
    const changed = tracks.map((track, index) => (index === 0 ? { ...track, popularity: 99 } : track));
    const recrawl = join(folder, 'recrawl.csv');
    writeFileSync(recrawl, manifestOf(changed));
    expect(await hiphopJson<Ingested>(['ingest', recrawl, '--wait'], environment)).toStrictEqual({
      ...{ tracks: 6, spectrograms: 6, failed: 0, failures: [] },
    });
    expect(await stored()).toEqual({ ...before, readings: before.readings + 1 });
  });

  test('what failed is listed, can be mended and retried, and is then resolved', async () => {
    interface Failures {
      total: number;
      failures: {
        id: string;
        state: string;
        stage: string;
        subject: string;
        kind: string;
        attempts: number;
      }[];
    }
    const open = await hiphopJson<Failures>(['failures'], environment);
    expect(open.total).toBe(3);
    expect(Object.keys(open.failures[0]!).sort()).toEqual([
      'at',
      'attempts',
      'id',
      'kind',
      'reason',
      'stage',
      'state',
      'subject',
    ]);
    const broken = open.failures.find(({ subject }) => subject === 'audio/broken.wav')!;
    expect(broken).toMatchObject({ stage: 'spectrogram', state: 'open', kind: 'permanent', attempts: 1 });
    expect(open.failures.filter(({ stage }) => stage === 'ingest')).toHaveLength(2);
    expect((await hiphopJson<Failures>(['failures', '--stage', 'spectrogram'], environment)).total).toBe(1);

    writeFileSync(join(folder, 'audio/broken.wav'), clip('bass', 100));
    const retried = await hiphopJson<{ retried: number; left: { subject: string }[] }>(
      ['retry', '--all'],
      environment,
    );
    expect(retried.retried).toBe(1);
    expect(retried.left.map(({ subject }) => subject)).toEqual(['audio/missing.wav', 'audio/missing.wav']);
    expect((await hiphopJson<Failures>(['failures', '--stage', 'spectrogram'], environment)).total).toBe(0);
    const all = await hiphopJson<Failures>(['failures', '--all'], environment);
    expect(all.failures.find(({ id }) => id === broken.id)).toMatchObject({ state: 'resolved' });
    expect(await stored()).toMatchObject({ tracks: 7, spectrograms: 7, previews: 0 });

    const dismissed = await hiphopJson<{ dismissed: number }>(['failures', '--dismiss', 'all'], environment);
    expect(dismissed).toEqual({ dismissed: 2 });
    expect((await stored()).openFailures).toBe(0);
  });

  test('a file that was mended is still one track when its catalogue is read again', async () => {
    const before = await stored();
    const found = await hiphopJson<Ingested>(['ingest', manifest, '--wait'], environment);
    expect(found).toMatchObject({ tracks: 7, spectrograms: 7, failed: 1 });
    expect(await stored()).toMatchObject({ tracks: before.tracks, spectrograms: before.spectrograms });

    // The same without a retry in between.
    const late = join(folder, 'late.csv');
    writeFileSync(late, 'file,popularity\nlate.wav,40\n');
    writeFileSync(join(folder, 'late.wav'), 'not there yet\n');
    expect(await hiphopJson<Ingested>(['ingest', late, '--wait'], environment)).toMatchObject({ failed: 1 });
    writeFileSync(join(folder, 'late.wav'), clip('treble', 101));
    expect(await hiphopJson<Ingested>(['ingest', late, '--wait'], environment)).toStrictEqual({
      ...{ tracks: 1, spectrograms: 1, failed: 0, failures: [] },
    });
    expect(await stored()).toMatchObject({
      ...{ tracks: before.tracks + 1, spectrograms: before.spectrograms + 1 },
      openFailures: before.openFailures + 1, // the missing file, once more
    });
  });

  test('a folder without popularity is taken in, and a data set of it is refused with a reason', async () => {
    const done = await hiphop(['ingest', join(folder, 'audio'), '--wait', '--json'], environment);
    expect(done.status).toBe(0);
    expect(JSON.parse(done.stdout)).toStrictEqual({ tracks: 7, spectrograms: 7, failed: 0, failures: [] });
    expect(done.stderr).toContain('no popularity is given');
    // The popularity that the manifests gave to the same audio stays, and is too little.
    const frozen = await hiphop(['freeze', '--json'], environment);
    expect(frozen).toMatchObject({ status: 2, stdout: '' });
    expect(frozen.stderr).toMatch(/at least \d+ tracks .*there are 8/);
  });

  test('Ctrl-C leaves the rest in the queues, cancel takes it out, ingesting again goes on', async () => {
    const more = join(folder, 'more');
    const big = writeCatalogue(more, 24).manifest;
    // Other clips than before, which would be known by their content.
    for (const index of Array(24).keys()) {
      const sort = index % 2 === 0 ? 'bass' : 'treble';
      writeFileSync(join(more, `audio/${sort}-${index}.wav`), clip(sort, 1_000 + index));
    }
    const running = startHiphop(['ingest', big, '--wait', '--json'], environment);
    const crawl = await eventually(
      async () => {
        const newest = await database.prisma.crawl.findFirst({ orderBy: { id: 'desc' } });
        const all =
          newest && (await database.prisma.crawlTrack.count({ where: { crawlId: newest.id } })) === 24;
        return all ? newest : null;
      },
      { what: 'the crawl to be stored' },
    );
    running.interrupt();
    expect(await running.finished).toMatchObject({ status: 130, stdout: '' });
    expect(running.stderr()).toContain('interrupted');
    const left = await database.prisma.track.count({
      where: { crawls: { some: { crawlId: crawl.id } }, state: { in: ['queued', 'fetched'] } },
    });
    expect(left).toBeGreaterThan(0);

    const { cancelled } = await hiphopJson<{ cancelled: string[] }>(
      ['cancel', `crawl-${crawl.id}`],
      environment,
    );
    expect(cancelled).toEqual([
      `crawl-${crawl.id} is cancelled: ${left} tracks were taken out of the queues; ingest again to go on`,
    ]);
    const { queues } = await hiphopJson<{
      queues: { stages: Record<string, { waiting: number; delayed: number }> };
    }>(['status'], environment);
    for (const stage of ['preview', 'spectrogram']) {
      expect(queues.stages[stage]).toMatchObject({ waiting: 0, active: 0, delayed: 0, failed: 0 });
    }
    const twice = await hiphop(['cancel', `crawl-${crawl.id}`], environment);
    expect(twice).toMatchObject({ status: 0, stdout: `crawl-${crawl.id} is cancelled already\n` });

    expect(await hiphopJson<Ingested>(['ingest', big, '--wait'], environment)).toStrictEqual({
      ...{ tracks: 24, spectrograms: 24, failed: 0, failures: [] },
    });
  });
});
