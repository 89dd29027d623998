/** Put together what was said about a file and what is in it; find files and contents that come twice. */
import type { FileContent } from './files.ts';
import type { RowDraft } from './manifest-rows.ts';
import { type Tags, titleOfPath } from './tags.ts';
import type { CatalogueRow, RowPlace, RowProblem } from './types.ts';

/** One file that was looked at, or why it could not be. */
export type Reading =
  | { place: RowPlace; reason: string }
  | {
      place: RowPlace;
      /** Absolute path. */
      path: string;
      content: FileContent;
      tags: Tags;
      /** What the manifest says; null without one. Goes before the tags. */
      given: RowDraft | null;
    };

export interface Assembled {
  rows: CatalogueRow[];
  problems: RowProblem[];
  repeats: number;
}

/** Make rows of readings, in their order: of two rows about one file the first counts. */
export function assembleRows(readings: readonly Reading[]): Assembled {
  const rows: CatalogueRow[] = [];
  const problems: RowProblem[] = [];
  const byFile = new Map<string, { row: CatalogueRow; place: RowPlace }>();
  const byContent = new Map<string, RowPlace>();
  let repeats = 0;

  for (const reading of readings) {
    const { place } = reading;
    if ('reason' in reading) {
      problems.push({ ...place, reason: reading.reason });
      continue;
    }
    const popularity = reading.given?.popularity ?? null;
    const earlier = byFile.get(reading.content.realPath);
    if (earlier) {
      if (popularity === null || popularity === earlier.row.popularity) repeats++;
      else problems.push({ ...place, reason: contradiction(earlier, popularity) });
      continue;
    }
    const row = rowOf(reading, byContent.get(reading.content.contentHash) ?? null);
    rows.push(row);
    byFile.set(reading.content.realPath, { row, place });
    if (!row.duplicateOf) byContent.set(row.contentHash, place);
  }
  return { rows, problems, repeats };
}

function contradiction(earlier: { row: CatalogueRow; place: RowPlace }, popularity: number): string {
  const first = earlier.row.popularity === null ? 'no popularity' : `popularity ${earlier.row.popularity}`;
  return `is the same file as line ${earlier.place.line}, which has ${first} and not ${popularity}: the earlier row was kept`;
}

function rowOf(
  { place, path, content, tags, given }: Exclude<Reading, { reason: string }>,
  duplicateOf: RowPlace | null,
): CatalogueRow {
  return {
    file: path,
    line: place.line,
    contentHash: content.contentHash,
    sizeBytes: content.sizeBytes,
    title: given?.title ?? tags.title ?? titleOfPath(path),
    artists: given && given.artists.length > 0 ? given.artists : tags.artists,
    album: given?.album ?? tags.album,
    genre: given?.genre ?? tags.genre,
    releaseDate: given?.releaseDate ?? tags.releaseDate,
    isrc: given?.isrc ?? tags.isrc,
    trackGroup: given?.trackGroup ?? null,
    popularity: given?.popularity ?? null,
    durationMs: given?.durationMs ?? tags.durationMs,
    attributes: given?.attributes ?? {},
    duplicateOf,
  };
}
