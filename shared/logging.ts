import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';

export type { Logger };

/** A logger on standard error (standard output is for answers): pretty on a terminal, else JSON lines. */
export function createLogger(
  config: Pick<Config, 'logLevel'>,
  name: string,
  unasked: 'info' | 'warn' = 'info',
): Logger {
  const options = {
    name,
    level: config.logLevel ?? unasked,
    redact: ['*.DATABASE_URL', '*.REDIS_URL', '*.password', '*.token', '*.secret'],
  };
  if (!process.stderr.isTTY) return pino(options, pino.destination({ fd: 2, sync: true }));
  return pino(options, pretty({ destination: 2, sync: true, ignore: 'pid,hostname' }));
}
