/**
 * The audio's bytes. They go past Prisma, by plain SQL: a studio's WAV has 100 MB, and Prisma would
 * carry it through several encodings at once.
 */
import type pg from 'pg';

/** Read this many bytes at once: a result arrives as hexadecimal text, which must stay a short string. */
const pieceBytes = 16_000_000;

/** Keep the bytes of an audio file under their sha256. Storing them twice changes nothing. */
export async function storePreview(pool: pg.Pool, contentHash: string, bytes: Buffer): Promise<void> {
  await pool.query(
    'INSERT INTO previews (content_hash, bytes) VALUES ($1, $2) ON CONFLICT (content_hash) DO NOTHING',
    [contentHash, bytes],
  );
}

/** The bytes kept under a hash, or null when they are not kept any more. */
export async function loadPreview(pool: pg.Pool, contentHash: string): Promise<Buffer | null> {
  const found = await pool.query<{ size: number }>(
    'SELECT octet_length(bytes) AS size FROM previews WHERE content_hash = $1',
    [contentHash],
  );
  const size = found.rows[0]?.size;
  if (size === undefined) return null;
  const bytes = Buffer.alloc(size);
  for (let start = 0; start < size; start += pieceBytes) {
    // The column is stored uncompressed outside the row, so a piece is read without the rest.
    const piece = await pool.query<{ piece: Buffer }>(
      'SELECT substring(bytes FROM $2 FOR $3) AS piece FROM previews WHERE content_hash = $1',
      [contentHash, start + 1, pieceBytes],
    );
    if (!piece.rows[0]) return null; // another worker has just used it up
    piece.rows[0].piece.copy(bytes, start);
  }
  return bytes;
}
