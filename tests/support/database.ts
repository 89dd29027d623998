import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { applyMigrations, readMigrations } from '../../shared/database/migrations.ts';
import { ensureServer, type ServerLease } from '../../shared/database/server.ts';
import { packageRoot } from '../../shared/paths.ts';

/** An empty database with today's tables, of one test file alone. */
export interface TestDatabase {
  url: string;
  /** Drop it, whoever is still connected. */
  drop(): Promise<void>;
}

export const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Kept between runs, so that only the first pays for initdb. The server ends by itself after the run. */
const dataDir = join(packageRoot, 'node_modules', '.cache', 'hiphop-tests');
const LOCK = 801_230_041;

let lease: Promise<ServerLease> | undefined;
let open = 0;
let made = 0;

/** Clone a database for a test file from a template that has the migrations applied: some 100 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  open++;
  lease ??= startServer();
  const server = await lease;
  const name = `test_${process.pid}_${++made}`;
  await withAdmin(server.url, async (admin) => {
    const template = await ensureTemplate(admin, server.url);
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    // What a crash of the machine loses of a test is no loss.
    await admin.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  });
  return {
    url: addressOf(server.url, name),
    drop: async () => {
      await withAdmin(server.url, (admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
      open--;
      if (open > 0) return;
      lease = undefined;
      await server.release();
    },
  };
}

/** A database with no tables at all, beside the given one. */
export async function createEmptyDatabase(beside: string): Promise<TestDatabase> {
  const name = `test_${process.pid}_${++made}_empty`;
  await withAdmin(beside, (admin) => admin.query(`CREATE DATABASE ${name}`));
  return {
    url: addressOf(beside, name),
    drop: async () => {
      await withAdmin(beside, (admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

/** Run plain SQL on a connection of its own. */
export async function query(url: string, sql: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql, values);
  } finally {
    await client.end();
  }
}

function startServer(): Promise<ServerLease> {
  mkdirSync(dataDir, { recursive: true });
  return ensureServer({ dataDir, log: quiet });
}

/** The template's name says which migrations it has: changed ones make another. */
async function ensureTemplate(admin: pg.Client, url: string): Promise<string> {
  const checksums = readMigrations().map((migration) => migration.checksum);
  const name = `template_${createHash('sha256').update(checksums.join()).digest('hex').slice(0, 16)}`;
  // Test files start side by side: one makes it, the others wait.
  await admin.query('SELECT pg_advisory_lock($1)', [LOCK]);
  try {
    const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount) return name;
    await dropLeftovers(admin);
    const draft = `${name}_draft`;
    await admin.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${draft}`);
    await applyMigrations(addressOf(url, draft), quiet);
    await admin.query(`ALTER DATABASE ${draft} RENAME TO ${name}`);
    // Nobody connects to it by mistake, which would make cloning fail.
    await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    return name;
  } finally {
    await admin.query('SELECT pg_advisory_unlock($1)', [LOCK]);
  }
}

/** Old templates, and what runs that were killed have left. */
async function dropLeftovers(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>(
    `SELECT datname FROM pg_database d WHERE (datname LIKE 'test\\_%' OR datname LIKE 'template\\_%')
     AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)`,
  );
  for (const { datname } of rows) {
    const pid = Number(/^test_(\d+)_/.exec(datname)?.[1]);
    if (!isAlive(pid)) await admin.query(`DROP DATABASE IF EXISTS ${datname}`);
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function withAdmin<T>(url: string, action: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: addressOf(url, 'postgres') });
  await admin.connect();
  try {
    return await action(admin);
  } finally {
    await admin.end();
  }
}

function addressOf(url: string, database: string): string {
  const address = new URL(url);
  address.pathname = `/${database}`;
  return address.toString();
}
