/** Which tracks are asked for, as SQL: what is typed goes into parameters, never into the text. */

import type pg from 'pg';

export interface Asked {
  search?: string | undefined;
  state?: string | undefined;
  source?: string | undefined;
  genre?: string | undefined;
  popularityFrom?: number | undefined;
  popularityTo?: number | undefined;
  yearFrom?: number | undefined;
  yearTo?: number | undefined;
  kept?: 'true' | 'false' | undefined;
  dataSet?: number | undefined;
  split?: string | undefined;
}

export interface Condition {
  /** Of a statement FROM tracks t. */
  where: string;
  values: unknown[];
}

/** The newest reading of a track. */
export const newestReading = `(SELECT r.value FROM popularity_readings r
  WHERE r.track_id = t.id AND r.value IS NOT NULL ORDER BY r.taken_at DESC, r.id DESC LIMIT 1)`;

/** Words of a search at most. */
const mostWords = 8;
/** A word that so many tracks have is common: it is looked for in what the others have found. */
const common = 2_000;

/**
 * What is asked for as a condition. The rarest word of a search leads, by the indexes of titles and names;
 * the others are looked for in what it finds. Where all are common the rows are walked along instead: so
 * many fit that the first page is soon full.
 */
export async function conditionOf(pool: pg.Pool, asked: Asked): Promise<Condition> {
  const values: unknown[] = [];
  const parts: string[] = [];
  const value = (one: unknown) => {
    values.push(one);
    return `$${values.length}`;
  };
  parts.push(...(await searchParts(pool, asked.search ?? '', value)));
  if (asked.state) parts.push(`t.state = ${value(asked.state)}::"TrackState"`);
  if (asked.source) parts.push(`t.source = ${value(asked.source)}`);
  if (asked.genre) parts.push(`t.genre = ${value(asked.genre)}`);
  parts.push(...popularityParts(asked, value));
  if (asked.yearFrom !== undefined) parts.push(`t.release_date >= make_date(${value(asked.yearFrom)}, 1, 1)`);
  if (asked.yearTo !== undefined) parts.push(`t.release_date < make_date(${value(asked.yearTo + 1)}, 1, 1)`);
  if (asked.kept) {
    const kept = 'EXISTS (SELECT FROM previews p WHERE p.content_hash = t.content_hash)';
    parts.push(asked.kept === 'true' ? kept : `NOT ${kept}`);
  }
  if (asked.dataSet !== undefined) {
    const split = asked.split ? ` AND d.split = ${value(asked.split)}::"Split"` : '';
    parts.push(
      `EXISTS (SELECT FROM data_set_tracks d WHERE d.track_id = t.id AND d.data_set_id = ${value(asked.dataSet)}${split})`,
    );
  }
  return { where: parts.length > 0 ? `WHERE ${parts.join(' AND ')}` : '', values };
}

/** The newest reading lies between; any reading that does leads to it, along the index of their values. */
function popularityParts({ popularityFrom, popularityTo }: Asked, value: (one: unknown) => string): string[] {
  const bounds = [
    ...(popularityFrom === undefined ? [] : [`>= ${value(popularityFrom)}`]),
    ...(popularityTo === undefined ? [] : [`<= ${value(popularityTo)}`]),
  ];
  if (bounds.length === 0) return [];
  const some = bounds.map((bound) => `value ${bound}`).join(' AND ');
  return [
    `t.id IN (SELECT track_id FROM popularity_readings WHERE ${some})`,
    ...bounds.map((bound) => `${newestReading} ${bound}`),
  ];
}

/** An id, an ISRC, or words: each begins a word of the title or of an artist's name, in any order. */
async function searchParts(
  pool: pg.Pool,
  search: string,
  value: (one: unknown) => string,
): Promise<string[]> {
  const text = search.trim();
  const id = /^track-(\d{1,9})$/i.exec(text)?.[1];
  if (id) return [`t.id = ${value(Number(id))}`];
  if (/^[A-Za-z]{2}[A-Za-z0-9]{3}\d{7}$/.test(text)) return [`upper(t.isrc) = upper(${value(text)})`];
  const words = [...new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu))].slice(0, mostWords);
  if (words.length === 0) return text === '' ? [] : ['false'];
  const sizes = await Promise.all(words.map((word) => sizeOf(pool, word)));
  const rarest = sizes.indexOf(Math.min(...sizes));
  return words.map((word, index) => {
    const query = `to_tsquery('simple', ${value(`${word}:*`)})`;
    if (index === rarest && sizes[rarest]! < common) return `t.id IN (${matches(query)})`;
    return `(to_tsvector('simple', t.title) @@ ${query} OR EXISTS (
      SELECT FROM track_artists x JOIN artists a ON a.id = x.artist_id
      WHERE x.track_id = t.id AND to_tsvector('simple', a.name) @@ ${query}))`;
  });
}

/** Tracks that have a word, by the indexes of titles and names. */
const matches = (query: string) => `
  SELECT id FROM tracks WHERE to_tsvector('simple', title) @@ ${query}
  UNION ALL SELECT x.track_id FROM artists a JOIN track_artists x ON x.artist_id = a.id
    WHERE to_tsvector('simple', a.name) @@ ${query}`;

/** How many tracks have a word; `common` stands for that many and more. */
async function sizeOf(pool: pg.Pool, word: string): Promise<number> {
  const { rows } = await pool.query<{ size: number }>(
    `SELECT count(*)::int AS size FROM (${matches("to_tsquery('simple', $1)")} LIMIT ${common}) found`,
    [`${word}:*`],
  );
  return rows[0]!.size;
}
