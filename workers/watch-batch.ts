/** A cancel is a mark on the batch's row, so that it reaches the work on whichever machine it runs. */
import type { BatchState } from '../shared/database/generated/client.ts';
import type { Database } from '../shared/database/index.ts';

/** How often it is looked whether somebody cancelled the batch, in milliseconds. */
const pollMs = 1_000;

/**
 * @param state of the batch as it was found: what is asked of one that was cancelled before ends with its row alone
 * @returns a signal that is aborted when the batch is cancelled or deleted
 */
export function watchBatch(
  { prisma }: Pick<Database, 'prisma'>,
  batchId: number,
  state: BatchState,
): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const timer = setInterval(async () => {
    const row = await prisma.scoreBatch
      .findUnique({ where: { id: batchId }, select: { state: true } })
      .catch(() => undefined); // a database that is away for a moment cancels nothing
    if (row === null || (row?.state === 'cancelled' && state !== 'cancelled')) controller.abort();
  }, pollMs);
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}
