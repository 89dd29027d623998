/**
 * Names that stand for no artist in tags, catalogues and MusicBrainz's special purpose artists
 * (https://musicbrainz.org/doc/Style/Unknown_and_untitled/Special_purpose_artist), folded as by `fold`.
 * Two tracks that share one of these share nothing.
 */
const placeholders = new Set([
  ...['unknown', 'unknownartist', 'unknownartists', 'artistunknown', 'notknown', 'unbekannt'],
  ...['unbekannterkunstler', 'unbekannterinterpret', 'inconnu', 'artisteinconnu', 'desconocido'],
  ...['artistadesconocido', 'desconhecido', 'artistadesconhecido', 'sconosciuto', 'artistasconosciuto'],
  ...['various', 'variousartist', 'variousartists', 'va', 'vvaa', 'verschiedene', 'verschiedeneinterpreten'],
  ...['divers', 'artistesdivers', 'varios', 'variosartistas', 'artistivari', 'artistimisti', 'diverse'],
  ...['na', 'notavailable', 'notapplicable', 'none', 'null', 'nil', 'undefined', 'nan', 'empty', 'missing'],
  ...['noartist', 'artist', 'artistname', 'unnamed', 'untagged', 'untitled', 'tba', 'tbd', 'tbc'],
  ...['anonymous', 'anon', 'traditional', 'trad', 'data', 'dialogue', 'naturesounds', 'soundtrack', 'ost'],
]);

function fold(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toUpperCase()
    .toLowerCase()
    .replace(/&/g, 'and')
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Say whether a text is a placeholder for a missing value: empty, dashes, `unknown`, `various`, `n/a`, … */
export function isPlaceholder(text: string | null | undefined): boolean {
  if (text === null || text === undefined) return true;
  if (/^[\s\-–—_.?/\\()[\]<>*'"]*$/.test(text)) return true;
  return placeholders.has(fold(text));
}

/** Say whether a name is one artist's, and not empty, unknown, various or the like. */
export function isArtist(name: string | null | undefined): name is string {
  return !isPlaceholder(name);
}

/**
 * Fold an artist's name for comparison: case, accents, spaces and punctuation make no other artist.
 * A name of nothing but symbols (`!!!`) is its own key.
 */
export function artistKey(name: string): string {
  return fold(name) || name.trim().toLowerCase();
}
