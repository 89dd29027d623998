import { CancelledError } from '../errors.ts';

/**
 * Do something that ends by itself, when the signal is aborted, or after so many milliseconds.
 * `AbortSignal.any` would do the same, but it keeps a trace of every call on a signal that lives as long
 * as the process (Node 20).
 * @throws CancelledError when the signal was aborted
 * @throws Error that begins with `late` when the time was up
 */
export async function withTimeLimit<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { signal, limitMs, late }: { signal: AbortSignal; limitMs: number; late: string },
): Promise<T> {
  const own = new AbortController();
  const stop = () => own.abort();
  let timeUp = false;
  const timer = setTimeout(() => {
    timeUp = true;
    stop();
  }, limitMs);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await work(own.signal);
  } catch (error) {
    if (signal.aborted) throw new CancelledError('stopped before the answer came');
    if (timeUp) throw new Error(`${late} in ${limitMs / 1_000} s`);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
