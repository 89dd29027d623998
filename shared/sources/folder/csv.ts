/** Read a table as spreadsheets write it, and go on after a broken row. */
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';

export interface CsvRecord {
  /** Line of the file, from 1, where the record begins. */
  line: number;
  fields: string[];
}

export interface CsvFault {
  line: number;
  reason: string;
}

export interface CsvTable {
  delimiter: string;
  /** The first record that is not blank; null in a table without any. */
  header: CsvRecord | null;
  /** The records after the header, blank ones left out. */
  records: CsvRecord[];
  faults: CsvFault[];
}

const delimiters = [',', ';', '\t', '|'] as const;

/** A quote that is never closed swallows at most so many characters before it is reported. */
const maxRecordCharacters = 100_000;

/**
 * Read a table whose delimiter is not known.
 * @param text line ends as \n
 * @param isHeader says whether these fields look like the header that is wanted: it decides between
 *   delimiters, since a decimal comma or a comma in a title is no reason to take ',' for one
 */
export function readTable(text: string, isHeader: (fields: string[]) => boolean): CsvTable {
  const declared = /^"?sep=(.)"?[^\S\n]*(?:\n|$)/i.exec(text);
  const start = declared ? declared[0].length : 0;
  const delimiter = declared?.[1] ?? sniffDelimiter(text, isHeader);
  const { records, faults } = readRecords(text.slice(start), delimiter, declared ? 2 : 1);
  const [header = null, ...rest] = records.filter(({ fields }) => fields.some((field) => field !== ''));
  // A fault before the header means that the header itself could not be read.
  const broken = header === null || faults.some(({ line }) => line < header.line);
  return { delimiter, header: broken ? null : header, records: rest, faults };
}

function sniffDelimiter(text: string, isHeader: (fields: string[]) => boolean): string {
  const header = firstRecord(text);
  let best: string = ',';
  let bestScore = 0;
  for (const delimiter of delimiters) {
    const fields = readRecords(header, delimiter, 1).records[0]?.fields ?? [];
    const score = fields.length + (isHeader(fields.map((field) => field.trim())) ? 1_000_000 : 0);
    if (score > bestScore) {
      best = delimiter;
      bestScore = score;
    }
  }
  return best;
}

/** The first record that is not blank: up to a line end outside quotes. */
function firstRecord(text: string): string {
  const start = text.search(/\S/);
  if (start < 0) return '';
  let quoted = false;
  const limit = Math.min(text.length, start + maxRecordCharacters);
  for (let index = start; index < limit; index++) {
    if (text[index] === '"') quoted = !quoted;
    else if (text[index] === '\n' && !quoted) return text.slice(start, index);
  }
  return text.slice(start, limit);
}

function readRecords(
  text: string,
  delimiter: string,
  firstLine: number,
): { records: CsvRecord[]; faults: CsvFault[] } {
  const bytes = Buffer.from(text, 'utf8');
  const records: CsvRecord[] = [];
  const faults: CsvFault[] = [];
  let offset = 0;
  let line = firstLine;
  while (offset < bytes.length) {
    let consumed = 0;
    let lines = 0;
    try {
      parse(bytes.subarray(offset), {
        ...csvOptions(delimiter),
        on_record: (fields, info) => {
          records.push({ line: line + lines, fields: trimmed(fields) });
          lines = info.lines;
          consumed = info.bytes;
          return null;
        },
      });
      break;
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      // Go on at the line after the one where the broken record began, so that a quote that is
      // never closed costs one row and not the rest of the table.
      offset += consumed;
      line += lines;
      const end = bytes.indexOf(0x0a, offset);
      const stop = end < 0 ? bytes.length : end;
      const fields = readLeniently(bytes.subarray(offset, stop), delimiter);
      if (fields) records.push({ line, fields });
      else faults.push({ line, reason: 'a quotation mark in this row is not closed' });
      offset = stop + 1;
      line += 1;
    }
  }
  return { records, faults };
}

/** A line with quotation marks inside a field, as in: 7" mix,Somebody. */
function readLeniently(line: Buffer, delimiter: string): string[] | null {
  try {
    const [fields] = parse(line, { ...csvOptions(delimiter), relax_quotes: true });
    return fields ? trimmed(fields) : null;
  } catch (error) {
    if (error instanceof CsvError) return null;
    throw error;
  }
}

function csvOptions(delimiter: string) {
  return {
    delimiter,
    record_delimiter: '\n',
    relax_column_count: true,
    trim: true,
    max_record_size: maxRecordCharacters,
  };
}

function trimmed(fields: string[]): string[] {
  return fields.map((field) => field.trim());
}
