/** The words of one's own catalogue, as read from a manifest or a folder: nothing here knows of a database. */

/** Where a row came from, in words a person can look up. */
export interface RowPlace {
  /** As the manifest writes it, or the absolute path of a file that was found in a folder. */
  file: string;
  /** Line of the manifest, from 1, where the row begins; null without a manifest. */
  line: number | null;
}

/** One audio file, with what is known about it. Every text is well-formed Unicode without control characters. */
export interface CatalogueRow {
  /** Absolute path. */
  file: string;
  /** Line of the manifest, from 1, where the row begins; null without a manifest. */
  line: number | null;
  /** sha256 of the file's bytes, 64 hexadecimal digits. */
  contentHash: string;
  sizeBytes: number;
  /** Never empty: the file's name stands in for a missing title. */
  title: string;
  /** In the order given, no name twice; empty when nobody is named. */
  artists: string[];
  album: string | null;
  genre: string | null;
  /** Midnight UTC; the first of the month or year where the day or month is not known. */
  releaseDate: Date | null;
  /** Twelve characters, upper case, without hyphens. */
  isrc: string | null;
  trackGroup: string | null;
  /** 0 to 100; null for a song to score, not to learn from. */
  popularity: number | null;
  /** As the tags say; null when they do not, which is no claim about the audio. */
  durationMs: number | null;
  /** The manifest's further columns, by header name, as they came; empty cells are left out. */
  attributes: Record<string, string>;
  /** The earliest row of this catalogue with the same bytes, in another file. */
  duplicateOf: RowPlace | null;
}

/** Something about one row, or one file of a folder, that a person should know. */
export interface RowProblem {
  line: number | null;
  file: string | null;
  /** One line, fit to be shown after "line 7: song.mp3:". */
  reason: string;
}

/** What was read. Good rows are taken whatever the others are like. */
export interface Catalogue {
  kind: 'manifest' | 'folder' | 'file';
  /** Absolute path of what was read. */
  path: string;
  rows: CatalogueRow[];
  /** Rows that were not taken. */
  problems: RowProblem[];
  /** Rows that were taken without one of their cells. */
  warnings: RowProblem[];
  /** About the whole: the encoding that was assumed, files that are not audio. One line each. */
  notes: string[];
  /** Whether popularity was given at all; without it the rows are songs to score. */
  hasPopularity: boolean;
  /** Rows that named a file again without saying anything new; left out of `rows`. */
  repeats: number;
}

export interface ReadOptions {
  /** Called as files are read, at most once a file. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the reading with a CancelledError. */
  signal?: AbortSignal;
}
