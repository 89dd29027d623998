/** Where a data set's tracks come from, as far as rows tell: what a model must not learn in the sound's stead. */
import type { Pool } from 'pg';
import { artistKey, isArtist, isPlaceholder } from '../learning/artists.ts';
import type { Origin } from '../learning/studies.ts';

/** A source of fewer tracks says little. */
const tracksASource = 5;

/**
 * Name sources by as few of their first words as tell the most of them apart: of `label-x songs/12.ogg` and
 * `label-x songs/13.ogg` both are `label-x`.
 *
 * @param texts what a manifest says; null where nothing.
 */
export function sourceNames(texts: readonly (string | null)[]): (string | null)[] {
  const words = texts.map((text) => (isPlaceholder(text) ? [] : text!.trim().split(/[\s/]+/)));
  const longest = words.reduce((most, parts) => Math.max(most, parts.length), 0);
  let best: { names: (string | null)[]; sources: number } = { names: texts.map(() => null), sources: 0 };
  for (let length = 1; length <= longest; length++) {
    const names = words.map((parts) => (parts.length === 0 ? null : parts.slice(0, length).join(' ')));
    const sizes = new Map<string, number>();
    for (const name of names) if (name !== null) sizes.set(name, (sizes.get(name) ?? 0) + 1);
    const sources = [...sizes.values()].filter((size) => size >= tracksASource).length;
    if (sources > best.sources) best = { names, sources };
  }
  return best.names;
}

interface OriginRow {
  origin: string | null;
  year: number | null;
  artist: string | null;
}

/** Read the origins of a data set's tracks, in the order of their ids. */
export async function readOrigins(pool: Pool, dataSetId: number): Promise<Origin[]> {
  const { rows } = await pool.query<OriginRow>(
    `SELECT COALESCE(t.attributes->>'source', t.attributes->>'label', t.source) AS origin,
            date_part('year', t.release_date)::int AS year,
            (SELECT a.name FROM track_artists ta JOIN artists a ON a.id = ta.artist_id
              WHERE ta.track_id = t.id ORDER BY ta.position LIMIT 1) AS artist
       FROM data_set_tracks d JOIN tracks t ON t.id = d.track_id
      WHERE d.data_set_id = $1 ORDER BY d.track_id`,
    [dataSetId],
  );
  const sources = sourceNames(rows.map(({ origin }) => origin));
  return rows.map(({ year, artist }, index) => ({
    year,
    source: sources[index]!,
    artist: isArtist(artist) ? artistKey(artist) : null,
  }));
}
