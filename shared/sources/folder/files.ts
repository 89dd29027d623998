/** Look at files: which are audio, what is in them, why one cannot be read. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { extname } from 'node:path';
import { CancelledError, reasonOf } from '../../errors.ts';

/** Extensions of the audio formats that the spectrogram stage decodes, lower case. */
export const audioExtensions: ReadonlySet<string> = new Set(
  'mp3 m4a m4b mp4 aac flac wav wave w64 rf64 aif aiff aifc caf ogg oga opus webm mka wma wv ape ac3'
    .split(' ')
    .map((extension) => `.${extension}`),
);

/** Whether a path looks like audio, by its extension alone. */
export function isAudioPath(path: string): boolean {
  return audioExtensions.has(extname(path).toLowerCase());
}

export interface FileContent {
  /** Without symbolic links: two paths of one file have the same. */
  realPath: string;
  /** sha256, hexadecimal. */
  contentHash: string;
  sizeBytes: number;
}

/** Read in pieces of this size: a lossless album side need not fit in memory. */
const pieceBytes = 1 << 20;

/**
 * Hash a file.
 * @throws Error whose message says in plain words why the file cannot be used
 * @throws CancelledError when `signal` is aborted
 */
export async function readContent(path: string, signal?: AbortSignal): Promise<FileContent> {
  try {
    const realPath = await realpath(path);
    // Opening a pipe would wait for its writer for ever, were it not for O_NONBLOCK (absent on Windows).
    const handle = await open(realPath, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await handle.stat();
      if (stats.isDirectory()) throw new Error('is a folder, not an audio file');
      if (!stats.isFile()) throw new Error('is not a regular file');
      const hash = createHash('sha256');
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(stats.size, 1) + 1));
      let sizeBytes = 0;
      for (;;) {
        throwIfCancelled(signal);
        const { bytesRead } = await handle.read(piece, 0, piece.length);
        if (bytesRead === 0) break;
        hash.update(piece.subarray(0, bytesRead));
        sizeBytes += bytesRead;
      }
      if (sizeBytes === 0) throw new Error('is empty (0 bytes)');
      return { realPath, contentHash: hash.digest('hex'), sizeBytes };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    throw new Error(fileReason(error), { cause: error });
  }
}

/** Say why a file or folder could not be read, without a path: the message stands beside it. */
export function fileReason(error: unknown): string {
  switch ((error as NodeJS.ErrnoException | null)?.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read (permission denied)';
    case 'EISDIR':
      return 'is a folder, not a file';
    case 'ELOOP':
      return 'is a symbolic link that leads to itself';
    case 'ENXIO':
      return 'is not a regular file';
    case 'ENAMETOOLONG':
      return 'there is no such file: the name is too long';
    default:
      return reasonOf(error);
  }
}

/** @throws CancelledError when `signal` is aborted */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError('reading the catalogue was cancelled');
}

/** How many files are read at once: enough to hide a disk's latency, few enough for any limit on open files. */
const filesAtOnce = 8;

/**
 * Do something for every item, a few at a time, and keep the order.
 * The first error stops the rest.
 */
export async function forEachFile<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  onProgress: ((done: number, total: number) => void) | undefined,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let done = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index]!);
      } catch (error) {
        next = items.length;
        throw error;
      }
      onProgress?.(++done, items.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(filesAtOnce, items.length) }, lane));
  return results;
}
