import { existsSync } from 'node:fs';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { UserError } from '../errors.ts';
import { type CachePaths, readableBytes } from './cache.ts';
import { downloadedFile, downloadWheel } from './download.ts';
import { findPython } from './machine.ts';
import { type Bundle, unpackBundle } from './unpack.ts';
import { sizesOf } from './wheels.ts';

/** A lock not renewed for this long, in milliseconds, belongs to a process that was killed. */
const LOCK_STALE_MS = 15_000;
const LOCK_RETRY_MS = 500;

export interface FetchOptions {
  paths: CachePaths;
  /** Commands tried in turn. */
  pythons: readonly string[];
  /** Takes one line for people. */
  log: (line: string) => void;
}

/**
 * Download the wheels of a bundle and unpack what is kept of them into the cache. Whoever calls this holds
 * the lock.
 * @throws UserError when Python, the network or room on the disk is missing, or a checksum is another
 */
export async function fetchBundle(bundle: Bundle, { paths, pythons, log }: FetchOptions): Promise<void> {
  const { title, wheels } = bundle;
  const python = await findPython(pythons);
  if (python.found === undefined) throw new UserError(python.problem);
  await rm(paths.work, { recursive: true, force: true });
  await mkdir(paths.work, { recursive: true });
  await assertSpace(bundle, paths.root);
  const folder = join(paths.root, bundle.name);
  const missing = wheels.filter((wheel) => !existsSync(join(paths.downloads, downloadedFile(wheel))));
  if (missing.length > 0) {
    const { kept } = sizesOf(bundle);
    const { download } = sizesOf({ wheels: missing });
    const sizes = `${readableBytes(download)} from PyPI, once (${readableBytes(kept)} unpacked)`;
    log(`${title}: downloading ${sizes}; kept in ${folder}`);
  }
  const files: string[] = [];
  const common = { python: python.found, work: paths.work, log };
  for (const wheel of wheels)
    files.push(await downloadWheel(wheel, { ...common, downloads: paths.downloads }));
  log(`${title}: unpacking`);
  await unpackBundle({ python: python.found, bundle, wheels: files, folder, work: paths.work });
  for (const file of files) await rm(file, { force: true });
  await rm(paths.work, { recursive: true, force: true });
}

/** @throws UserError when the disk has no room for the download and what is unpacked from it */
async function assertSpace(bundle: Bundle, root: string): Promise<void> {
  const { download, kept } = sizesOf(bundle);
  const { bavail, bsize } = await statfs(root);
  if (bavail * bsize < download + kept) {
    const missing = `${readableBytes(download + kept)} needed, ${readableBytes(bavail * bsize)} free`;
    throw new UserError(
      `too little room for ${bundle.title} in ${root} (${missing}): set CACHE_DIR to another disk`,
    );
  }
}

/**
 * Take the lock of a folder of the cache, waiting for as long as another process works there.
 * @param what is being set up, for people
 * @returns what gives it back
 */
export async function takeLock(
  { root, lock }: CachePaths,
  what: string,
  log: (line: string) => void,
): Promise<() => Promise<void>> {
  await mkdir(root, { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      return await lockfile.lock(root, {
        lockfilePath: lock,
        stale: LOCK_STALE_MS,
        // After a suspended laptop wakes, another process may have taken over. Both then work on, which
        // is a waste but no harm: what counts is checked, and renamed into place at the end.
        onCompromised: () => {},
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      if (!waited) log(`another process is setting up ${what}: waiting for it`);
      await sleep(LOCK_RETRY_MS);
    }
  }
}
