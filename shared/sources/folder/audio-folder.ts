/** Read a folder of audio: songs with their tags, and no popularity. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { UserError } from '../../errors.ts';
import { assembleRows, type Reading } from './assemble.ts';
import { fileReason, forEachFile, isAudioPath, readContent, throwIfCancelled } from './files.ts';
import { noTags, readTags } from './tags.ts';
import type { Catalogue, ReadOptions, RowProblem } from './types.ts';

/**
 * Read every audio file under a folder, in the order of their paths. Links are followed, each folder
 * once; hidden files and folders are not looked at. A file whose tags cannot be read is named after
 * its path.
 * @throws UserError when the folder cannot be read or holds no audio
 * @throws CancelledError when `options.signal` is aborted
 */
export async function readFolder(path: string, options: ReadOptions = {}): Promise<Catalogue> {
  const found = await walk(resolve(path), options.signal);
  if (found.audio.length === 0) {
    const others = found.ignored.size > 0 ? ` (other files: ${listIgnored(found.ignored)})` : '';
    throw new UserError(
      `${path} holds no audio${others}. ${found.problems[0] ? found.problems[0].reason : ''}`.trim(),
    );
  }
  const notes: string[] = [];
  if (found.ignored.size > 0) notes.push(`not audio, left alone: ${listIgnored(found.ignored)}`);
  if (found.manifests.length > 0) {
    notes.push(
      `this folder holds ${found.manifests.join(', ')}: to learn from a manifest, name the file itself`,
    );
  }
  return readFiles('folder', resolve(path), found.audio, found.problems, notes, options);
}

/** Read one audio file as a catalogue of one: a row, or the problem that there is with it. */
export function readAudioFile(path: string, options: ReadOptions = {}): Promise<Catalogue> {
  return readFiles('file', resolve(path), [resolve(path)], [], [], options);
}

async function readFiles(
  kind: 'folder' | 'file',
  path: string,
  files: string[],
  problems: RowProblem[],
  notes: string[],
  options: ReadOptions,
): Promise<Catalogue> {
  let untagged = 0;
  const readings = await forEachFile(
    files,
    async (file): Promise<Reading> => {
      const place = { file, line: null };
      try {
        const content = await readContent(file, options.signal);
        const tags = await readTags(file);
        if (!tags) untagged++;
        return { place, path: file, content, tags: tags ?? noTags, given: null };
      } catch (error) {
        throwIfCancelled(options.signal);
        return { place, reason: fileReason(error) };
      }
    },
    options.onProgress,
  );
  const assembled = assembleRows(readings);
  if (untagged > 0) notes.push(`files without readable tags, named after their paths: ${untagged}`);
  if (assembled.repeats > 0) notes.push(`links to files that were read already: ${assembled.repeats}`);
  return {
    kind,
    path,
    ...assembled,
    problems: [...problems, ...assembled.problems],
    warnings: [],
    notes,
    hasPopularity: false,
  };
}

interface Found {
  audio: string[];
  /** How many files of each extension were left alone. */
  ignored: Map<string, number>;
  /** Names of tables at the top of the folder. */
  manifests: string[];
  problems: RowProblem[];
}

async function walk(root: string, signal: AbortSignal | undefined): Promise<Found> {
  const found: Found = { audio: [], ignored: new Map(), manifests: [], problems: [] };
  const visited = new Set<string>();
  // A stack and not recursion: a folder may be as deep as it likes.
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    throwIfCancelled(signal);
    let entries: Dirent[];
    try {
      const real = await realpath(folder);
      if (visited.has(real)) continue;
      visited.add(real);
      entries = await readdir(folder, { withFileTypes: true });
    } catch (error) {
      if (folder === root) throw new UserError(`the folder ${root} cannot be read: ${fileReason(error)}`);
      found.problems.push({
        line: null,
        file: folder,
        reason: `this folder cannot be read: ${fileReason(error)}`,
      });
      continue;
    }
    const inner: string[] = [];
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (await isFolder(entry, path)) inner.push(path);
      else sortOut(found, path, entry, folder === root);
    }
    folders.push(...inner);
  }
  found.audio.sort(comparePaths);
  return found;
}

function sortOut(found: Found, path: string, entry: Dirent, top: boolean): void {
  if (isAudioPath(path)) {
    found.audio.push(path);
    return;
  }
  const extension = extname(entry.name).toLowerCase() || '(none)';
  found.ignored.set(extension, (found.ignored.get(extension) ?? 0) + 1);
  if (top && (extension === '.csv' || extension === '.tsv')) found.manifests.push(entry.name);
}

async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // A dangling link: if it is named like audio, reading it says so.
    return false;
  }
}

/** By code units, so that the order is the same on every machine. */
function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function listIgnored(ignored: Map<string, number>): string {
  const parts = [...ignored]
    .sort(([a], [b]) => comparePaths(a, b))
    .map(([name, count]) => `${count} ${name}`);
  return parts.length > 12 ? `${parts.slice(0, 12).join(', ')}, …` : parts.join(', ');
}
