import type { Logger } from '../logging.ts';

/** What this folder needs of a logger. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn'>;
