/** Read a CSV manifest: which audio files there are, how popular they are, and whose they are. */
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from '../../errors.ts';
import { assembleRows, type Reading } from './assemble.ts';
import { findColumns, manifestHelp } from './columns.ts';
import { readTable } from './csv.ts';
import { fileReason, forEachFile, readContent, throwIfCancelled } from './files.ts';
import { locateFile } from './manifest-paths.ts';
import { draftRows, type RowDraft } from './manifest-rows.ts';
import { noTags, readTags } from './tags.ts';
import { decodeText } from './text-encoding.ts';
import type { Catalogue, ReadOptions, RowProblem } from './types.ts';

/** A manifest of a million tracks is some 100 MB; what is larger is not one. */
const maxManifestBytes = 256 * 1024 * 1024;

/**
 * Read a manifest and look at every file it names. Rows that cannot be taken are reported by line,
 * the others are taken. Without a column "popularity" the rows are songs to score. A manifest with
 * neither title nor artist has these filled from the files' tags.
 * @throws UserError when this is no manifest at all: missing, empty, not text, no column "file"
 * @throws CancelledError when `options.signal` is aborted
 */
export async function readManifest(path: string, options: ReadOptions = {}): Promise<Catalogue> {
  const absolute = resolve(path);
  const { text, encoding } = await readText(absolute);
  const table = readTable(text, (fields) => findColumns(fields).at.file !== undefined);
  if (!table.header) {
    const fault = table.faults[0];
    if (fault) throw new UserError(`${path}: the header cannot be read: ${fault.reason}. ${help()}`);
    throw new UserError(`${path} is empty. ${help()}`);
  }
  const columns = findColumns(table.header.fields);
  if (columns.at.file === undefined) throw new UserError(noFileColumn(path, table.header.fields));

  const { drafts, problems, warnings } = draftRows(table, columns);
  const bare = columns.at.title === undefined && columns.at.artist === undefined;
  const readings = await forEachFile(
    drafts,
    (draft) => readDraft(draft, dirname(absolute), bare, options.signal),
    options.onProgress,
  );
  const assembled = assembleRows(readings);
  const hasPopularity = columns.at.popularity !== undefined;
  // Of a row that was not taken, the reason is enough.
  const refused = new Set(assembled.problems.map(({ line }) => line));
  return {
    kind: 'manifest',
    path: absolute,
    ...assembled,
    problems: byLine([...problems, ...assembled.problems]),
    warnings: byLine(warnings.filter(({ line }) => !refused.has(line))),
    notes: notesOn(encoding, hasPopularity, assembled.repeats, drafts.length + problems.length),
    hasPopularity,
  };
}

async function readDraft(
  draft: RowDraft,
  folder: string,
  bare: boolean,
  signal: AbortSignal | undefined,
): Promise<Reading> {
  const place = { file: draft.file, line: draft.line };
  const located = await locateFile(draft.file, folder);
  if ('reason' in located) return { place, reason: located.reason };
  try {
    const content = await readContent(located.path, signal);
    const tags = bare ? ((await readTags(located.path)) ?? noTags) : noTags;
    return { place, path: located.path, content, tags, given: draft };
  } catch (error) {
    throwIfCancelled(signal);
    return { place, reason: fileReason(error) };
  }
}

async function readText(path: string) {
  let bytes: Buffer;
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > maxManifestBytes) throw new UserError(`${path} is too large for a manifest (${size} bytes)`);
      bytes = await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`the manifest ${path} cannot be read: ${fileReason(error)}`);
  }
  if (bytes.length === 0) throw new UserError(`${path} is empty. ${help()}`);
  const spreadsheet = ['504b0304', 'd0cf11e0'].includes(bytes.subarray(0, 4).toString('hex'));
  const decoded = spreadsheet ? null : decodeText(bytes);
  if (!decoded) {
    const hint = spreadsheet ? 'a spreadsheet or archive: save it as CSV first' : 'not text';
    throw new UserError(`${path} is not a CSV manifest but ${hint}. ${help()}`);
  }
  return decoded;
}

function noFileColumn(path: string, header: string[]): string {
  const shown = header.slice(0, 20).map((name) => JSON.stringify(name.slice(0, 40)));
  const more = header.length > shown.length ? ` and ${header.length - shown.length} more` : '';
  return `${path} has no column "file". Columns found: ${shown.join(', ')}${more}. ${help()}`;
}

function help(): string {
  return `${manifestHelp[0]!.toUpperCase()}${manifestHelp.slice(1)}.`;
}

function notesOn(encoding: string, hasPopularity: boolean, repeats: number, records: number): string[] {
  const notes: string[] = [];
  if (encoding === 'Windows-1252') {
    notes.push('the manifest is not UTF-8 and was read as Windows-1252: check the accents of names');
  }
  if (!hasPopularity) notes.push('no column "popularity": these are songs to score, not to learn from');
  if (repeats > 0) notes.push(`rows that name a file again without saying anything new: ${repeats}`);
  if (records === 0) notes.push('the manifest has a header and no rows');
  return notes;
}

function byLine(problems: RowProblem[]): RowProblem[] {
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
