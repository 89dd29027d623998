/** Rows of uploads, and how many there may be: of a batch, of an account, at a time. */
import type pg from 'pg';
import type { DashboardConfig } from '../../../shared/config.ts';
import { type Db, storedBytes } from '../../../shared/database/uploads.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { notFound, Problem } from '../problem.ts';

/** Uploads of one account that are on their way at once: each lies on this machine's disk. */
const mostAtOnce = 16;
/** Batches of one account. */
export const mostBatches = 2_000;

export interface UploadBatch {
  id: number;
  state: string;
  /** Null: of nobody with an account. */
  ownerId: number | null;
  parametersHash: string;
}

export interface NewSong {
  file: string;
  title: string;
  location: string;
  contentHash: string | null;
  state: 'queued' | 'failed';
  failureReason: string | null;
  /** What the sender calls this upload. */
  key: string | null;
}

type Limits = Pick<DashboardConfig, 'uploadMaxFiles' | 'uploadAccountBytes'>;

/**
 * Whether there is room, before any byte is read. Others may take it meanwhile: `addSong` looks again.
 * @param bytes that are announced; 0: it was not said how many come
 * @throws Problem 422
 */
export async function checkRoom(
  pool: pg.Pool,
  { id, ownerId }: UploadBatch,
  bytes: number,
  limits: Limits,
): Promise<void> {
  if ((await countSongs(pool, id)) >= limits.uploadMaxFiles) throw tooMany(limits);
  if ((await storedBytes(pool, ownerId)) + bytes > limits.uploadAccountBytes) throw full(limits);
}

/** Keep a batch from being deleted until the transaction ends. @throws Problem 404 when it is gone already */
export async function holdBatch(db: Db, id: number): Promise<void> {
  const { rowCount } = await db.query('SELECT FROM score_batches WHERE id = $1 FOR KEY SHARE', [id]);
  if (!rowCount) notFound(publicId('batch', id));
}

/**
 * Add a song to a batch that is held, unless one of its key is there.
 * @returns its id, or that of the song with this key, and whether it was added
 * @throws Problem 422 when the batch or the account has no more room
 */
export async function addSong(
  db: Db,
  { id: batchId, ownerId }: UploadBatch,
  song: NewSong,
  limits: Limits,
): Promise<{ id: number; added: boolean }> {
  // Songs of one owner are counted one after the other, so that two never take the same last place.
  await db.query(`SELECT pg_advisory_xact_lock(hashtextextended('songs of ' || $1::text, 0))`, [
    String(ownerId),
  ]);
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO songs (batch_id, file, title, location, content_hash, state, failure_reason, upload_key, warnings)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '{}')
     ON CONFLICT (batch_id, upload_key) DO NOTHING RETURNING id`,
    [
      ...[batchId, song.file, song.title, song.location, song.contentHash],
      ...[song.state, song.failureReason, song.key],
    ],
  );
  const [added] = rows;
  if (!added) return { id: await sameKey(db, batchId, song.key), added: false };
  if ((await countSongs(db, batchId)) > limits.uploadMaxFiles) throw tooMany(limits);
  if (song.contentHash !== null && (await storedBytes(db, ownerId)) > limits.uploadAccountBytes) {
    throw full(limits);
  }
  return { id: added.id, added: true };
}

async function sameKey(db: Db, batchId: number, key: string | null): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    'SELECT id FROM songs WHERE batch_id = $1 AND upload_key = $2',
    [batchId, key],
  );
  return rows[0]!.id;
}

async function countSongs(db: Db, batchId: number): Promise<number> {
  const { rows } = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM songs WHERE batch_id = $1', [
    batchId,
  ]);
  return rows[0]!.n;
}

const tooMany = ({ uploadMaxFiles }: Limits) =>
  new Problem(422, `a batch has at most ${uploadMaxFiles} songs: begin another one`);

const full = ({ uploadAccountBytes }: Limits) =>
  new Problem(
    422,
    `the songs kept here would have more than ${Math.round(uploadAccountBytes / 1e6)} MB in all: delete some that are done with`,
  );

const underWay = new Map<number | null, number>();

/** Receive an upload of an account. @throws Problem 429 when as many are under way as may be */
export async function uploadsOf<T>(ownerId: number | null, receive: () => Promise<T>): Promise<T> {
  const others = underWay.get(ownerId) ?? 0;
  if (others >= mostAtOnce) {
    throw new Problem(429, `${mostAtOnce} uploads are under way already: send this one when they are done`);
  }
  underWay.set(ownerId, others + 1);
  try {
    return await receive();
  } finally {
    const left = underWay.get(ownerId)! - 1;
    if (left > 0) underWay.set(ownerId, left);
    else underWay.delete(ownerId);
  }
}
