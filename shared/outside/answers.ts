/** What the outside's HTTP answers mean to us, told apart in one place. */
import { WaitError } from '../errors.ts';

/** Nobody is made to wait for longer than this, in milliseconds, whatever a server asks for. */
const longestWaitMs = 3_600_000;
/** Less is no wait: a queue that is paused for no time at all is not paused. */
const shortestWaitMs = 1_000;
/** For a server that asks to wait and does not say how long. */
const usualWaitMs = 5_000;

/**
 * Read a Retry-After header: seconds, or a date (RFC 9110).
 * @returns milliseconds, a second to an hour; 5 s when it is missing or unreadable
 */
export function waitMsOf(retryAfter: string | string[] | undefined, now = Date.now()): number {
  const text = (Array.isArray(retryAfter) ? retryAfter[0] : retryAfter)?.trim() ?? '';
  // Dates begin with the day of the week; of other texts Date.parse makes dates that nobody meant.
  const until = /^[a-z]{3}/i.test(text) ? Date.parse(text) - now : Number.NaN;
  const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : until;
  if (Number.isNaN(waitMs)) return usualWaitMs;
  return Math.min(Math.max(Math.ceil(waitMs), shortestWaitMs), longestWaitMs);
}

/** The error for a 429. */
export function tooManyRequests(host: string, retryAfter: string | string[] | undefined): WaitError {
  const waitMs = waitMsOf(retryAfter);
  return new WaitError(`${host} asks to wait ${(waitMs / 1_000).toFixed(1)} s (429)`, waitMs);
}

/** A client error (4xx) that may pass: the server was slow, or is not ready yet. */
export function mayPass(status: number): boolean {
  return status === 408 || status === 425;
}
