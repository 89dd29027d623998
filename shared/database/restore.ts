import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { reasonOf, UserError } from '../errors.ts';
import {
  type BackupHeader,
  type BackupReader,
  backupEndSchema,
  DamagedBackup,
  madeByNewer,
  openBackup,
  type TableEnd,
  tableHeaderSchema,
} from './backup-format.ts';
import { listContent, listTables, listTypesAndFunctions } from './catalogue.ts';
import { type Migration, readMigrations, runMigration } from './migrations.ts';

/** A worker says every 3 s that it is alive. */
const ALIVE_SECONDS = 15;
const LOCK_TIMEOUT_MS = 5_000;

/**
 * Put a backup into a database: all of it, or, whatever goes wrong, nothing at all. The tables are
 * made anew as they were at the time of the backup, filled and checked, and then brought up to date
 * by the migrations since, in one transaction. Stop workers first; jobs still in the queues are of
 * the old rows and have to be cleared by the caller.
 * @param options.force replace what is in the database
 * @param log takes a line for people now and then
 * @throws UserError when the file is damaged or of a newer hiphop, when the database is not empty or
 *   workers are busy in it
 */
export async function restore(
  url: string,
  file: string,
  options: { force: boolean },
  log: (text: string) => void,
): Promise<{ rows: number }> {
  const { reader, header } = await openBackup(file);
  const { past, since } = splitMigrations(header, file);
  const client = new pg.Client({ connectionString: url, application_name: 'hiphop restore' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query('BEGIN');
    await clear(client, options.force);
    for (const migration of past) await runMigration(client, migration);
    const rows = await fill(client, reader, file, log);
    for (const migration of since) await runMigration(client, migration);
    await client.query('COMMIT');
    await client.query('ANALYZE');
    return { rows };
  } catch (error) {
    throw explain(error, file);
  } finally {
    // Without COMMIT the server rolls back, in whatever state the connection is.
    await client.end().catch(() => undefined);
  }
}

/** The migrations that the backup has, and those made since. */
function splitMigrations(header: BackupHeader, file: string): { past: Migration[]; since: Migration[] } {
  const known = readMigrations();
  const past = header.migrations.map(({ name, checksum }) => {
    const migration = known.find((candidate) => candidate.name === name);
    if (!migration) throw madeByNewer(file);
    // Line ends apart, which readMigrations evens out, an edited migration makes other tables.
    if (migration.checksum !== checksum) {
      throw new UserError(`migration ${name} was edited after ${file} was made: bring the old one back`);
    }
    return migration;
  });
  const names = new Set(past.map((migration) => migration.name));
  return { past, since: known.filter((migration) => !names.has(migration.name)) };
}

/** Drop what is there: empty tables, or with force all of them. */
async function clear(client: pg.Client, force: boolean): Promise<void> {
  const tables = await listTables(client);
  if (tables.length === 0) return;
  const names = (list: string[]) => list.map((name) => `public.${client.escapeIdentifier(name)}`).join(', ');
  const known = readMigrations().map((migration) => migration.sql);
  const isOurs = (name: string) =>
    name === '_prisma_migrations' || known.some((sql) => sql.includes(`"${name}"`));
  const foreign = tables.find((name) => !isOurs(name));
  if (foreign) {
    throw new UserError(
      `the database holds table ${foreign}, which is not of this hiphop: use a database of its own`,
    );
  }
  await refuseWorkers(client, tables);
  await client.query(`LOCK TABLE ${names(tables)} IN ACCESS EXCLUSIVE MODE`);
  if (!force) {
    for (const table of await listContent(client)) {
      const { rowCount } = await client.query(`SELECT FROM ${names([table])} LIMIT 1`);
      if (rowCount) {
        throw new UserError(`the database is not empty (table ${table}): --force replaces what is in it`);
      }
    }
  }
  const { types, functions } = await listTypesAndFunctions(client);
  await client.query(`DROP TABLE ${names(tables)}`);
  for (const type of types.filter(isOurs)) await client.query(`DROP TYPE ${names([type])}`);
  for (const { name, signature } of functions) {
    if (isOurs(name)) await client.query(`DROP FUNCTION ${signature}`);
  }
}

async function refuseWorkers(client: pg.Client, tables: string[]): Promise<void> {
  if (!tables.includes('worker_processes')) return;
  const { rows } = await client.query<{ host: string; pid: number }>(
    `SELECT host, pid FROM worker_processes
     WHERE stopped_at IS NULL AND heartbeat_at > now() - make_interval(secs => $1) LIMIT 1`,
    [ALIVE_SECONDS],
  );
  const [worker] = rows;
  if (worker) {
    throw new UserError(
      `workers are busy (process ${worker.pid} on ${worker.host}): stop hiphop up everywhere first`,
    );
  }
}

/** @returns the number of rows */
async function fill(
  client: pg.Client,
  reader: BackupReader,
  file: string,
  log: (text: string) => void,
): Promise<number> {
  const tables = await listContent(client);
  // Data sets are immutable to everybody but this. Only the owner of the tables may do so, which any
  // user is who could make them; references are still checked.
  for (const table of tables) await setTriggers(client, table, 'DISABLE');
  let total = 0;
  for (let left = tables; left.length > 0; ) {
    const { table, columns } = await reader.line(tableHeaderSchema);
    if (!left.includes(table)) throw new DamagedBackup(file, `table ${table} is unknown or comes twice`);
    left = left.filter((name) => name !== table);
    const rows = await fillTable(client, reader, table, columns, file);
    total += rows;
    if (rows > 0) log(`${table}: ${rows} rows`);
  }
  const end = await reader.line(backupEndSchema);
  if (end.rows !== total) throw new DamagedBackup(file, 'the number of rows is wrong');
  await reader.end();
  for (const [sequence, last] of Object.entries(end.sequences)) {
    await client.query('SELECT setval($1::regclass, $2::bigint)', [
      `public.${client.escapeIdentifier(sequence)}`,
      last,
    ]);
  }
  for (const table of tables) await setTriggers(client, table, 'ENABLE');
  return total;
}

async function setTriggers(client: pg.Client, table: string, action: 'ENABLE' | 'DISABLE'): Promise<void> {
  await client.query(`ALTER TABLE public.${client.escapeIdentifier(table)} ${action} TRIGGER USER`);
}

async function fillTable(
  client: pg.Client,
  reader: BackupReader,
  table: string,
  columns: string[],
  file: string,
): Promise<number> {
  const list = columns.map((column) => client.escapeIdentifier(column)).join(', ');
  const sink = client.query(
    copyFrom(`COPY public.${client.escapeIdentifier(table)} (${list}) FROM STDIN (FORMAT binary)`),
  );
  let said: TableEnd | undefined;
  let failed: unknown;
  const source = reader.table((end) => {
    said = end;
  });
  // Breaking off, the server answers with an error of its own, which would hide the cause.
  const watched = async function* () {
    try {
      yield* source;
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  try {
    await pipeline(Readable.from(watched()), sink);
  } catch (error) {
    throw failed ?? error;
  }
  if (said?.rows !== sink.rowCount) throw new DamagedBackup(file, `rows are missing from table ${table}`);
  return sink.rowCount;
}

/** What an error of the server means to a person; other errors pass as they are. */
function explain(error: unknown, file: string): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  switch (error.code) {
    case '55P03':
      return new UserError('the tables are in use by others: stop what works on this database first');
    case '53100':
      return new UserError('the disk of the database is full; nothing was changed');
    case '2BP01':
      return new UserError(
        `something that is not of hiphop depends on its tables: ${error.detail ?? error.message}`,
      );
    default:
  }
  // Bad data, broken references, a malformed message: checksums aside, that is what damage looks like.
  const isDamage = /^(22|23|08P01)/.test(error.code ?? '');
  return isDamage ? new DamagedBackup(file, reasonOf(error)) : error;
}
