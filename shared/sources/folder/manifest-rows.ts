/** From the records of a manifest to drafts of rows, before any file is looked at. */
import { parseArtists, parseIsrc, parsePopularity } from './cells.ts';
import type { ColumnName, Columns } from './columns.ts';
import type { CsvRecord, CsvTable } from './csv.ts';
import { parseReleaseDate, type SlashOrder, slashOrderOf } from './release-date.ts';
import { cleanText } from './text-encoding.ts';
import type { CatalogueRow, RowProblem } from './types.ts';

/** What a manifest says about a file. */
export interface RowDraft
  extends Pick<
    CatalogueRow,
    | 'artists'
    | 'album'
    | 'genre'
    | 'releaseDate'
    | 'isrc'
    | 'trackGroup'
    | 'popularity'
    | 'durationMs'
    | 'attributes'
  > {
  /** As the manifest writes it. */
  file: string;
  line: number;
  title: string | null;
}

export interface Drafts {
  drafts: RowDraft[];
  /** Rows that cannot be taken, whatever their files are. */
  problems: RowProblem[];
  /** Cells that make no sense, in rows that are taken without them. */
  warnings: RowProblem[];
}

/** Make sense of every record; `columns` must have "file". */
export function draftRows(table: CsvTable, columns: Columns): Drafts {
  const width = table.header!.fields.length;
  const drafts: RowDraft[] = [];
  const warnings: RowProblem[] = [];
  const problems: RowProblem[] = table.faults.map(({ line, reason }) => ({ line, file: null, reason }));
  const dates = columns.at.releaseDate;
  const order =
    dates === undefined ? null : slashOrderOf(table.records.map(({ fields }) => fields[dates] ?? ''));

  for (const record of table.records) {
    const { line } = record;
    const file = record.fields[columns.at.file!] || null;
    const refusal = refuse(record, width, file);
    if (refusal) {
      problems.push({ line, file, reason: refusal });
      continue;
    }
    const popularity = parsePopularity(cellOf(record, columns, 'popularity'));
    if (popularity.reason !== null) {
      problems.push({ line, file, reason: popularity.reason });
      continue;
    }
    const warn = (reason: string) => warnings.push({ line, file, reason });
    if (columns.at.popularity !== undefined && popularity.value === null) {
      warn('popularity is empty: a song to score, not to learn from');
    }
    drafts.push(draftOf(record, columns, file!, popularity.value, order, warn));
  }
  return { drafts, problems, warnings };
}

function refuse({ fields }: CsvRecord, width: number, file: string | null): string | null {
  // A delimiter too many at a row's end is harmless; a cell too many means that cells have shifted.
  const given = fields.findLastIndex((field) => field !== '') + 1;
  if (fields.length < width) return `has ${fields.length} columns where the header has ${width}`;
  if (given > width) {
    return `has ${given} columns where the header has ${width} (a text with the delimiter in it needs quotation marks)`;
  }
  if (file === null) return 'names no file';
  return null;
}

function draftOf(
  record: CsvRecord,
  columns: Columns,
  file: string,
  popularity: number | null,
  order: SlashOrder,
  warn: (reason: string) => void,
): RowDraft {
  const cell = (name: ColumnName) => cleanText(cellOf(record, columns, name));
  const date = parseReleaseDate(cell('releaseDate'), order);
  if (date.reason !== null) warn(date.reason);
  const isrc = parseIsrc(cell('isrc'));
  if (isrc.reason !== null) warn(isrc.reason);
  const attributes = columns.others
    .map(({ name, index }) => [cleanText(name), cleanText(record.fields[index] ?? '')] as const)
    .filter(([, value]) => value !== '');
  const milliseconds = Number(cell('durationMs'));
  return {
    file,
    line: record.line,
    title: cell('title') || null,
    artists: parseArtists(cell('artist')),
    album: cell('album') || null,
    genre: cell('genre') || null,
    releaseDate: date.value,
    isrc: isrc.value,
    trackGroup: cell('trackGroup') || null,
    popularity,
    durationMs: milliseconds > 0 && milliseconds < 86_400_000 ? Math.round(milliseconds) : null,
    attributes: Object.fromEntries(attributes),
  };
}

function cellOf(record: CsvRecord, columns: Columns, name: ColumnName): string {
  const index = columns.at[name];
  return index === undefined ? '' : (record.fields[index] ?? '');
}
