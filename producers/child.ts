/** Processes that a command starts beside itself. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { CancelledError, UserError } from '../shared/errors.ts';

/** How long one may take to start, in milliseconds. */
const startMs = 60_000;

/**
 * Wait for a child's first message, by which it says that it is at work.
 * @param what the child, as people are told of it
 * @param signal aborted by Ctrl-C, which reaches the child too: one that it ended has not failed to start
 * @param limitMs how long it may take, in milliseconds: it is ended then
 * @throws UserError when it does not start; it has said why
 * @throws CancelledError on Ctrl-C meanwhile
 */
export async function started(
  child: ChildProcess,
  what: string,
  signal: AbortSignal,
  limitMs = startMs,
): Promise<unknown> {
  const done = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const exited = once(child, 'exit', { signal: done }).then(([code, by]) => {
    throw new UserError(`${what} ended at once (${by ?? code}); see its lines above`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: done }), exited]);
    return message;
  } catch (error) {
    if (signal.aborted) throw new CancelledError(`interrupted while ${what} was starting`);
    if (done.aborted) {
      // It must not come up after all, beside the one that is started in its place.
      child.kill();
      throw new UserError(`${what} did not start within ${limitMs / 1_000} s`);
    }
    throw error;
  }
}
