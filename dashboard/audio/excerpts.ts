/** Decoding for the ear, in child processes: this server never opens a file from outside itself. */
import { SpectrogramPool } from '../../shared/audio/pool.ts';
import type { Config } from '../../shared/config.ts';

let pool: SpectrogramPool | null = null;

/** The pool of this process, made when something is first listened to. */
export function excerptPool({ audio }: Pick<Config, 'audio'>): SpectrogramPool {
  pool ??= new SpectrogramPool({ processes: 1, timeoutSeconds: audio.timeoutSeconds });
  return pool;
}

export async function closeExcerpts(): Promise<void> {
  const closing = pool;
  pool = null;
  await closing?.close();
}
