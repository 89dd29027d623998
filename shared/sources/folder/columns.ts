/** Which column of a manifest is which. */

export type ColumnName =
  | 'file'
  | 'popularity'
  | 'title'
  | 'artist'
  | 'album'
  | 'releaseDate'
  | 'genre'
  | 'trackGroup'
  | 'isrc'
  | 'durationMs';

/** Header names, lower case with '_' for blanks and hyphens; the first of a list is the proper one. */
const synonyms: Record<ColumnName, readonly string[]> = {
  file: ['file', 'filename', 'file_name', 'path', 'filepath', 'file_path', 'audio_file', 'audio'],
  popularity: ['popularity', 'popularity_score', 'track_popularity'],
  title: ['title', 'name', 'track_title', 'song_title', 'track_name', 'song', 'track'],
  artist: ['artist', 'artists', 'artist_name', 'artist_names', 'performer'],
  album: ['album', 'album_name', 'album_title'],
  releaseDate: ['release_date', 'released', 'release', 'date', 'release_year', 'year'],
  genre: ['genre', 'genres'],
  trackGroup: ['track_group', 'group', 'recording'],
  isrc: ['isrc', 'isrc_code'],
  durationMs: ['duration_ms'],
};

export interface Columns {
  /** Position of each column that was found. */
  at: Partial<Record<ColumnName, number>>;
  /** The other columns, by the name the header gives them. */
  others: { name: string; index: number }[];
}

/** Find the columns of a header. Case, and blanks around a name, do not matter. */
export function findColumns(header: string[]): Columns {
  const names = header.map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, '_'),
  );
  const at: Columns['at'] = {};
  for (const [column, candidates] of Object.entries(synonyms) as [ColumnName, readonly string[]][]) {
    // The proper name wins over a synonym, wherever it stands.
    const name = candidates.find((candidate) => names.includes(candidate));
    if (name !== undefined) at[column] = names.indexOf(name);
  }
  const taken = new Set(Object.values(at));
  const others: Columns['others'] = [];
  const used = new Set<string>();
  for (const [index, name] of header.entries()) {
    if (taken.has(index)) continue;
    let unique = name.trim() || `column ${index + 1}`;
    if (used.has(unique)) unique = `${unique} (column ${index + 1})`;
    used.add(unique);
    others.push({ name: unique, index });
  }
  return { at, others };
}

/** The columns of a manifest, for a person who has to write one. */
export const manifestHelp =
  'a manifest needs a column "file" (relative to the manifest) and, to learn from it, "popularity" (0 to 100); ' +
  'also understood: title, artist, album, release_date, genre, track_group, isrc';
