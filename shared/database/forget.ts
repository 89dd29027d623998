/** Songs that are deleted are gone: rows, scores, explanations, audio, and what was made of the audio. */
import type pg from 'pg';
import type { Prisma } from './generated/client.ts';
import { forgetAudio, inTransaction } from './uploads.ts';

type Db = Pick<pg.ClientBase, 'query'>;

/** @returns how many songs it had */
export function forgetBatch(pool: pg.Pool, batchId: number): Promise<number> {
  return inTransaction(pool, async (db) => {
    // Whoever uploads into it now waits here, and finds it gone.
    await db.query('SELECT FROM score_batches WHERE id = $1 FOR UPDATE', [batchId]);
    const songs = await removeSongs(db, 'batch_id = $1', batchId);
    await db.query('DELETE FROM score_batches WHERE id = $1', [batchId]);
    return songs;
  });
}

export async function forgetSong(pool: pg.Pool, songId: number): Promise<void> {
  await inTransaction(pool, (db) => removeSongs(db, 'id = $1', songId));
}

/** Remove an account with all that is its own, in a transaction of Prisma's. */
export async function forgetAccount(transaction: Prisma.TransactionClient, accountId: number): Promise<void> {
  const db = plainSql(transaction);
  // In this order, which uploads keep too: nobody begins a batch, nobody adds a song, then what there is goes.
  await db.query('SELECT FROM accounts WHERE id = $1 FOR UPDATE', [accountId]);
  await db.query('SELECT FROM score_batches WHERE owner_id = $1 ORDER BY id FOR UPDATE', [accountId]);
  await removeSongs(db, 'batch_id IN (SELECT id FROM score_batches WHERE owner_id = $1)', accountId);
  await transaction.account.delete({ where: { id: accountId } });
}

async function removeSongs(db: Db, which: string, id: number): Promise<number> {
  const { rows } = await db.query<{ hash: string | null }>(
    `DELETE FROM songs WHERE ${which} RETURNING content_hash AS hash`,
    [id],
  );
  await forgetAudio(
    db,
    rows.flatMap(({ hash }) => hash ?? []),
  );
  return rows.length;
}

/** What takes plain SQL, inside a transaction of Prisma's. */
function plainSql(transaction: Prisma.TransactionClient): Db {
  // Prisma reads what comes back column by column, and knows no column of type void, as a lock has.
  const query = async (sql: string, values: unknown[]) => {
    if (/\bRETURNING\b/.test(sql)) return { rows: await transaction.$queryRawUnsafe(sql, ...values) };
    await transaction.$executeRawUnsafe(sql, ...values);
    return { rows: [] };
  };
  return { query: query as unknown as Db['query'] };
}
