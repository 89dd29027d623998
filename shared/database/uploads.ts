/**
 * Songs that were dropped into the pages: their bytes lie in the database, so that a worker on any machine
 * can have them, for as long as a song has them. By plain SQL, past Prisma, and in pieces: a studio's WAV
 * has 100 MB.
 */
import type pg from 'pg';
import { loadPreview, readPieces } from './previews.ts';

export type Db = Pick<pg.ClientBase, 'query'>;

const prefix = 'upload:';

/** Where the audio of a song is read from that was uploaded. */
export function uploadLocation(contentHash: string): string {
  return prefix + contentHash;
}

/** The content hash of an upload; null: it is in a file. Empty: it was refused and never kept. */
export function uploadedHash(location: string): string | null {
  return location.startsWith(prefix) ? location.slice(prefix.length) : null;
}

export interface Upload {
  /** sha256 of the bytes. */
  readonly contentHash: string;
  readonly size: number;
  /** By its content, e.g. `audio/mpeg`. */
  readonly mediaType: string;
}

/**
 * Keep an upload, unless the same bytes are kept already, and store what refers to it, or neither.
 *
 * @param pieces gives the bytes in order, each piece small enough to be sent at once
 * @param steps.before holds what must not go meanwhile, before any audio is held: in the order of whoever deletes
 * @param steps.refer stores what has the upload, in the same transaction
 */
export async function storeUpload<T>(
  pool: pg.Pool,
  { contentHash, size, mediaType }: Upload,
  pieces: () => AsyncIterable<Buffer>,
  { before, refer }: { before: (db: Db) => Promise<void>; refer: (db: Db) => Promise<T> },
): Promise<T> {
  return inTransaction(pool, async (db) => {
    await before(db);
    // Whoever forgets the same audio now would not see what will refer to it.
    await holdAudio(db, [contentHash]);
    if (!(await hasUpload(db, contentHash))) {
      await db.query('CREATE TEMP TABLE upload_pieces (place serial, bytes bytea) ON COMMIT DROP');
      for await (const piece of pieces()) {
        await db.query('INSERT INTO upload_pieces (bytes) VALUES ($1)', [piece]);
      }
      await db.query(
        `INSERT INTO uploads (content_hash, bytes, size, media_type)
         SELECT $1, string_agg(bytes, '' ORDER BY place), $2, $3 FROM upload_pieces`,
        [contentHash, size, mediaType],
      );
    }
    return refer(db);
  });
}

export async function hasUpload(db: Db, contentHash: string): Promise<boolean> {
  const { rowCount } = await db.query('SELECT FROM uploads WHERE content_hash = $1', [contentHash]);
  return (rowCount ?? 0) > 0;
}

/** What an owner's songs keep here, in bytes; the same audio counts once. Null: of nobody with an account. */
export async function storedBytes(db: Db, ownerId: number | null): Promise<number> {
  const { rows } = await db.query<{ bytes: string | null }>(
    `SELECT sum(size) AS bytes FROM uploads WHERE content_hash IN (
       SELECT s.content_hash FROM songs s JOIN score_batches b ON b.id = s.batch_id
       WHERE b.owner_id IS NOT DISTINCT FROM $1 AND s.location LIKE '${prefix}%')`,
    [ownerId],
  );
  return Number(rows[0]!.bytes ?? 0);
}

/** Whether the bytes of a hash are kept, of a preview or an upload. */
export async function keepsAudio(db: Db, contentHash: string): Promise<boolean> {
  const { rows } = await db.query<{ kept: boolean }>(
    `SELECT EXISTS (SELECT FROM uploads WHERE content_hash = $1)
         OR EXISTS (SELECT FROM previews WHERE content_hash = $1) AS kept`,
    [contentHash],
  );
  return rows[0]!.kept;
}

/** The bytes kept under a hash, of a preview or an upload; null when they are not kept. */
export async function loadAudio(pool: pg.Pool, contentHash: string): Promise<Buffer | null> {
  return (await loadPreview(pool, contentHash)) ?? readPieces(pool, 'uploads', contentHash);
}

/**
 * Forget audio that nobody has any more: uploads of no song, and what was made of audio that is neither a
 * song's, nor a track's, nor a data set's.
 */
export async function forgetAudio(db: Db, contentHashes: readonly string[]): Promise<void> {
  await holdAudio(db, contentHashes);
  await db.query(
    `DELETE FROM uploads u WHERE content_hash = ANY($1)
       AND NOT EXISTS (SELECT FROM songs WHERE content_hash = u.content_hash)`,
    [contentHashes],
  );
  for (const table of ['previews', 'embeddings', 'spectrograms']) {
    await db.query(
      `DELETE FROM ${table} a WHERE content_hash = ANY($1)
         AND NOT EXISTS (SELECT FROM songs WHERE content_hash = a.content_hash)
         AND NOT EXISTS (SELECT FROM tracks WHERE content_hash = a.content_hash)
         AND NOT EXISTS (SELECT FROM data_set_tracks WHERE content_hash = a.content_hash)`,
      [contentHashes],
    );
  }
}

/**
 * Until the end of the transaction nobody else stores or forgets these. In order, so that two never wait
 * for each other.
 */
async function holdAudio(db: Db, contentHashes: readonly string[]): Promise<void> {
  await db.query(
    `SELECT pg_advisory_xact_lock(hashtextextended('audio ' || hash, 0))
     FROM unnest($1::text[]) AS hash ORDER BY hash`,
    [[...new Set(contentHashes)].sort()],
  );
}

/** Do all of it or nothing, on one connection. */
export async function inTransaction<T>(pool: pg.Pool, work: (db: Db) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    const broken = await client.query('ROLLBACK').then(
      () => false,
      () => true,
    );
    client.release(broken);
    throw error;
  }
}
