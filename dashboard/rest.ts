/** How seldom costly readings are made. */

/** It rests so long at most: it may have taken minutes only because a service was away, which is no cost. */
const longestMs = 30_000;

/**
 * How long to rest after a reading, in milliseconds, so that it takes a share of the time at most.
 * @param tookMs how long the reading took
 * @param share of the time, 0 to 1
 * @param leastMs how long it rests however cheap it was
 */
export function restMs(tookMs: number, share: number, leastMs: number): number {
  return Math.max(leastMs, Math.min(tookMs / share, longestMs));
}
