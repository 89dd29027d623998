import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { UserError } from '../errors.ts';
import { type BackupEnd, type BackupHeader, FORMAT, FORMAT_VERSION, framed, line } from './backup-format.ts';
import { listColumns, listContent, readSequences } from './catalogue.ts';
import { readApplied } from './migrations.ts';

export { databaseInfo } from './info.ts';
export { restore } from './restore.ts';

/** Level 1: spectrograms hardly get smaller with more, and the snapshot is open all the while. */
const GZIP_LEVEL = 1;

export interface BackupOutcome {
  rows: number;
  /** Of the file. */
  bytes: number;
}

/**
 * Write everything that lasts into one file (backup-format.ts): one consistent snapshot, while others
 * go on working. Not in it: the queues, whose jobs are made again from the rows, and the list of
 * worker processes. The file appears whole or not at all and takes the place of an older one.
 * @param url connection string
 * @param log takes a line for people now and then
 * @throws UserError when the file cannot be written or the database has no tables
 */
export async function backup(url: string, file: string, log: (text: string) => void): Promise<BackupOutcome> {
  const client = new pg.Client({ connectionString: url, application_name: 'hiphop backup' });
  client.on('error', () => undefined);
  const draft = `${file}.${process.pid}.part`;
  await client.connect();
  try {
    await mkdir(dirname(file), { recursive: true });
    const contents = writeContents(client, log);
    const rows = { total: 0 };
    await pipeline(
      Readable.from(countRows(contents, rows)),
      createGzip({ level: GZIP_LEVEL }),
      createWriteStream(draft, { flags: 'w', mode: 0o600, flush: true }),
    );
    await rename(draft, file);
    return { rows: rows.total, bytes: (await stat(file)).size };
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw fileError(error, file);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function* countRows(
  contents: AsyncGenerator<Buffer, number>,
  rows: { total: number },
): AsyncGenerator<Buffer> {
  rows.total = yield* contents;
}

/** The whole file before compression. @returns the number of rows */
async function* writeContents(
  client: pg.Client,
  log: (text: string) => void,
): AsyncGenerator<Buffer, number> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const tables = await listContent(client);
  const migrations = await readApplied(client);
  if (migrations.length === 0) throw new UserError('there is no hiphop database here to back up');
  const { rows: server } = await client.query<{ server_version: string }>('SHOW server_version');
  const header: BackupHeader = {
    format: FORMAT,
    version: FORMAT_VERSION,
    createdAt: new Date().toISOString(),
    postgres: server[0]?.server_version ?? '',
    migrations: migrations.map(({ name, checksum }) => ({ name, checksum })),
    tables,
  };
  yield line(header);
  let total = 0;
  for (const table of tables) {
    const columns = await listColumns(client, table);
    yield line({ table, columns });
    const list = columns.map((column) => client.escapeIdentifier(column)).join(', ');
    const source = client.query(
      copyTo(`COPY public.${client.escapeIdentifier(table)} (${list}) TO STDOUT (FORMAT binary)`),
    );
    const { rows } = yield* framed(source, () => source.rowCount);
    total += rows;
    if (rows > 0) log(`${table}: ${rows} rows`);
  }
  const end: BackupEnd = { end: true, rows: total, sequences: await readSequences(client) };
  yield line(end);
  await client.query('COMMIT');
  return total;
}

/** What a failed file operation means to a person; other errors pass as they are. */
function fileError(error: unknown, file: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new UserError(`no space left to write ${file}`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new UserError(`cannot write ${file}: no permission`);
  }
  if (code === 'EISDIR' || code === 'ENOTDIR' || code === 'EEXIST') {
    return new UserError(
      `cannot write ${file}: a folder is in the place of a file, or a file in that of a folder`,
    );
  }
  return error;
}
