/**
 * A thread beside the decoder in a child process of SpectrogramPool. FFmpeg works in the main thread,
 * which meanwhile hears nothing: this one sees to it that the process ends when its parent is gone, or
 * when a file makes it hoard memory. Started, never imported.
 */
import { MEMORY_SIGNAL } from './child-end.ts';

const EVERY_MS = 250;
/** Twice the largest file and the longest sound that are accepted, and some, in bytes. */
const MOST_MEMORY_BYTES = 3_000_000_000;

const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  if (process.memoryUsage.rss() > MOST_MEMORY_BYTES) process.kill(process.pid, MEMORY_SIGNAL);
}, EVERY_MS);
