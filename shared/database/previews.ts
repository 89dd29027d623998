/**
 * The audio's bytes, and what follows for the tracks that have them. By plain SQL, past Prisma: a studio's
 * WAV has 100 MB, which Prisma would carry through several encodings at once; and a crawl fetches
 * thousands of previews, each in as few round trips as can be.
 *
 * Tracks with the same address (releases of one recording) have the same audio: it is fetched once, and
 * what becomes of it becomes of all of them in one statement.
 */
import type pg from 'pg';
import type { TrackState } from './generated/client.ts';

/** Read this many bytes at once: a result arrives as hexadecimal text, which must stay a short string. */
const pieceBytes = 16_000_000;

/** The row that audio belongs to. */
export interface AudioRow {
  kind: 'track' | 'song';
  id: number;
  /** The address that the audio comes from, which tracks may share; null for a file, which nobody shares. */
  address: string | null;
}

/** What is known of a track before anything is done for its audio. */
export interface TrackRow {
  source: string;
  title: string;
  location: string | null;
  contentHash: string | null;
  /** False when all crawls that it belongs to are cancelled. One that is in no crawl at all is wanted. */
  wanted: boolean;
  /** Whether another track has the same location. */
  shared: boolean;
}

/** A condition of SQL: somebody wants the track whose id this expression is. */
function isWanted(id: string): string {
  return `(NOT EXISTS (SELECT FROM crawl_tracks l WHERE l.track_id = ${id}) OR EXISTS (
    SELECT FROM crawl_tracks l JOIN crawls c ON c.id = l.crawl_id
    WHERE l.track_id = ${id} AND c.state <> 'cancelled'))`;
}

/** Null when the row is gone. */
export async function findTrack(pool: pg.Pool, id: number): Promise<TrackRow | null> {
  const { rows } = await pool.query<TrackRow>(
    `SELECT source, title, location, content_hash AS "contentHash", ${isWanted('t.id')} AS wanted,
       EXISTS (SELECT FROM tracks s WHERE s.location = t.location AND s.id <> t.id) AS shared
     FROM tracks t WHERE id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

/** Nobody wants the track's audio any more: it stays in the catalogue, to be asked for again. */
export async function putBackTrack(pool: pg.Pool, id: number): Promise<void> {
  await pool.query(
    `UPDATE tracks t SET state = 'listed', updated_at = now()
     WHERE id = $1 AND state IN ('queued', 'fetched') AND NOT ${isWanted('t.id')}`,
    [id],
  );
}

/** What has been found out about an address, by whichever track of it. */
export interface KnownAudio {
  /** Of the track that is asked about; the reason when it has failed. */
  state: TrackState;
  failureReason: string | null;
  /** The audio's content hash, when its bytes or its spectrogram are there; null: it has to be fetched. */
  contentHash: string | null;
  /** Whether the bytes are there. */
  kept: boolean;
  /** The newest crawl that wants the track. */
  crawlId: number | null;
}

/** Null when the row is gone. */
export async function findKnownAudio(
  pool: pg.Pool,
  { id, address }: AudioRow,
  parametersHash: string,
): Promise<KnownAudio | null> {
  const { rows } = await pool.query<KnownAudio>(
    `SELECT t.state, t.failure_reason AS "failureReason", known.hash AS "contentHash",
       EXISTS (SELECT FROM previews p WHERE p.content_hash = known.hash) AS kept,
       (SELECT max(c.id) FROM crawl_tracks l JOIN crawls c ON c.id = l.crawl_id
        WHERE l.track_id = t.id AND c.state <> 'cancelled') AS "crawlId"
     FROM tracks t LEFT JOIN LATERAL (
       SELECT s.content_hash AS hash FROM tracks s WHERE s.location = $2 AND (
         EXISTS (SELECT FROM spectrograms m WHERE m.content_hash = s.content_hash AND m.parameters_hash = $3)
         OR EXISTS (SELECT FROM previews p WHERE p.content_hash = s.content_hash))
       LIMIT 1) AS known ON true
     WHERE t.id = $1`,
    [id, address, parametersHash],
  );
  return rows[0] ?? null;
}

/**
 * Keep the bytes under their sha256 and mark the row fetched, or neither; and all queued tracks of the address.
 * A track that is ready with the same audio stays so: only its embedding is wanted.
 */
export async function storeFetched(
  pool: pg.Pool,
  row: AudioRow,
  contentHash: string,
  bytes: Buffer,
): Promise<void> {
  const { text, values } = fetched(row, contentHash);
  const kept = `INSERT INTO previews (content_hash, bytes) VALUES ($1, $${values.length + 1})
    ON CONFLICT (content_hash) DO NOTHING`;
  await pool.query(`WITH kept AS (${kept}) ${text}`, [...values, bytes]);
}

/** Mark the row fetched, whose bytes are kept already; else as `storeFetched`. */
export async function markFetched(pool: pg.Pool, row: AudioRow, contentHash: string): Promise<void> {
  const { text, values } = fetched(row, contentHash);
  await pool.query(text, values);
}

function fetched(row: AudioRow, contentHash: string): { text: string; values: unknown[] } {
  const set = `state = 'fetched', content_hash = $1, failure_reason = NULL`;
  if (row.kind === 'song')
    return { text: `UPDATE songs SET ${set} WHERE id = $2`, values: [contentHash, row.id] };
  return {
    text: `UPDATE tracks SET ${set}, updated_at = now() WHERE id IN (
      SELECT id FROM tracks
      WHERE (id = $2 AND NOT (state = 'ready' AND content_hash = $1)) OR (location = $3 AND state = 'queued')
      ORDER BY id FOR UPDATE)`,
    values: [contentHash, row.id, row.address],
  };
}

/**
 * The spectrogram of the track's audio is stored: it may be learned from. So may all that wait for the same
 * address or have failed with it; their failures are resolved, but for the embedding's, which is another
 * matter. The bytes have served, unless they are kept.
 * @param durationMs of the recording; null when the audio is only a part of it
 */
export async function markTracksReady(
  pool: pg.Pool,
  row: AudioRow,
  audio: { contentHash: string; durationMs: number | null; keepPreview: boolean },
): Promise<number> {
  const { rows } = await pool.query<{ fresh: number }>(
    `WITH before AS (
       SELECT id, state FROM tracks
       WHERE id = $1 OR (location = $2 AND state IN ('queued', 'fetched', 'failed'))
       ORDER BY id FOR UPDATE
     ), moved AS (
       UPDATE tracks SET state = 'ready', content_hash = $3, failure_reason = NULL, updated_at = now(),
         duration_ms = coalesce(duration_ms, $4)
       WHERE id IN (SELECT id FROM before)
       RETURNING id
     ), used AS (DELETE FROM previews WHERE content_hash = $3 AND NOT $5::boolean
     ), resolved AS (
       UPDATE failures SET state = 'resolved', updated_at = now()
       WHERE track_id IN (SELECT id FROM moved) AND stage <> 'embedding' AND state IN ('open', 'retried'))
     SELECT count(*)::int AS fresh FROM before WHERE state <> 'ready'`,
    [row.id, row.address, audio.contentHash, audio.durationMs, audio.keepPreview],
  );
  return rows[0]!.fresh;
}

/**
 * The track's audio has failed for good, and with it all that wait for the same address. What is ready
 * stays so: then only its embedding was wanted.
 * @param forget the audio itself is no good: whoever tries again fetches it anew
 */
export async function markTracksFailed(
  pool: pg.Pool,
  row: AudioRow,
  { reason, forget }: { reason: string; forget: boolean },
): Promise<void> {
  await pool.query(
    `UPDATE tracks SET state = 'failed', failure_reason = $3, updated_at = now(),
       content_hash = CASE WHEN $4 AND $2::text IS NOT NULL THEN NULL ELSE content_hash END
     WHERE id IN (
       SELECT s.id FROM tracks s JOIN tracks t ON t.id = $1
       WHERE (s.id = $1 AND s.state <> 'ready') OR (s.location = $2 AND (
         s.state = 'queued' OR (s.state = 'fetched' AND s.content_hash = t.content_hash)))
       ORDER BY s.id FOR UPDATE OF s)`,
    [row.id, row.address, reason, forget],
  );
}

/** The track's address is of no use any more: another has to be looked up. */
export async function forgetAddress(pool: pg.Pool, { id, address }: AudioRow): Promise<void> {
  await pool.query(`UPDATE tracks SET location = NULL, updated_at = now() WHERE id = $1 AND location = $2`, [
    id,
    address,
  ]);
}

/** Drop bytes that could not be used, unless another row still waits for its turn with them. */
export async function dropPreview(pool: pg.Pool, contentHash: string): Promise<void> {
  await pool.query(
    `DELETE FROM previews WHERE content_hash = $1
       AND NOT EXISTS (SELECT FROM tracks WHERE content_hash = $1 AND state = 'fetched')
       AND NOT EXISTS (SELECT FROM songs WHERE content_hash = $1 AND state = 'fetched')`,
    [contentHash],
  );
}

/** The bytes kept under a hash, or null when they are not kept any more. */
export async function loadPreview(pool: pg.Pool, contentHash: string): Promise<Buffer | null> {
  return readPieces(pool, 'previews', contentHash);
}

/** The bytes of a row; null when there is none. */
export async function readPieces(
  pool: pg.Pool,
  table: 'previews' | 'uploads',
  contentHash: string,
): Promise<Buffer | null> {
  // The column is stored uncompressed outside the row, so a piece is read without the rest.
  const piece = async (start: number) => {
    const { rows } = await pool.query<{ size: number; piece: Buffer }>(
      `SELECT octet_length(bytes) AS size, substring(bytes FROM $2 FOR $3) AS piece
       FROM ${table} WHERE content_hash = $1`,
      [contentHash, start + 1, pieceBytes],
    );
    return rows[0] ?? null; // another worker may have used it up
  };
  const first = await piece(0);
  if (!first || first.size <= pieceBytes) return first?.piece ?? null;
  const bytes = Buffer.alloc(first.size);
  first.piece.copy(bytes);
  for (let start = pieceBytes; start < first.size; start += pieceBytes) {
    const next = await piece(start);
    if (!next) return null;
    next.piece.copy(bytes, start);
  }
  return bytes;
}
