/** Songs that are deleted are gone: rows, scores, explanations, audio, and what was made of the audio. */
import type pg from 'pg';
import { forgetAudio, inTransaction } from '../../../shared/database/uploads.ts';

/** @returns how many songs it had */
export function forgetBatch(pool: pg.Pool, batchId: number): Promise<number> {
  return inTransaction(pool, async (db) => {
    const hashes = await removeSongs(db, 'batch_id', batchId);
    await db.query('DELETE FROM score_batches WHERE id = $1', [batchId]);
    return hashes;
  });
}

export async function forgetSong(pool: pg.Pool, songId: number): Promise<void> {
  await inTransaction(pool, (db) => removeSongs(db, 'id', songId));
}

async function removeSongs(
  db: Pick<pg.ClientBase, 'query'>,
  column: 'id' | 'batch_id',
  value: number,
): Promise<number> {
  const { rows } = await db.query<{ hash: string | null }>(
    `DELETE FROM songs WHERE ${column} = $1 RETURNING content_hash AS hash`,
    [value],
  );
  await forgetAudio(
    db,
    rows.flatMap(({ hash }) => hash ?? []),
  );
  return rows.length;
}
