/** The order of a batch's songs, in its rows. */
import type { Prisma } from '../database/generated/client.ts';

/** Rank the scored songs of a batch anew. Ties share the better rank: nothing says which of them is ahead. */
export async function rankBatch(db: Prisma.TransactionClient, batchId: number): Promise<void> {
  await db.$executeRaw`
    UPDATE scores s SET rank = ranked.rank
    FROM (SELECT song_id, rank() OVER (ORDER BY probability DESC)::int AS rank
          FROM scores JOIN songs ON songs.id = song_id WHERE batch_id = ${batchId}) AS ranked
    WHERE ranked.song_id = s.song_id AND s.rank <> ranked.rank`;
}
