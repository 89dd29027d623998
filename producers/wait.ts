/** Waiting for work to be finished, with someone doing it all the while. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError } from '../shared/errors.ts';
import type { StageName } from '../shared/stages.ts';
import type { Session } from './session.ts';

const pollMs = 250;
/** How often it is checked that somebody still works, and that no job was lost, in milliseconds. */
const superviseMs = 5_000;

export interface Waiting {
  /** Who must be at work. */
  stages: readonly StageName[];
  /** Look at the rows: true when all is finished. Shows progress on the way. */
  finished: () => Promise<boolean>;
  /**
   * Enqueue again what its rows say is unfinished. Jobs that are in the queue are not added twice, so
   * this only mends what was lost between a row and its job.
   */
  repair?: () => Promise<void>;
}

/**
 * Wait until the work is finished.
 * @throws CancelledError on Ctrl-C: what was enqueued stays and goes on with the next worker
 */
export async function waitFor(session: Session, waiting: Waiting): Promise<void> {
  let nextLook = 0;
  let idleLooks = 0;
  while (!(await waiting.finished())) {
    if (session.signal.aborted)
      throw new CancelledError('interrupted: what was enqueued stays in the queues');
    if (Date.now() >= nextLook) {
      nextLook = Date.now() + superviseMs;
      await session.workforce.ensure(waiting.stages);
      idleLooks = (await isIdle(session, waiting.stages)) ? idleLooks + 1 : 0;
      if (idleLooks >= 2) {
        session.log.debug('nothing is queued though work is unfinished: enqueueing it again');
        await waiting.repair?.();
        idleLooks = 0;
      }
    }
    await sleep(pollMs, undefined, { signal: session.signal }).catch(() => {});
  }
}

/** Whether the queues of these stages are empty. */
export async function isIdle(session: Session, stages: readonly StageName[]): Promise<boolean> {
  const counts = await Promise.all(stages.map((stage) => session.queues.counts(stage)));
  return counts.every(({ waiting, active, delayed }) => waiting + active + delayed === 0);
}
