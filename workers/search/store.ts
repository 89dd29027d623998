/** Store what a page brought: artists, albums, tracks and readings, each once, in a few statements. */
import type pg from 'pg';
import { artistKey } from '../../shared/learning/artists.ts';
import type { SpotifyTrack } from '../../shared/sources/spotify/answer.ts';
import { wordsOf } from '../../shared/sources/spotify/partitions/part.ts';

const source = 'spotify';

export interface StoredPage {
  /** Ids of the page's tracks, in the order of the answer, each once. */
  trackIds: number[];
  /** Those that this crawl had not seen before. */
  newIds: number[];
}

/** Store a page's tracks inside a transaction that holds the crawl's row, so that pages do not deadlock. */
export async function storeTracks(
  client: pg.ClientBase,
  crawl: { id: number; genre: string },
  pageId: number,
  rows: readonly SpotifyTrack[],
): Promise<StoredPage> {
  const tracks = [...new Map(rows.map((row) => [row.id, row])).values()];
  if (tracks.length === 0) return { trackIds: [], newIds: [] };
  const artistIds = await storeArtists(client, tracks);
  const albumIds = await storeAlbums(client, tracks, artistIds);
  const idOf = await upsertTracks(client, crawl.genre, tracks, albumIds);
  const trackIds = tracks.map((track) => idOf.get(track.id)!);
  await client.query(
    `INSERT INTO track_artists (track_id, artist_id, position)
     SELECT * FROM unnest($1::int[], $2::int[], $3::int[]) ON CONFLICT DO NOTHING`,
    columns(
      tracks.flatMap((track) =>
        track.artists.map((artist, position) => [idOf.get(track.id)!, artistIds.get(artist.id)!, position]),
      ),
      3,
    ),
  );
  const { rows: seen } = await client.query<{ id: number }>(
    `INSERT INTO crawl_tracks (crawl_id, track_id, page_id) SELECT $1, id, $2 FROM unnest($3::int[]) AS id
     ON CONFLICT DO NOTHING RETURNING track_id AS id`,
    [crawl.id, pageId, trackIds],
  );
  const newIds = seen.map(({ id }) => id);
  const isNew = new Set(newIds);
  const readings = tracks
    .filter((track) => track.popularity !== null && isNew.has(idOf.get(track.id)!))
    .map((track) => [idOf.get(track.id)!, track.popularity!]);
  await client.query(
    `INSERT INTO popularity_readings (track_id, value, origin, crawl_id)
     SELECT t, v, '${source}', $3 FROM unnest($1::int[], $2::float8[]) AS r(t, v)`,
    [...columns(readings, 2), crawl.id],
  );
  return { trackIds, newIds };
}

async function storeArtists(
  client: pg.ClientBase,
  tracks: readonly SpotifyTrack[],
): Promise<Map<string, number>> {
  const named = tracks.flatMap((track) => [...track.artists, ...track.album.artists]);
  const artists = [...new Map(named.map((artist) => [artist.id, artist])).values()];
  const { rows: added } = await client.query<{ id: number; name: string }>(
    `INSERT INTO artists (source, source_key, name, key)
     SELECT '${source}', * FROM unnest($1::text[], $2::text[], $3::text[])
     ON CONFLICT (source, source_key) DO UPDATE SET name = excluded.name, key = excluded.key
       WHERE artists.name <> excluded.name
     RETURNING id, name`,
    columns(
      artists.map(({ id, name }) => [id, name, artistKey(name)]),
      3,
    ),
  );
  await client.query(
    'INSERT INTO artist_words (word, artist_id) SELECT * FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING',
    columns(
      added.flatMap(({ id, name }) => wordsOf(name).map((word) => [word, id])),
      2,
    ),
  );
  return idsOf(
    client,
    'artists',
    artists.map(({ id }) => id),
  );
}

async function storeAlbums(
  client: pg.ClientBase,
  tracks: readonly SpotifyTrack[],
  artistIds: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  const albums = [...new Map(tracks.map(({ album }) => [album.id, album])).values()];
  await client.query(
    `INSERT INTO albums (source, source_key, title, type, release_date)
     SELECT '${source}', * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[])
     ON CONFLICT (source, source_key) DO UPDATE SET title = excluded.title, type = excluded.type,
       release_date = excluded.release_date
     WHERE (albums.title, albums.type, albums.release_date)
       IS DISTINCT FROM (excluded.title, excluded.type, excluded.release_date)`,
    columns(
      albums.map(({ id, title, type, releaseDate }) => [id, title, type, releaseDate]),
      4,
    ),
  );
  const ids = await idsOf(
    client,
    'albums',
    albums.map(({ id }) => id),
  );
  await client.query(
    `INSERT INTO album_artists (album_id, artist_id, position)
     SELECT * FROM unnest($1::int[], $2::int[], $3::int[]) ON CONFLICT DO NOTHING`,
    columns(
      albums.flatMap((album) =>
        album.artists.map((artist, position) => [ids.get(album.id)!, artistIds.get(artist.id)!, position]),
      ),
      3,
    ),
  );
  return ids;
}

async function upsertTracks(
  client: pg.ClientBase,
  genre: string,
  tracks: readonly SpotifyTrack[],
  albumIds: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  await client.query(
    `INSERT INTO tracks (source, source_key, title, album_id, genre, release_date, isrc, duration_ms, location,
       attributes, state, updated_at)
     SELECT '${source}', k, title, album, $9, released, isrc, ms, location, attributes, 'listed', now()
     FROM unnest($1::text[], $2::text[], $3::int[], $4::date[], $5::text[], $6::int[], $7::text[], $8::jsonb[])
       AS r(k, title, album, released, isrc, ms, location, attributes)
     ON CONFLICT (source, source_key) DO UPDATE SET
       title = excluded.title, album_id = excluded.album_id, release_date = excluded.release_date,
       isrc = excluded.isrc, duration_ms = excluded.duration_ms, attributes = excluded.attributes,
       -- What has been fetched is not fetched from elsewhere; what could not be may have a new address.
       location = CASE WHEN tracks.state IN ('fetched', 'ready') THEN tracks.location
                       ELSE coalesce(excluded.location, tracks.location) END,
       updated_at = now()
     WHERE (tracks.title, tracks.album_id, tracks.release_date, tracks.isrc, tracks.duration_ms, tracks.attributes)
       IS DISTINCT FROM (excluded.title, excluded.album_id, excluded.release_date, excluded.isrc,
         excluded.duration_ms, excluded.attributes)
       OR (tracks.state NOT IN ('fetched', 'ready') AND excluded.location IS NOT NULL
         AND tracks.location IS DISTINCT FROM excluded.location)`,
    [
      ...columns(
        tracks.map((track) => [
          ...[track.id, track.title, albumIds.get(track.album.id)!, track.album.releaseDate, track.isrc],
          ...[track.durationMs, track.previewUrl, JSON.stringify({ explicit: track.explicit })],
        ]),
        8,
      ),
      genre,
    ],
  );
  return idsOf(
    client,
    'tracks',
    tracks.map(({ id }) => id),
  );
}

async function idsOf(
  client: pg.ClientBase,
  table: 'artists' | 'albums' | 'tracks',
  keys: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await client.query<{ id: number; key: string }>(
    `SELECT id, source_key AS key FROM ${table} WHERE source = '${source}' AND source_key = ANY($1)`,
    [keys],
  );
  return new Map(rows.map(({ id, key }) => [key, id]));
}

/** Rows as the columns that unnest() takes. */
function columns(rows: readonly (readonly unknown[])[], count: number): unknown[][] {
  return Array.from({ length: count }, (_, index) => rows.map((row) => row[index]));
}
