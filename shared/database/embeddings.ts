/** What the music tagger said of recordings, by their content. By plain SQL: Prisma would re-encode the bytes. */
import type pg from 'pg';

type Db = Pick<pg.ClientBase, 'query'>;

/** Embeddings read at once: 10 kB each. */
const chunk = 1_000;

/** Store an embedding, unless it is there: the same audio gives the same. */
export async function storeEmbedding(
  db: Db,
  { contentHash, tagger }: { contentHash: string; tagger: string },
  values: Float32Array,
): Promise<void> {
  const bytes = Buffer.alloc(values.length * Float32Array.BYTES_PER_ELEMENT);
  values.forEach((value, i) => {
    bytes.writeFloatLE(value, i * Float32Array.BYTES_PER_ELEMENT);
  });
  await db.query(
    `INSERT INTO embeddings (content_hash, tagger, values) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [contentHash, tagger, bytes],
  );
}

export async function hasEmbedding(db: Db, contentHash: string, tagger: string): Promise<boolean> {
  const { rowCount } = await db.query(`SELECT FROM embeddings WHERE content_hash = $1 AND tagger = $2`, [
    contentHash,
    tagger,
  ]);
  return (rowCount ?? 0) > 0;
}

/** Count how many of these recordings have one; repeated ones count once. */
export async function countEmbeddings(
  db: Db,
  contentHashes: readonly string[],
  tagger: string,
): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM embeddings WHERE tagger = $1 AND content_hash = ANY($2)`,
    [tagger, contentHashes],
  );
  return rows[0]!.count;
}

/**
 * Read embeddings.
 * @param contentHashes any number of them; repeated ones are read once
 * @param tagger the name under which they were stored
 * @returns by content hash, in the layout of `embeddingParts`; those that are not stored are not in it
 */
export async function readEmbeddings(
  db: Db,
  contentHashes: readonly string[],
  tagger: string,
): Promise<Map<string, Float32Array>> {
  const wanted = [...new Set(contentHashes)];
  const found = new Map<string, Float32Array>();
  for (let start = 0; start < wanted.length; start += chunk) {
    const { rows } = await db.query<{ hash: string; values: Buffer }>(
      `SELECT content_hash AS hash, values FROM embeddings WHERE tagger = $1 AND content_hash = ANY($2)`,
      [tagger, wanted.slice(start, start + chunk)],
    );
    for (const { hash, values } of rows) found.set(hash, floatsOf(values));
  }
  return found;
}

/** Values as they are stored, or a part of them: float32 little-endian. */
export function floatsOf(bytes: Buffer): Float32Array {
  const values = new Float32Array(bytes.length / Float32Array.BYTES_PER_ELEMENT);
  for (let i = 0; i < values.length; i++) values[i] = bytes.readFloatLE(i * Float32Array.BYTES_PER_ELEMENT);
  return values;
}

/** The embedding of a track or song is there after all: what kept it from that needs no more attention. */
export async function resolveEmbeddingFailures(
  db: Db,
  { kind, id }: { kind: 'track' | 'song'; id: number },
): Promise<void> {
  const column = kind === 'track' ? 'track_id' : 'song_id';
  await db.query(
    `UPDATE failures SET state = 'resolved', updated_at = now()
     WHERE ${column} = $1 AND stage = 'embedding' AND state IN ('open', 'retried')`,
    [id],
  );
}
