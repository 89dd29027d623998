import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../errors.ts';
import { filesUnder, type Manifest, sha256Of, writeManifest } from './cache.ts';
import { runCommand } from './command.ts';
import type { Python } from './machine.ts';
import type { Wheel } from './wheel.ts';

/**
 * Unpack the parts of a wheel that are kept. Python is at hand anyway, reads zip files of any size
 * and verifies each file's CRC. Arguments: wheel, folder, then the patterns.
 */
const UNPACK = `
import os, re, sys, zipfile
wheel, folder, patterns = sys.argv[1], sys.argv[2], sys.argv[3:]
kept = re.compile('|'.join(
    re.escape(p).replace(r'\\*', '[^/]+') + ('' if p.endswith('/') else '$') for p in patterns))
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        if entry.is_dir() or not kept.match(entry.filename):
            continue
        path = archive.extract(entry, folder)
        mode = entry.external_attr >> 16
        if mode & 0o111:
            os.chmod(path, 0o755)
`;

/** Wheels that are unpacked into one folder. */
export interface Bundle {
  /** What it is, for people. */
  title: string;
  version: string;
  /** Name of its folder in the cache. */
  name: string;
  wheels: readonly Wheel[];
  /** Paths in the folder that must be there. */
  required: readonly string[];
}

export interface UnpackOptions {
  python: Python;
  bundle: Bundle;
  /** Paths of the verified wheels, in the bundle's order. */
  wheels: readonly string[];
  /** Where the bundle ends up. */
  folder: string;
  /** A folder for half-made things, on the same disk. */
  work: string;
}

/**
 * Unpack a bundle, whole or not at all: it is made aside, and renamed into place.
 * @throws UserError when the disk is full or something is missing in its wheel
 */
export async function unpackBundle(options: UnpackOptions): Promise<void> {
  const { python, bundle, wheels, folder } = options;
  const aside = join(options.work, bundle.name);
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  for (const [index, wheel] of bundle.wheels.entries()) {
    const args = ['-c', UNPACK, wheels[index] ?? '', aside, ...wheel.keep];
    const { status, stderr } = await runCommand(python.command, args);
    if (status !== 0) throw new UserError(reasonOfUnpack(stderr, basename(wheels[index] ?? '')));
  }
  await writeManifest(aside, {
    version: bundle.version,
    wheels: bundle.wheels.map((wheel, index) => ({
      file: basename(wheels[index] ?? ''),
      sha256: wheel.sha256,
      keep: [...wheel.keep],
    })),
    files: await describeFiles(aside, bundle),
  });
  await rm(folder, { recursive: true, force: true });
  await rename(aside, folder);
}

async function describeFiles(folder: string, { title, required }: Bundle): Promise<Manifest['files']> {
  const paths = (await filesUnder(folder)).filter((path) => !path.includes('/include/'));
  for (const path of required) {
    if (!paths.includes(path)) throw new UserError(`${path} is not in the wheel of ${title}`);
  }
  const files: Manifest['files'] = [];
  for (const path of paths) {
    const { size } = await stat(join(folder, path));
    files.push({ path, bytes: size, sha256: await sha256Of(join(folder, path)) });
  }
  return files;
}

function reasonOfUnpack(stderr: string, file: string): string {
  if (/No space left|Errno 28/.test(stderr)) return `${file} could not be unpacked: the disk is full`;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return `${file} could not be unpacked: ${last.slice(0, 200)}`;
}
