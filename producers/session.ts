/** What a command has open while it puts work in: the database, the queues, and workers of its own. */
import type { Config } from '../shared/config.ts';
import { type Database, openDatabase } from '../shared/database/index.ts';
import type { Logger } from '../shared/logging.ts';
import { openQueueBackend } from '../shared/queues/backend.ts';
import { Queues } from '../shared/queues/queues.ts';
import { Workforce } from './workforce.ts';

export interface Session {
  config: Config;
  log: Logger;
  database: Database;
  queues: Queues;
  workforce: Workforce;
  /** Aborted by Ctrl-C: stop waiting, what was enqueued stays. */
  signal: AbortSignal;
}

/** Open a session, do the work and close it again, whatever happens. */
export async function withSession<T>(
  config: Config,
  log: Logger,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(config, log);
  try {
    const queues = new Queues(await openQueueBackend(config, database.url));
    const workforce = new Workforce(database.prisma, config, log, signal);
    try {
      return await work({ config, log, database, queues, workforce, signal });
    } finally {
      await workforce.close();
      await queues.close();
    }
  } finally {
    await database.close();
  }
}
