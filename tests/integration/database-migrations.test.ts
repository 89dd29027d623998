import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectDatabase, openDatabase } from '../../shared/database/index.ts';
import { applyMigrations, migrationsFolder, readMigrations } from '../../shared/database/migrations.ts';
import { packageRoot } from '../../shared/paths.ts';
import {
  createEmptyDatabase,
  createTestDatabase,
  query,
  quiet,
  type TestDatabase,
} from '../support/database.ts';

const names = readMigrations().map((migration) => migration.name);
let server: TestDatabase;
let empty: TestDatabase;
let folder: string;

beforeAll(async () => {
  server = await createTestDatabase();
});

beforeEach(async () => {
  empty = await createEmptyDatabase(server.url);
  folder = mkdtempSync(join(tmpdir(), 'hiphop-migrations-'));
  cpSync(migrationsFolder, folder, { recursive: true });
  return async () => {
    rmSync(folder, { recursive: true });
    await empty.drop();
  };
});

afterAll(() => server.drop());

/** A later version of the program: one more migration. */
function addMigration(name: string, sql: string): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'migration.sql'), sql);
}

const LATER = '20990101000000_later';

test('a fresh database gets every table once, however many start at once', async () => {
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => applyMigrations(empty.url, quiet)));
  expect(outcomes.flat().sort()).toEqual(names);
  const { rows } = await query(empty.url, 'SELECT migration_name FROM _prisma_migrations ORDER BY 1');
  expect(rows.map((row) => row.migration_name)).toEqual(names);
  const database = connectDatabase(empty.url);
  expect(await database.prisma.track.count()).toBe(0);
  await database.close();
});

test('looking when nothing is to do takes no lock', async () => {
  await applyMigrations(empty.url, quiet);
  const { Client } = (await import('pg')).default;
  const holder = new Client({ connectionString: empty.url });
  await holder.connect();
  await holder.query('SELECT pg_advisory_lock(72707369)');
  expect(await applyMigrations(empty.url, quiet)).toEqual([]);
  await holder.end();
});

test('an older database keeps its rows and gets what is new; the older program refuses it then', async () => {
  await applyMigrations(empty.url, quiet, folder);
  await query(
    empty.url,
    `INSERT INTO artists (name, source_key, key) VALUES ('MF DOOM', 'mf doom', 'mf doom')`,
  );
  addMigration(LATER, `ALTER TABLE artists ADD COLUMN country text NOT NULL DEFAULT 'unknown';\n`);
  expect(await applyMigrations(empty.url, quiet, folder)).toEqual([LATER]);
  const { rows } = await query(empty.url, 'SELECT name, country FROM artists');
  expect(rows).toEqual([{ name: 'MF DOOM', country: 'unknown' }]);
  await expect(applyMigrations(empty.url, quiet)).rejects.toThrow(
    /newer than this hiphop.*20990101000000_later/,
  );
});

test('albums that were a column become rows, one for each title of an artist', async () => {
  const crawl = '20261123100000_crawl';
  const later = join(folder, crawl);
  rmSync(later, { recursive: true });
  await applyMigrations(empty.url, quiet, folder);
  await query(
    empty.url,
    `INSERT INTO artists (id, name, key) VALUES (1, 'Nas', 'nas'), (2, 'Rakim', 'rakim');
     INSERT INTO tracks (id, source, source_key, title, album, location, updated_at) VALUES
       (1, 'folder', 'a', 'One', 'Illmatic', '/a', now()), (2, 'folder', 'b', 'Two', 'illmatic', '/b', now()),
       (3, 'folder', 'c', 'Three', 'Illmatic', '/c', now()), (4, 'folder', 'd', 'Four', NULL, '/d', now());
     INSERT INTO track_artists (track_id, artist_id, position) VALUES (1, 1, 0), (2, 1, 0), (3, 2, 0);
     INSERT INTO crawls (source, query) VALUES ('folder', '{}')`,
  );
  cpSync(join(migrationsFolder, crawl), later, { recursive: true });
  expect(await applyMigrations(empty.url, quiet, folder)).toEqual([crawl]);
  const { rows } = await query(
    empty.url,
    `SELECT t.source_key AS key, a.title FROM tracks t LEFT JOIN albums a ON a.id = t.album_id ORDER BY 1`,
  );
  expect(rows.map(({ key, title }) => [key, title?.toLowerCase() ?? null])).toEqual([
    ...[
      ['a', 'illmatic'],
      ['b', 'illmatic'],
      ['c', 'illmatic'],
      ['d', null],
    ],
  ]);
  const counts = await query(empty.url, 'SELECT count(*)::int AS albums FROM albums');
  expect(counts.rows).toEqual([{ albums: 2 }]);
  const closable = await query(empty.url, 'SELECT count(searched_at)::int AS searched FROM crawls');
  expect(closable.rows).toEqual([{ searched: 1 }]);
});

test('a migration that fails leaves nothing behind and is tried again', async () => {
  addMigration(LATER, 'CREATE TABLE half (); SELECT 1 / 0;');
  await expect(applyMigrations(empty.url, quiet, folder)).rejects.toThrow(
    /migration 20990101000000_later failed and was rolled back: division by zero/,
  );
  expect((await query(empty.url, `SELECT to_regclass('half') AS half`)).rows).toEqual([{ half: null }]);
  writeFileSync(join(folder, LATER, 'migration.sql'), 'CREATE TABLE half ();');
  expect(await applyMigrations(empty.url, quiet, folder)).toEqual([LATER]);
});

test('an edited migration, a half failed one and a database of others are refused', async () => {
  addMigration(LATER, 'CREATE TABLE later ();\n');
  await applyMigrations(empty.url, quiet, folder);
  writeFileSync(join(folder, LATER, 'migration.sql'), 'CREATE TABLE later ();\r\n');
  expect(await applyMigrations(empty.url, quiet, folder)).toEqual([]);
  writeFileSync(join(folder, LATER, 'migration.sql'), 'CREATE TABLE later (id int);\n');
  await expect(applyMigrations(empty.url, quiet, folder)).rejects.toThrow(/is not the one that was applied/);
  await query(
    empty.url,
    `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${LATER}'`,
  );
  await expect(applyMigrations(empty.url, quiet, folder)).rejects.toThrow(/failed halfway/);

  const other = await createEmptyDatabase(server.url);
  await query(other.url, 'CREATE TABLE invoices ()');
  await expect(applyMigrations(other.url, quiet)).rejects.toThrow(
    /holds something else already \(table invoices\)/,
  );
  await other.drop();
});

test("Prisma's own tools find the database up to date and equal to schema.prisma", async () => {
  await applyMigrations(empty.url, quiet);
  const prisma = async (...args: string[]) => {
    const env = { ...process.env, DATABASE_URL: empty.url };
    const run = promisify(execFile)('npm', ['run', '--silent', 'prisma', '--', ...args], {
      cwd: packageRoot,
      env,
    });
    const { stdout, stderr } = await run.catch((error) => error);
    return stdout + stderr;
  };
  expect(await prisma('migrate', 'status')).toMatch(/Database schema is up to date/);
  expect(await prisma('migrate', 'deploy')).toMatch(/No pending migrations to apply/);
  const schema = ['--to-schema', 'prisma/schema.prisma', '--exit-code'];
  expect(await prisma('migrate', 'diff', '--from-config-datasource', ...schema)).toMatch(
    /No difference detected/,
  );
  expect(await prisma('migrate', 'diff', '--from-migrations', 'prisma/migrations', ...schema)).toMatch(
    /No difference detected/,
  );
});

test('an external server is used as it is; one that cannot be used is named without its password', async () => {
  const database = await openDatabase({ dataDir: '/nowhere', databaseUrl: empty.url }, quiet);
  expect(database.kind).toBe('external');
  expect(await database.prisma.track.count()).toBe(0);
  await database.close();

  const wrong = new URL(empty.url);
  wrong.password = 'guess-me';
  const refused = openDatabase({ dataDir: '/nowhere', databaseUrl: wrong.toString() }, quiet);
  await expect(refused).rejects.toThrow(
    /cannot use the PostgreSQL server at 127.0.0.1:\d+\/test_.*password.*wrong/,
  );
  await expect(refused).rejects.not.toThrow(/guess-me/);
  const missing = new URL(empty.url);
  missing.pathname = '/absent';
  await expect(openDatabase({ dataDir: '/nowhere', databaseUrl: missing.toString() }, quiet)).rejects.toThrow(
    /no such database: create it first/,
  );
});

test('a data set is frozen with its transaction', async () => {
  const database = connectDatabase(server.url);
  const { prisma } = database;
  await prisma.spectrogramParameters.create({ data: { hash: 'p', parameters: {} } });
  const track = (key: string) => ({ source: 'folder', sourceKey: key, title: key, location: `/${key}` });
  for (const key of ['a', 'b']) {
    await prisma.track.create({ data: track(key) });
    await prisma.spectrogram.create({
      data: {
        ...{ contentHash: key, parametersHash: 'p', bands: 1, frames: 1, maxDb: 0, audioHash: key },
        ...{ levels: new Uint8Array([1]), durationSeconds: 1, excerptStartSeconds: 0 },
      },
    });
  }
  const member = (dataSetId: number, trackId: number, contentHash: string) => ({
    ...{ dataSetId, trackId, contentHash, parametersHash: 'p' },
    ...{ popularity: 1, popular: true, split: 'train' as const, group: 1 },
  });
  const made = await prisma.$transaction(async (transaction) => {
    const dataSet = await transaction.dataSet.create({
      data: {
        ...{ name: 'v1', parametersHash: 'p', threshold: 50, thresholdRule: 'median', seed: 1 },
        ...{ testFraction: 0.2, holdoutFraction: 0.2, contentHash: 'c', counts: {}, normalisation: {} },
      },
    });
    await transaction.dataSetTrack.createMany({ data: [member(dataSet.id, 1, 'a')] });
    return dataSet;
  });
  const frozen = /data sets are immutable/;
  await expect(prisma.dataSetTrack.create({ data: member(made.id, 2, 'b') })).rejects.toThrow(
    /takes no more tracks/,
  );
  await expect(prisma.dataSet.update({ where: { id: made.id }, data: { threshold: 1 } })).rejects.toThrow(
    frozen,
  );
  await expect(prisma.dataSet.deleteMany()).rejects.toThrow(frozen);
  await expect(prisma.dataSetTrack.updateMany({ data: { popular: false } })).rejects.toThrow(frozen);
  await expect(prisma.dataSetTrack.deleteMany()).rejects.toThrow(frozen);
  await expect(prisma.track.delete({ where: { id: 1 } })).rejects.toThrow();
  for (const table of ['data_sets', 'data_set_tracks', 'tracks']) {
    await expect(query(server.url, `TRUNCATE ${table} CASCADE`)).rejects.toThrow(frozen);
  }
  expect(await prisma.dataSetTrack.count()).toBe(1);
  await database.close();
});
