/** Uploads on their way: files in the data folder, while their bytes come and until they are in the database. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../../shared/errors.ts';
import type { Logger } from '../../../shared/logging.ts';
import { Problem } from '../problem.ts';
import type { Context } from '../route.ts';

/** A file that nothing was written to for so long was left by a server that died, in milliseconds. */
const leftMs = 3_600_000;

export interface Received {
  path: string;
  /** sha256 of the bytes. */
  contentHash: string;
  size: number;
}

/** How many bytes are announced; 0: nobody said. @throws Problem 413 before any is read */
export function announcedBytes(request: Context['request'], most: number): number {
  const bytes = Number(request.headers['content-length'] ?? 0);
  if (bytes > most) throw tooLarge(most);
  return bytes;
}

/**
 * Write a request's body to a file, do something with it, and remove it again.
 * @throws Problem 413 when it is larger than `most` bytes: the rest is not read; 400 when it broke off
 */
export async function withBody<T>(
  dataDir: string,
  request: Context['request'],
  most: number,
  work: (received: Received) => Promise<T>,
): Promise<T> {
  const folder = folderOf(dataDir);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, randomUUID());
  try {
    return await work(await receive(request, path, most));
  } finally {
    await rm(path, { force: true });
  }
}

async function receive(request: Context['request'], path: string, most: number): Promise<Received> {
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    // The line stays open when reading stops: the answer goes the same way.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) throw tooLarge(most);
      hash.update(chunk);
      await file.appendFile(chunk);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    const why = (error as { code?: string }).code ?? reasonOf(error);
    throw new Problem(400, `the upload broke off: send it again (${why})`);
  } finally {
    await file.close();
  }
  return { path, size, contentHash: hash.digest('hex') };
}

const tooLarge = (most: number) =>
  new Problem(
    413,
    `the file has more than ${Math.round(most / 1e6)} MB, which is the limit: bounce it to MP3 or FLAC`,
  );

const folderOf = (dataDir: string) => join(dataDir, 'uploads');

/** Remove what servers that died have left of uploads, now and from time to time. */
export function sweepUploads(dataDir: string, log: Logger): { stop: () => void } {
  const sweep = () =>
    removeLeft(folderOf(dataDir)).catch((error) =>
      log.warn({ err: error }, 'what is left of old uploads could not be removed'),
    );
  void sweep();
  const timer = setInterval(sweep, leftMs).unref();
  return { stop: () => clearInterval(timer) };
}

async function removeLeft(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []); // nothing was uploaded yet
  for (const name of names) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs > leftMs) await rm(path, { force: true });
  }
}
