import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { reasonOf, UserError } from '../errors.ts';
import { packageRoot } from '../paths.ts';
import type { Log } from './log.ts';

// Prisma's own `migrate deploy` takes 1.6 s to find nothing to do and needs an engine that it
// downloads; this takes milliseconds. The rows are those that Prisma's tools write and accept.

export interface Migration {
  /** The folder's name: a time and a word. They are applied in this order. */
  name: string;
  sql: string;
  /** sha256 of the file, as Prisma makes it. */
  checksum: string;
}

interface AppliedMigration {
  name: string;
  checksum: string;
  finished: boolean;
}

/** The advisory lock that Prisma's tools take as well. */
const PRISMA_LOCK = 72_707_369;

const MIGRATIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
  )`;

export const migrationsFolder = join(packageRoot, 'prisma', 'migrations');

/**
 * Bring a database to the tables that this program knows. Each migration is one transaction, so that
 * a failed one leaves nothing; processes that start at once take turns.
 * @param url connection string
 * @param folder holds a folder with a migration.sql for each migration
 * @returns the names of the migrations that were applied now
 * @throws UserError when the database is newer than the program, was changed by other hands, holds
 *   something else, or when a migration fails
 */
export async function applyMigrations(url: string, log: Log, folder = migrationsFolder): Promise<string[]> {
  const known = readMigrations(folder);
  const client = new pg.Client({ connectionString: url, application_name: 'hiphop migrations' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    // Nearly always there is nothing to do, which takes no lock to see.
    if (pendingOf(known, await readApplied(client)).length === 0) return [];
    const applied: string[] = [];
    for (;;) {
      const name = await applyNext(client, known, log);
      if (name === undefined) return applied;
      applied.push(name);
    }
  } finally {
    await client.end();
  }
}

/** The migrations that this program brings, in order. */
export function readMigrations(folder = migrationsFolder): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      // A checkout on Windows may have turned the line ends, which is no edit.
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8').replaceAll('\r\n', '\n');
      return { name, sql, checksum: sha256(sql) };
    });
}

/** The migrations that a database has, in order; none when it has no table of them. */
export async function readApplied(client: pg.ClientBase): Promise<AppliedMigration[]> {
  // Asked first: a query of a missing table would abort the caller's transaction.
  const { rows: tables } = await client.query(`SELECT to_regclass('public._prisma_migrations') AS oid`);
  if (tables[0].oid === null) return [];
  const { rows } = await client.query<AppliedMigration>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
     FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  );
  return rows;
}

/**
 * Run one migration and note it, inside the caller's transaction.
 * @throws UserError with the migration's name and what PostgreSQL said
 */
export async function runMigration(client: pg.ClientBase, migration: Migration): Promise<void> {
  const started = new Date();
  try {
    await client.query(migration.sql);
  } catch (error) {
    throw new UserError(
      `migration ${migration.name} failed and was rolled back: ${reasonOf(error)}. The database is as it was`,
    );
  }
  await client.query(MIGRATIONS_TABLE);
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, $4, clock_timestamp(), 1)`,
    [randomUUID(), migration.checksum, migration.name, started],
  );
}

async function applyNext(client: pg.Client, known: Migration[], log: Log): Promise<string | undefined> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [PRISMA_LOCK]);
    await client.query(MIGRATIONS_TABLE);
    const applied = await readApplied(client);
    const [next] = pendingOf(known, applied);
    if (applied.length === 0) await refuseForeignTables(client);
    if (next) {
      log.info(`applying migration ${next.name}`);
      await runMigration(client, next);
    }
    await client.query('COMMIT');
    return next?.name;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** What is left to apply, once it is certain that the database and the program share their past. */
function pendingOf(known: Migration[], applied: AppliedMigration[]): Migration[] {
  const byName = new Map(known.map((migration) => [migration.name, migration]));
  for (const row of applied) {
    const migration = byName.get(row.name);
    if (!migration) {
      throw new UserError(
        `the database is newer than this hiphop (it has migration ${row.name}): install the version that made it, or restore an older backup`,
      );
    }
    if (!row.finished) {
      throw new UserError(
        `migration ${row.name} failed halfway in this database: restore a backup, or mend it and run npx prisma migrate resolve`,
      );
    }
    if (!checksumsOf(migration.sql).includes(row.checksum)) {
      throw new UserError(
        `migration ${row.name} is not the one that was applied to this database: bring back prisma/migrations/${row.name}/migration.sql as it was`,
      );
    }
  }
  const done = new Set(applied.map((row) => row.name));
  return known.filter((migration) => !done.has(migration.name));
}

/** A database that never saw a migration has to be empty: tables of others are not ours to mix with. */
async function refuseForeignTables(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ table: string; database: string }>(
    `SELECT c.relname AS table, current_database() AS database FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND c.relname <> '_prisma_migrations'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
     LIMIT 1`,
  );
  const [found] = rows;
  if (!found) return;
  throw new UserError(
    `database ${found.database} holds something else already (table ${found.table}): give hiphop a database of its own`,
  );
}

/** Prisma accepts a file with the line ends of either world. */
function checksumsOf(sql: string): string[] {
  return [sha256(sql), sha256(sql.replaceAll('\n', '\r\n'))];
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
