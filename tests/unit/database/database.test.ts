import { expect, test } from 'vitest';
import { redactUrl } from '../../../shared/database/address.ts';
import { BackupReader, framed, line, tableHeaderSchema } from '../../../shared/database/backup-format.ts';
import { sortByReferences } from '../../../shared/database/catalogue.ts';
import { prepareBinaries } from '../../../shared/database/embedded/binaries.ts';
import { commandLineOf, isRunning } from '../../../shared/database/embedded/processes.ts';

test('tables come after those they refer to', () => {
  const references = [
    { from: 'scores', to: 'songs' },
    { from: 'songs', to: 'batches' },
    { from: 'batches', to: 'models' },
  ];
  const sorted = sortByReferences(['batches', 'models', 'scores', 'songs'], references);
  expect(sorted).toEqual(['models', 'batches', 'songs', 'scores']);
  const circle = [...references, { from: 'models', to: 'scores' }];
  expect(() => sortByReferences(['batches', 'models', 'scores', 'songs'], circle)).toThrow(/circle/);
});

test('an address for people has no user and no password', () => {
  expect(redactUrl('postgresql://me:s3cret@db.example:6432/hiphop?sslmode=require')).toBe(
    'db.example:6432/hiphop',
  );
  expect(redactUrl('postgresql://me:s3cret@db.example/hiphop')).toBe('db.example:5432/hiphop');
  expect(redactUrl('me:s3cret')).not.toContain('s3cret');
});

test('a platform without the server is told to set DATABASE_URL', () => {
  expect(() => prepareBinaries('sunos', 'x64')).toThrow(/sunos-x64 is not installed.*set DATABASE_URL/);
  expect(() => prepareBinaries('win32', 'x64')).toThrow(
    /no embedded PostgreSQL for win32-x64: set DATABASE_URL/,
  );
});

test('preparing the programs twice is the same as once', () => {
  const [once, twice] = [prepareBinaries(), prepareBinaries()];
  expect(twice).toEqual(once);
  expect(once.major).toBeGreaterThanOrEqual(18);
});

test('a process is known by its command line', async () => {
  expect(await isRunning(process.pid, 'node')).toBe(true);
  expect(await isRunning(process.pid, 'keeper-process')).toBe(false);
  expect(await commandLineOf(2 ** 22 + 1)).toBe('');
});

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function wholeTable(): Promise<Buffer> {
  const parts: Buffer[] = [line({ table: 'songs', columns: ['id'] })];
  for await (const part of framed(inPieces(Buffer.from('ten\nlines\nor so'), 4), () => 3)) parts.push(part);
  return Buffer.concat(parts);
}

test.each([1, 3, 7, 1_000])('a table is read as it was written, in pieces of %i bytes', async (size) => {
  const reader = new BackupReader(inPieces(await wholeTable(), size), 'a file');
  expect(await reader.line(tableHeaderSchema)).toEqual({ table: 'songs', columns: ['id'] });
  let rows = 0;
  const read: Buffer[] = [];
  for await (const piece of reader.table((end) => (rows = end.rows))) read.push(Buffer.from(piece));
  expect([Buffer.concat(read).toString(), rows]).toEqual(['ten\nlines\nor so', 3]);
  await reader.end();
});

test('any byte that is flipped or missing in a table is noticed', async () => {
  const whole = await wholeTable();
  const header = line({ table: 'songs', columns: ['id'] }).length;
  const read = async (bytes: Buffer) => {
    const reader = new BackupReader(inPieces(bytes, 5), 'a file');
    await reader.line(tableHeaderSchema);
    let rows = -1;
    for await (const _ of reader.table((end) => (rows = end.rows)));
    await reader.end();
    return rows;
  };
  expect(await read(whole)).toBe(3);
  for (let at = header; at < whole.length; at++) {
    await expect(read(whole.subarray(0, at))).rejects.toThrow(/damaged or cut short/);
    // Further on come the counts: restore() compares them with what PostgreSQL counted.
    if (at >= whole.indexOf('{"rows"')) continue;
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await expect(read(flipped)).rejects.toThrow(/damaged or cut short/);
  }
});
