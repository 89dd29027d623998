/** A made-up catalogue of any size, as rows: what the pages look through. */
import type pg from 'pg';

/**
 * Fill an empty database: tracks, artists, albums, readings, spectrograms of one cell, failures, a crawl
 * that is under way and some that were done, and a data set of all that is ready. A track in twenty has no
 * reading.
 */
export async function fillCatalogue(pool: pg.Pool, tracks: number): Promise<void> {
  const steps = [
    `INSERT INTO spectrogram_parameters (hash, parameters) VALUES ('0123456789abcdef', '{}')`,
    `INSERT INTO crawls (source, query, query_key, running_key, parameters_hash, quota, started_at, searched_at)
       VALUES ('spotify', '{"genre": "hip-hop", "years": [2019, 2021], "market": "US", "limit": null}', 'bench', 'bench',
         '0123456789abcdef', 'extended', now() - interval '2 hours', now() - interval '1 hour')`,
    `INSERT INTO partitions (crawl_id, query, part, state) VALUES (1, 'bench', '{}', 'done')`,
    `INSERT INTO search_pages (crawl_id, partition_id, "offset", "limit", state, total, rows, new_rows, done_at)
       SELECT 1, 1, 50 * n, 50, 'done', 1000, 50, 48, now() FROM generate_series(0, $1 / 48) n`,
    // Earlier crawls of the same query, each of a tenth of the tracks: what an estimate is made from.
    `INSERT INTO crawls (source, query, query_key, state, parameters_hash, quota, started_at, searched_at, finished_at)
       SELECT 'spotify', '{"genre": "hip-hop", "years": [2019, 2021], "market": "US", "limit": null}', 'bench', 'done',
         '0123456789abcdef', 'extended', now() - k * interval '1 day', now() - k * interval '1 day' + interval '1 hour',
         now() - k * interval '1 day' + interval '3 hours' FROM generate_series(1, 10) k`,
    `INSERT INTO partitions (crawl_id, query, part, state) SELECT k, 'bench', '{}', 'done' FROM generate_series(2, 11) k`,
    `INSERT INTO search_pages (crawl_id, partition_id, "offset", "limit", state, total, rows, new_rows, done_at)
       SELECT k, k, 50 * n, 50, 'done', 1000, 50, 48, now() FROM generate_series(2, 11) k, generate_series(0, $1 / 480) n`,
    `INSERT INTO artists (source, source_key, name, key)
       SELECT 'spotify', 'a' || n, 'Artist ' || md5(n::text), md5(n::text) FROM generate_series(1, $1 / 8) n`,
    `INSERT INTO albums (source, source_key, title, release_date)
       SELECT 'spotify', 'b' || n, 'Album ' || n, date '2019-01-01' + (n % 1000) FROM generate_series(1, $1 / 5) n`,
    `INSERT INTO tracks (source, source_key, title, album_id, genre, release_date, isrc, duration_ms, location, state,
         failure_reason, content_hash)
       SELECT 'spotify', 't' || n, 'Title ' || substr(md5(n::text), 1, 6) || ' ' || substr(md5((n / 7)::text), 1, 4),
         1 + n % ($1 / 5), (array['hip-hop', 'trap', 'drill', 'boom bap'])[1 + n % 4], date '2019-01-01' + (n % 1000),
         'XXBEN' || lpad(n::text, 7, '0'), 120000 + n % 180000, 'https://p.scdn.co/mp3-preview/' || n,
         (CASE WHEN n % 50 = 0 THEN 'failed' WHEN n % 10 = 1 THEN 'queued' ELSE 'ready' END)::"TrackState",
         CASE WHEN n % 50 = 0 THEN 'no preview is offered' END, md5(n::text)
       FROM generate_series(1, $1) n`,
    `INSERT INTO track_artists (track_id, artist_id, position) SELECT n, 1 + n % ($1 / 8), 0 FROM generate_series(1, $1) n`,
    `INSERT INTO crawl_tracks (crawl_id, track_id) SELECT 1, n FROM generate_series(1, $1) n`,
    `INSERT INTO crawl_tracks (crawl_id, track_id) SELECT 2 + n % 10, n FROM generate_series(1, $1) n`,
    `INSERT INTO popularity_readings (track_id, value, origin, crawl_id, taken_at)
       SELECT n, (n * 7919) % 101, 'spotify', 1, now() - interval '1 day' * k FROM generate_series(1, $1) n, generate_series(0, 1) k WHERE n % 20 <> 1`,
    `INSERT INTO spectrograms (content_hash, parameters_hash, bands, frames, max_db, levels, audio_hash, duration_seconds,
         excerpt_start_seconds, warnings)
       SELECT md5(n::text), '0123456789abcdef', 1, 1, 0, '\\x00', md5(n::text), 30, 0, '{}'
       FROM generate_series(1, $1) n WHERE n % 50 <> 0 AND n % 10 <> 1`,
    `INSERT INTO failures (stage, kind, reason, cause, subject, crawl_id, track_id, payload, updated_at)
       SELECT 'preview', 'permanent', 'no preview is offered: reason ' || n % 7, 'no preview is offered: reason ' || n % 7,
         'Title ' || n, 1, n, jsonb_build_object('kind', 'track', 'id', n, 'parametersHash', '0123456789abcdef'), now()
       FROM generate_series(50, $1, 50) n`,
    `INSERT INTO data_sets (name, parameters_hash, threshold, threshold_rule, seed, test_fraction, holdout_fraction,
         content_hash, counts, normalisation)
       VALUES ('bench', '0123456789abcdef', 50, 'median', 1, 0.15, 0.1, 'bench', jsonb_build_object('tracks', $1 * 88 / 100, 'groups', $1 / 8, 'train', jsonb_build_object('tracks', $1 * 7 / 10, 'popular',
           $1 * 35 / 100), 'test', jsonb_build_object('tracks', $1 / 10, 'popular', $1 / 20), 'holdout',
           jsonb_build_object('tracks', $1 * 8 / 100, 'popular', $1 * 4 / 100)), '{}')`,
    `INSERT INTO data_set_tracks (data_set_id, track_id, content_hash, parameters_hash, popularity, popular, split, "group")
       SELECT 1, n, md5(n::text), '0123456789abcdef', (n * 7919) % 101, (n * 7919) % 101 >= 50,
         (CASE WHEN n % 10 = 0 THEN 'holdout' WHEN n % 7 = 0 THEN 'test' ELSE 'train' END)::"Split", n / 8
       FROM generate_series(1, $1) n WHERE n % 50 <> 0 AND n % 10 <> 1`,
  ];
  // A data set is frozen with the transaction that makes it.
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    for (const step of steps) await client.query(step.replaceAll('$1', String(tracks)));
    await client.query('COMMIT');
    await client.query('ANALYZE');
  } finally {
    client.release();
  }
}
