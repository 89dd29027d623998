import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { reasonOf, UserError } from '../errors.ts';

// A backup is one gzip stream of:
//   a line of JSON: BackupHeader
//   for each table, every table after those it refers to:
//     a line of JSON: TableHeader
//     the rows as PostgreSQL's COPY in binary: pieces of a 32-bit big-endian length and as many bytes,
//     ended by a length of 0
//     a line of JSON: TableEnd
//   a line of JSON: BackupEnd
// What is counted and summed comes after what it is about, so that a backup is written in one pass
// and one that was cut short is seen to be so.

export const FORMAT = 'hiphop-backup';
export const FORMAT_VERSION = 1;

const headerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.number(),
  createdAt: z.string(),
  /** PostgreSQL's version. */
  postgres: z.string(),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
  tables: z.array(z.string()),
});
export type BackupHeader = z.infer<typeof headerSchema>;

export const tableHeaderSchema = z.object({ table: z.string(), columns: z.array(z.string()).min(1) });

const tableEndSchema = z.object({
  rows: z.number(),
  bytes: z.number(),
  /** Of the rows' bytes. */
  sha256: z.string(),
});
export type TableEnd = z.infer<typeof tableEndSchema>;

export const backupEndSchema = z.object({
  end: z.literal(true),
  rows: z.number(),
  /** Last value that each sequence gave out. */
  sequences: z.record(z.string(), z.string().regex(/^-?\d+$/)),
});
export type BackupEnd = z.infer<typeof backupEndSchema>;

/** Damage to the file itself, as against to what reads it. */
export class DamagedBackup extends UserError {
  constructor(file: string, reason: string) {
    super(`${file} is damaged or cut short (${reason}); nothing was changed`);
  }
}

const LENGTH_BYTES = 4;
/** No piece that backup() writes comes near: a length beyond it is damage, not a piece to make room for. */
const LARGEST_PIECE = 1 << 28;
const LONGEST_LINE = 1 << 24;

export function line(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** Frame the bytes of a table and end them with their sum. */
export async function* framed(
  chunks: AsyncIterable<Buffer>,
  rows: () => number,
): AsyncGenerator<Buffer, TableEnd> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    hash.update(chunk);
    bytes += chunk.length;
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(chunk.length);
    yield length;
    yield chunk;
  }
  const end = { rows: rows(), bytes, sha256: hash.digest('hex') };
  yield Buffer.alloc(LENGTH_BYTES);
  yield line(end);
  return end;
}

/** Reads the parts of an unzipped backup one after the other, never more than a piece at once. */
export class BackupReader {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #file: string;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>, file: string) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#file = file;
  }

  /** @throws DamagedBackup when there is no such line here */
  async line<T>(schema: z.ZodType<T>): Promise<T> {
    let end = this.#rest.indexOf(10);
    while (end < 0) {
      if (this.#rest.length > LONGEST_LINE) throw this.#damaged('no text where text should be');
      await this.#more();
      end = this.#rest.indexOf(10);
    }
    try {
      return schema.parse(JSON.parse(this.#take(end + 1).toString('utf8')));
    } catch {
      throw this.#damaged('a line in it does not say what it should');
    }
  }

  /** The bytes of one table, checked against their sum, which `onEnd` gets to see. */
  async *table(onEnd: (end: TableEnd) => void): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    for (;;) {
      await this.#need(LENGTH_BYTES);
      let left = this.#take(LENGTH_BYTES).readUInt32BE();
      if (left === 0) break;
      if (left > LARGEST_PIECE) throw this.#damaged('a piece of impossible length');
      while (left > 0) {
        if (this.#rest.length === 0) await this.#more();
        const piece = this.#take(Math.min(left, this.#rest.length));
        left -= piece.length;
        hash.update(piece);
        yield piece;
      }
    }
    const end = await this.line(tableEndSchema);
    if (end.sha256 !== hash.digest('hex')) throw this.#damaged('a checksum is wrong');
    onEnd(end);
  }

  /** @throws DamagedBackup when something follows */
  async end(): Promise<void> {
    const next = this.#rest.length > 0 ? { done: false } : await this.#chunks.next();
    if (!next.done) throw this.#damaged('something follows its end');
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  async #need(length: number): Promise<void> {
    while (this.#rest.length < length) await this.#more();
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done) throw this.#damaged('it ends too early');
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value]);
  }

  #damaged(reason: string): DamagedBackup {
    return new DamagedBackup(this.#file, reason);
  }
}

/**
 * Open a backup and read its header.
 * @throws UserError when it cannot be read, is something else, or comes from a newer hiphop
 */
export async function openBackup(file: string): Promise<{ reader: BackupReader; header: BackupHeader }> {
  try {
    if (!(await stat(file)).isFile()) throw new UserError(`${file} is not a file`);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`cannot read ${file}: ${reasonOf(error)}`);
  }
  const reader = new BackupReader(unzip(file), file);
  const header = await reader.line(headerSchema).catch((error: unknown) => {
    throw error instanceof DamagedBackup ? notABackup(file) : error;
  });
  if (header.version > FORMAT_VERSION) throw madeByNewer(file);
  return { reader, header };
}

export function madeByNewer(file: string): UserError {
  return new UserError(`${file} was made by a newer hiphop: restore it with that version`);
}

function notABackup(file: string): UserError {
  return new UserError(`${file} is not a backup made by hiphop, or it is damaged; nothing was changed`);
}

async function* unzip(file: string): AsyncGenerator<Buffer> {
  const source = createReadStream(file);
  const unzipped = createGunzip();
  source.on('error', (error) => unzipped.destroy(error));
  try {
    for await (const chunk of source.pipe(unzipped)) yield chunk;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw code.startsWith('Z_') ? new DamagedBackup(file, reasonOf(error)) : error;
  } finally {
    source.destroy();
  }
}
