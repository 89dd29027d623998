/**
 * What is known of a track beside its audio. Nothing here may tell what is to be predicted: popularity
 * enters only as readings of the artist's other tracks that were taken before this track came out, and
 * only of tracks that are in no side of the data set.
 */
import type { Pool } from 'pg';
import type { FeatureGroup } from '../training-options.ts';

const releaseFacts = [
  ...['release year', 'release month, sine', 'release month, cosine', 'released on a Friday'],
  ...['minutes', 'on an album', 'on a single', 'on a compilation', 'artists'],
] as const;
const artistFacts = [
  ...['earlier tracks of its artists', 'their mean popularity before its release'],
  'their highest popularity before its release',
] as const;

/** Names of the facts of these groups, in the order of the rows; null where models judge by audio alone. */
export function factNames(groups: readonly FeatureGroup[]): string[] | null {
  const names = [
    ...(groups.includes('release') ? releaseFacts : []),
    ...(groups.includes('artist') ? artistFacts : []),
  ];
  return names.length > 0 ? names : null;
}

interface FactRow {
  released: Date | null;
  minutes: number | null;
  album_type: string | null;
  artists: number;
  earlier: number;
  mean: number | null;
  highest: number | null;
}

const factsSql = `
  SELECT t.release_date AS released, t.duration_ms / 60000.0::float8 AS minutes, al.type AS album_type,
         (SELECT count(*)::int FROM track_artists ta WHERE ta.track_id = t.id) AS artists,
         h.earlier, h.mean, h.highest
    FROM data_set_tracks d
    JOIN tracks t ON t.id = d.track_id
    LEFT JOIN albums al ON al.id = t.album_id
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS earlier, avg(last.value)::float8 AS mean, max(last.value)::float8 AS highest
        FROM (SELECT DISTINCT other.track_id
                FROM track_artists own JOIN track_artists other ON other.artist_id = own.artist_id
               WHERE own.track_id = t.id AND other.track_id <> t.id
                 AND NOT EXISTS (SELECT 1 FROM data_set_tracks same
                                  WHERE same.data_set_id = d.data_set_id AND same.track_id = other.track_id)
             ) others
        JOIN LATERAL (
          SELECT r.value FROM popularity_readings r
           WHERE r.track_id = others.track_id AND r.value IS NOT NULL AND r.taken_at < t.release_date
           ORDER BY r.taken_at DESC LIMIT 1
        ) last ON true
    ) h
   WHERE d.data_set_id = $1 ORDER BY d.track_id`;

/** Read the facts of a data set's tracks, in the order of their ids; NaN where nobody knows. */
export async function readFacts(
  pool: Pool,
  dataSetId: number,
  groups: readonly FeatureGroup[],
): Promise<number[][] | null> {
  if (factNames(groups) === null) return null;
  const { rows } = await pool.query<FactRow>(factsSql, [dataSetId]);
  return rows.map((row) => [
    ...(groups.includes('release') ? releaseRow(row) : []),
    ...(groups.includes('artist') ? artistRow(row) : []),
  ]);
}

function releaseRow({ released, minutes, album_type, artists }: FactRow): number[] {
  const angle = released === null ? Number.NaN : (2 * Math.PI * released.getMonth()) / 12;
  const type = (name: string) => (album_type === null ? Number.NaN : Number(album_type === name));
  return [
    released?.getFullYear() ?? Number.NaN,
    ...[Math.sin(angle), Math.cos(angle), released === null ? Number.NaN : Number(released.getDay() === 5)],
    ...[minutes ?? Number.NaN, type('album'), type('single'), type('compilation')],
    artists > 0 ? artists : Number.NaN,
  ];
}

function artistRow({ earlier, mean, highest }: FactRow): number[] {
  return [Math.log1p(earlier), mean ?? Number.NaN, highest ?? Number.NaN];
}
