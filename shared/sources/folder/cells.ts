/** What the cells of a manifest and the tags of a file mean. */

/** A value, or why there is none. An empty cell is neither. */
export type Cell<T> = { value: T | null; reason: null } | { value: null; reason: string };

const blank = { value: null, reason: null } as const;

/**
 * Read a popularity, with decimal point or decimal comma.
 * @returns 0 to 100
 */
export function parsePopularity(text: string): Cell<number> {
  const cell = text.trim();
  if (cell === '') return blank;
  // No thousands separators: a popularity has none, and taking '1,234.5' apart would be guessing.
  if (!/^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?$/i.test(cell)) {
    return { value: null, reason: `popularity is not a number: ${quote(cell)}` };
  }
  const value = Number(cell.replace(',', '.'));
  if (!(value >= 0 && value <= 100)) {
    return { value: null, reason: `popularity must be 0 to 100, and is ${quote(cell)}` };
  }
  return { value: value === 0 ? 0 : value, reason: null };
}

/**
 * Read an ISRC (ISO 3901): country, registrant, year and designation, with or without hyphens.
 * @returns twelve characters, upper case
 */
export function parseIsrc(text: string): Cell<string> {
  const cell = text.trim();
  if (cell === '') return blank;
  const code = cell
    .toUpperCase()
    .replace(/^ISRC:?/, '')
    .replace(/[\s.‐-―-]/g, '');
  if (!/^[A-Z]{2}[A-Z0-9]{3}\d{7}$/.test(code)) {
    return { value: null, reason: `not an ISRC: ${quote(cell)}` };
  }
  return { value: code, reason: null };
}

/**
 * Split a cell into artists: at ';' and at 'feat.', 'ft.', 'featuring', in brackets or not.
 * Never at ',', '&', '/', 'x' or 'and': "Tyler, The Creator", "Simon & Garfunkel", "AC/DC" and
 * "Lil Nas X" are one artist each, and an artist torn in two would look like two strangers.
 * @returns in the order given, no name twice
 */
export function parseArtists(text: string): string[] {
  const parts = text
    .replace(/[([]\s*(?:feat\.?|ft\.?|featuring)\s+([^)\]]*)[)\]]/gi, ';$1')
    .split(/;|\s+(?:feat\.|ft\.|feat|ft|featuring)\s+/i);
  return distinctNames(parts);
}

/** Drop blanks and, whatever their case, repeated names. */
export function distinctNames(names: readonly string[]): string[] {
  const seen = new Set<string>();
  const kept: string[] = [];
  for (const raw of names) {
    const name = raw.trim().replace(/\s+/g, ' ');
    const key = name.toLowerCase();
    if (name === '' || seen.has(key)) continue;
    seen.add(key);
    kept.push(name);
  }
  return kept;
}

/** A cell as a person would recognise it in a message. */
export function quote(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return `"${line.length > 60 ? `${line.slice(0, 59)}…` : line}"`;
}
