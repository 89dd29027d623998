/** Which tracks are asked for, as SQL: what is typed goes into parameters, never into the text. */

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
  WHERE r.track_id = t.id AND r.value IS NOT NULL ORDER BY r.taken_at DESC LIMIT 1)`;

/** Words of a search at most. */
const mostWords = 8;

export function conditionOf(asked: Asked): Condition {
  const values: unknown[] = [];
  const parts: string[] = [];
  const value = (one: unknown) => {
    values.push(one);
    return `$${values.length}`;
  };
  for (const part of searchParts(asked.search ?? '', value)) parts.push(part);
  if (asked.state) parts.push(`t.state = ${value(asked.state)}::"TrackState"`);
  if (asked.source) parts.push(`t.source = ${value(asked.source)}`);
  if (asked.genre) parts.push(`t.genre = ${value(asked.genre)}`);
  if (asked.popularityFrom !== undefined) parts.push(`${newestReading} >= ${value(asked.popularityFrom)}`);
  if (asked.popularityTo !== undefined) parts.push(`${newestReading} <= ${value(asked.popularityTo)}`);
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

/** An id, an ISRC, or words: each begins a word of the title or of an artist's name, in any order. */
function searchParts(search: string, value: (one: unknown) => string): string[] {
  const text = search.trim();
  const id = /^track-(\d{1,9})$/i.exec(text)?.[1];
  if (id) return [`t.id = ${value(Number(id))}`];
  if (/^[A-Za-z]{2}[A-Za-z0-9]{3}\d{7}$/.test(text)) return [`upper(t.isrc) = upper(${value(text)})`];
  const words = text.match(/[\p{L}\p{N}]+/gu)?.slice(0, mostWords) ?? [];
  if (words.length === 0 && text !== '') return ['false'];
  return words.map((word) => {
    const query = `to_tsquery('simple', ${value(`${word}:*`)})`;
    // Each side finds its rows by its own index; a condition on both at once could use neither.
    return `t.id IN (
      SELECT id FROM tracks WHERE to_tsvector('simple', title) @@ ${query}
      UNION SELECT x.track_id FROM artists a JOIN track_artists x ON x.artist_id = a.id
        WHERE to_tsvector('simple', a.name) @@ ${query})`;
  });
}

/** Parts of SQL that put tracks in order. */
export function orderOf(sort: string): { join: string; orderBy: string; newestOnly: boolean } {
  const direction = sort.startsWith('-') ? 'DESC' : 'ASC';
  switch (sort.replace(/^-/, '')) {
    case 'title':
      return { join: '', orderBy: `t.title ${direction}, t.id`, newestOnly: false };
    case 'released':
      return { join: '', orderBy: `t.release_date ${direction} NULLS LAST, t.id`, newestOnly: false };
    case 'popularity':
      // Along the index of readings: those that are not the newest of their track are passed over.
      return {
        join: 'JOIN popularity_readings n ON n.track_id = t.id AND n.value IS NOT NULL',
        orderBy: `n.value ${direction}, t.id`,
        newestOnly: true,
      };
    default:
      return { join: '', orderBy: `t.id ${direction}`, newestOnly: false };
  }
}
