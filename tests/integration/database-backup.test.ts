import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { backup, databaseInfo, restore } from '../../shared/database/backup.ts';
import { connectDatabase } from '../../shared/database/index.ts';
import { createEmptyDatabase, createTestDatabase, query, type TestDatabase } from '../support/database.ts';

const silent = () => undefined;
const folder = mkdtempSync(join(tmpdir(), 'hiphop-backup-'));
const file = join(folder, 'whole.hiphop');
const levels = randomBytes(300_000);
let source: TestDatabase;
let target: TestDatabase;

beforeAll(async () => {
  source = await createTestDatabase();
  await seed(source.url);
  await backup(source.url, file, silent);
});

beforeEach(async () => {
  target = await createTestDatabase();
  return () => target.drop();
});

afterAll(async () => {
  await source.drop();
  rmSync(folder, { recursive: true });
});

async function seed(url: string): Promise<void> {
  const { prisma, close } = connectDatabase(url);
  await prisma.spectrogramParameters.create({ data: { hash: 'p', parameters: { bands: 128 } } });
  await prisma.artist.create({ data: { name: "Beyoncé\t'\\N\n", sourceKey: 'beyonce', key: 'beyonce' } });
  await prisma.track.createMany({
    data: Array.from({ length: 2_000 }, (_, i) => ({
      ...{ source: 'folder', sourceKey: `k${i}`, title: `日本 ${i}`, location: `/${i}`, attributes: { i } },
      releaseDate: new Date('1994-04-19'),
    })),
  });
  await prisma.trackArtist.create({ data: { trackId: 1, artistId: 1, position: 0 } });
  await prisma.popularityReading.create({ data: { trackId: 1, value: 0.1 + 0.2, origin: 'manifest' } });
  await prisma.spectrogram.create({
    data: {
      ...{
        contentHash: 'a',
        parametersHash: 'p',
        bands: 1,
        frames: 1,
        maxDb: Number.EPSILON,
        audioHash: 'a',
      },
      ...{ levels, durationSeconds: 30, excerptStartSeconds: 0, warnings: ['clipped', 'a "b", {c}'] },
    },
  });
  await prisma.$transaction(async (transaction) => {
    const { id } = await transaction.dataSet.create({
      data: {
        ...{ name: 'v1', parametersHash: 'p', threshold: 50, thresholdRule: 'median', seed: 1 },
        ...{ testFraction: 0.2, holdoutFraction: 0.2, contentHash: 'c', counts: {}, normalisation: {} },
      },
    });
    await transaction.dataSetTrack.create({
      data: {
        ...{ dataSetId: id, trackId: 1, contentHash: 'a', parametersHash: 'p' },
        ...{ popularity: 1, popular: true, split: 'holdout', group: 1 },
      },
    });
  });
  await prisma.track.delete({ where: { id: 2_000 } });
  await close();
}

/** Every row of every table, as text, in one order. */
async function dump(url: string): Promise<Record<string, unknown>> {
  const { rows: tables } = await query(
    url,
    `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
     AND relname <> '_prisma_migrations' ORDER BY 1`,
  );
  const whole: Record<string, unknown> = {};
  for (const { relname } of tables) {
    whole[relname] = (await query(url, `SELECT t::text FROM "${relname}" t ORDER BY 1`)).rows;
  }
  return whole;
}

test('what was backed up comes back, byte for byte, immutable as it was', async () => {
  const before = await dump(source.url);
  const outcome = await backup(source.url, file, silent);
  expect(outcome).toEqual({ rows: 2_006, bytes: statSync(file).size });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['whole.hiphop']);

  expect(await restore(target.url, file, { force: false }, silent)).toEqual({ rows: 2_006 });
  expect(await dump(target.url)).toEqual(before);
  const { prisma, close } = connectDatabase(target.url);
  expect(Buffer.from((await prisma.spectrogram.findFirstOrThrow()).levels)).toEqual(levels);
  await expect(prisma.dataSet.deleteMany()).rejects.toThrow(/immutable/);
  await expect(
    query(
      target.url,
      'INSERT INTO data_set_tracks SELECT 1, 2, content_hash, parameters_hash, 1, true, split, 1 FROM data_set_tracks',
    ),
  ).rejects.toThrow(/takes no more tracks/);
  // The highest row was deleted before the backup: its number is not given out again.
  const added = await prisma.track.create({
    data: { source: 'folder', sourceKey: 'new', title: '', location: '/' },
  });
  expect(added.id).toBe(2_001);
  await close();
});

test('a database with rows is left alone, unless it is to be replaced', async () => {
  await query(target.url, `INSERT INTO artists (name, source_key, key) VALUES ('Old', 'old', 'old')`);
  await expect(restore(target.url, file, { force: false }, silent)).rejects.toThrow(
    /not empty \(table artists\)/,
  );
  expect((await query(target.url, 'SELECT key FROM artists')).rows).toEqual([{ key: 'old' }]);
  await restore(target.url, file, { force: true }, silent);
  expect(await dump(target.url)).toEqual(await dump(source.url));
  await restore(target.url, file, { force: true }, silent);
  expect(await dump(target.url)).toEqual(await dump(source.url));
});

test('a database without tables takes a backup as well', async () => {
  const empty = await createEmptyDatabase(target.url);
  await restore(empty.url, file, { force: false }, silent);
  expect(await dump(empty.url)).toEqual(await dump(source.url));
  await empty.drop();
});

test('busy workers, open transactions and tables of others stand in the way', async () => {
  await query(target.url, `INSERT INTO worker_processes (id, host, pid) VALUES ('w', 'gpu', 7)`);
  await expect(restore(target.url, file, { force: true }, silent)).rejects.toThrow(
    /workers are busy \(process 7 on gpu\)/,
  );
  await query(target.url, 'UPDATE worker_processes SET stopped_at = now()');
  const holder = new pg.Client({ connectionString: target.url });
  await holder.connect();
  await holder.query('BEGIN; SELECT * FROM tracks');
  await expect(restore(target.url, file, { force: true }, silent)).rejects.toThrow(/in use by others/);
  await holder.end();
  await query(target.url, 'CREATE TABLE invoices ()');
  await expect(restore(target.url, file, { force: true }, silent)).rejects.toThrow(
    /table invoices, which is not of this/,
  );
});

test('a user who is no superuser can restore into a database of their own', async () => {
  const role = `owner_${process.pid}`;
  await query(target.url, `CREATE ROLE ${role} LOGIN PASSWORD 'x' NOSUPERUSER`);
  const own = await createEmptyDatabase(target.url);
  await query(own.url, `ALTER DATABASE ${new URL(own.url).pathname.slice(1)} OWNER TO ${role}`);
  const url = new URL(own.url);
  url.username = role;
  url.password = 'x';
  await restore(url.toString(), file, { force: false }, silent);
  await restore(url.toString(), file, { force: true }, silent);
  expect(await dump(own.url)).toEqual(await dump(source.url));
  await own.drop();
  await query(target.url, `DROP ROLE ${role}`);
});

const damaged = /damaged|not a backup made by hiphop/;
const DAMAGE: Record<string, (whole: Buffer) => Buffer> = {
  'is cut short': (whole) => whole.subarray(0, whole.length - 1_000),
  'is cut to its beginning': (whole) => whole.subarray(0, 40),
  'is empty': () => Buffer.alloc(0),
  'is no gzip': () => Buffer.from('-- PostgreSQL database dump'),
  'has a flipped byte': (whole) => flip(whole, Math.floor(whole.length / 2)),
  'has a flipped byte inside a good gzip': (whole) => gzipSync(flip(gunzipSync(whole), 200_000)),
  'lacks its end inside a good gzip': (whole) => gzipSync(gunzipSync(whole).subarray(0, -30)),
  'has a tail inside a good gzip': (whole) =>
    gzipSync(Buffer.concat([gunzipSync(whole), Buffer.from('{}\n')])),
};

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

test.each(Object.keys(DAMAGE))('a backup that %s is refused, and nothing changes', async (kind) => {
  await query(target.url, `INSERT INTO artists (name, source_key, key) VALUES ('Old', 'old', 'old')`);
  const before = await dump(target.url);
  const bad = join(folder, 'bad.hiphop');
  writeFileSync(bad, (DAMAGE[kind] as (whole: Buffer) => Buffer)(readFileSync(file)));
  const restored = restore(target.url, bad, { force: true }, silent);
  await expect(restored).rejects.toThrow(damaged);
  await expect(restored).rejects.toMatchObject({ name: 'UserError' });
  expect(await dump(target.url)).toEqual(before);
  rmSync(bad);
});

test('a backup of a newer program is refused', async () => {
  const [header, ...rest] = gunzipSync(readFileSync(file)).toString('latin1').split('\n');
  const changed = JSON.parse(header ?? '');
  changed.migrations.push({ name: '20990101000000_later', checksum: 'x' });
  const newer = join(folder, 'newer.hiphop');
  writeFileSync(newer, gzipSync(Buffer.from([JSON.stringify(changed), ...rest].join('\n'), 'latin1')));
  await expect(restore(target.url, newer, { force: true }, silent)).rejects.toThrow(/newer hiphop/);
  rmSync(newer);
});

test('what cannot be read or written is named', async () => {
  await expect(restore(target.url, join(folder, 'absent'), { force: true }, silent)).rejects.toThrow(
    /cannot read .*absent/,
  );
  await expect(restore(target.url, folder, { force: true }, silent)).rejects.toThrow(/is not a file/);
  await expect(backup(source.url, folder, silent)).rejects.toThrow(/in the place of a file/);
  await expect(backup(source.url, join(file, 'below'), silent)).rejects.toThrow(/in the place of a file/);
  const empty = await createEmptyDatabase(target.url);
  await expect(backup(empty.url, join(folder, 'none'), silent)).rejects.toThrow(/no hiphop database/);
  expect(existsSync(join(folder, 'none'))).toBe(false);
  await empty.drop();
});

test('the facts about a database name no password', async () => {
  const database = connectDatabase(source.url);
  const info = await databaseInfo(database);
  await database.close();
  expect(info).toMatchObject({ kind: 'embedded', version: expect.stringMatching(/^18\./) });
  expect(info.url).toMatch(/^127\.0\.0\.1:\d+\/test_/);
  expect(info.tables).toContainEqual({ name: 'tracks', rows: 1_999 });
  expect(info.connections.map((connection) => connection.application)).toContain('hiphop');
  expect(info.sizeBytes).toBeGreaterThan(1_000_000);
});
