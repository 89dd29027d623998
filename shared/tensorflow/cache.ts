import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { Distribution } from './wheels.ts';

/**
 * The cache folder:
 * ```
 * <cacheDir>/tensorflow/
 *   provision.lock                    held by the process that is setting up
 *   downloads/<file>.whl              finished downloads, deleted once they are unpacked
 *   work/                             half-made things; whoever holds the lock may delete it
 *   2.21.0-cpu-linux-x64/             one distribution, laid out as in Python's site-packages
 *     manifest.json                   what is in it: if this is there, it is whole
 *     tensorflow/libtensorflow_cc.so.2, include/
 *     nvidia/<library>/lib/           CUDA, for the GPU
 *     bindings/<key>/tfjs_binding.node
 * ```
 */
export interface CachePaths {
  root: string;
  lock: string;
  downloads: string;
  work: string;
}

/** @param name its folder in the cache; the tagger's has the same layout. */
export function cachePaths(cacheDir: string, name = 'tensorflow'): CachePaths {
  const root = join(cacheDir, name);
  return {
    root,
    lock: join(root, 'provision.lock'),
    downloads: join(root, 'downloads'),
    work: join(root, 'work'),
  };
}

export function distributionFolder(cacheDir: string, distribution: Distribution): string {
  return join(cachePaths(cacheDir).root, distribution.name);
}

const MANIFEST = 'manifest.json';
const manifestSchema = z.object({
  version: z.string(),
  /** The wheels it was unpacked from, and what of them was kept. */
  wheels: z.array(z.object({ file: z.string(), sha256: z.string(), keep: z.array(z.string()) })),
  /** Every file that was unpacked, headers aside: path in the folder, size in bytes, sha256. */
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Write the manifest, whole or not at all. It comes last: it says that everything else is there. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const partial = join(folder, `${MANIFEST}.partial`);
  await writeFile(partial, `${JSON.stringify(manifest, undefined, 2)}\n`);
  await rename(partial, join(folder, MANIFEST));
}

/**
 * Read the manifest of a distribution, if it is whole: unpacked from the very wheels that are
 * pinned, and every file there in its full size. Cheap enough for each start (no checksums).
 */
export function readManifest(
  folder: string,
  distribution: Pick<Distribution, 'wheels'>,
): Manifest | undefined {
  const manifest = parseManifest(join(folder, MANIFEST));
  if (manifest === undefined) return undefined;
  const identify = (wheels: readonly { sha256: string; keep: readonly string[] }[]) =>
    JSON.stringify(wheels.map(({ sha256, keep }) => [sha256, keep]));
  if (identify(manifest.wheels) !== identify(distribution.wheels)) return undefined;
  const isThere = ({ path, bytes }: Manifest['files'][number]) =>
    statSync(join(folder, path), { throwIfNoEntry: false })?.size === bytes;
  return manifest.files.every(isThere) ? manifest : undefined;
}

function parseManifest(path: string): Manifest | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // A manifest of another make, or one that a full disk cut short: the same as none.
    return undefined;
  }
}

/** The sha256 of a file, in hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Every file under a folder, as paths from there, sorted. Links are not followed. */
export async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Bytes of all files under a folder; 0 when there is none. */
export async function bytesUnder(folder: string): Promise<number> {
  const files = await filesUnder(folder);
  // A file can go while this counts: a download that finishes is moved.
  return files.reduce(
    (sum, file) => sum + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** Bytes for people: `274 MB`, `3.4 GB`. */
export function readableBytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
