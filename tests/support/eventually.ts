import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Wait until a look at the world gives something true, and return that.
 * @throws Error that says what was waited for, and what the last look gave
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  { what, timeoutMs = 20_000, everyMs = 50 }: { what: string; timeoutMs?: number; everyMs?: number },
): Promise<NonNullable<T>> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) {
      throw new Error(
        `waited ${timeoutMs} ms in vain for ${what}; the last look gave ${JSON.stringify(found)}`,
      );
    }
    await sleep(everyMs);
  }
}
