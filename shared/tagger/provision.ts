/** The tagger's checkpoint: found in the cache, or fetched from PyPI into it. */
import { existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, UserError } from '../errors.ts';
import { cachePaths, readManifest } from '../tensorflow/cache.ts';
import { fetchBundle, takeLock } from '../tensorflow/fetch.ts';
import { REMEDY } from '../tensorflow/load.ts';
import { PYTHONS } from '../tensorflow/machine.ts';
import type { Bundle } from '../tensorflow/unpack.ts';

/** The package's licence is ISC: its text is kept beside the checkpoint. */
const folderInWheel = 'musicnn/MSD_musicnn';
const checkpointFiles = [`${folderInWheel}/.data-00000-of-00001`, `${folderInWheel}/.index`];
const sha256 = 'f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa';

export const taggerBundle: Bundle = {
  title: 'the music tagger (musicnn 0.1.0)',
  version: '0.1.0',
  name: 'musicnn-0.1.0',
  wheels: [
    {
      project: 'musicnn',
      version: '0.1.0',
      platform: 'any',
      sha256,
      bytes: 29_292_476,
      keptBytes: 10_000_000,
      keep: [...checkpointFiles, 'musicnn-0.1.0.dist-info/LICENSE.md'],
    },
  ],
  required: checkpointFiles,
};

/** Raised whenever the same checkpoint would give other numbers: another input, another layout. */
const version = 1;

/** What embeddings are stored under: only those of the same name may be compared. */
export const taggerName = `musicnn-${sha256.slice(0, 8)}-v${version}`;

/** After an attempt that failed, commands leave it at that for an hour: no network stays none for a while. */
const patienceMs = 3_600_000;
const failedFile = 'failed';

function pathsOf(cacheDir: string) {
  const paths = cachePaths(cacheDir, 'tagger');
  return { paths, folder: join(paths.root, taggerBundle.name), failed: join(paths.root, failedFile) };
}

/** The checkpoint's prefix, or undefined where the tagger has not been set up. Cheap: names and sizes alone. */
export function findTagger(cacheDir: string): string | undefined {
  const { folder } = pathsOf(cacheDir);
  return readManifest(folder, taggerBundle) ? join(folder, folderInWheel, '/') : undefined;
}

/** @throws UserError when the tagger has not been set up, with what to do */
export function requireTagger(cacheDir: string): string {
  const found = findTagger(cacheDir);
  if (found === undefined) throw new UserError(`the music tagger is not set up in ${cacheDir}: ${REMEDY}`);
  return found;
}

export interface SetUpTaggerOptions {
  cacheDir: string;
  log: (line: string) => void;
  setting: 'auto' | 'off';
  /** A person asks for it: try even where it has just failed. */
  insist?: boolean;
  /** Stand-ins for what is found on the machine, for tests. */
  using?: { bundle?: Bundle; pythons?: readonly string[] };
}

export interface SetUpTaggerResult {
  ready: boolean;
  /** One line for people; undefined when there is nothing new. */
  note: string | undefined;
}

/**
 * Make the tagger ready: a download of 29 MB, once. Never throws: without Python or network everything else
 * works, and the note says what is missing.
 */
export async function setUpTagger(options: SetUpTaggerOptions): Promise<SetUpTaggerResult> {
  const { cacheDir, log, setting, insist = false } = options;
  if (setting === 'off') return { ready: false, note: undefined };
  const { bundle = taggerBundle, pythons = PYTHONS } = options.using ?? {};
  const { paths, failed } = pathsOf(cacheDir);
  const folder = join(paths.root, bundle.name);
  const isReady = () => readManifest(folder, bundle) !== undefined;
  if (isReady()) return { ready: true, note: undefined };
  if (!insist && existsSync(failed) && Date.now() - statSync(failed).mtimeMs < patienceMs) {
    return { ready: false, note: undefined };
  }
  try {
    const release = await takeLock(paths, bundle.title, log);
    try {
      if (!isReady()) await fetchBundle(bundle, { paths, pythons, log });
    } finally {
      await release();
    }
    return { ready: true, note: `${bundle.title} is ready` };
  } catch (error) {
    await writeFile(failed, '').catch(() => {});
    const without = 'recordings get no embeddings and tags, all else works';
    return {
      ready: false,
      note: `${reasonOf(error)}: ${without}; mend that and ${REMEDY}, or set TAGGER=off`,
    };
  }
}
