import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Config } from '../config.ts';
import { waitForServer } from './address.ts';
import { PrismaClient } from './generated/client.ts';
import type { Log } from './log.ts';
import { applyMigrations } from './migrations.ts';
import { ensureServer, LEASE_NAME } from './server.ts';

/** An open connection to everything that lasts. */
export interface Database {
  prisma: PrismaClient;
  /** The pool below Prisma, for the few queries that want plain SQL. */
  pool: pg.Pool;
  /** Connection string with the password, for child processes and the queues. Never log it. */
  url: string;
  kind: 'embedded' | 'external';
  /** Close all connections; the embedded server goes when nobody else uses it. */
  close(): Promise<void>;
}

/** Connections a process opens at most. A server takes 200, the queues need some too. */
const POOL_SIZE = 5;
/** Waiting for a free connection, and inside an interactive transaction. Writing a data set takes seconds. */
const TRANSACTION = { maxWait: 10_000, timeout: 60_000 };

/**
 * Open the database of the settings, ready to use: start the embedded server or wait for the given
 * one, and apply the migrations that are missing.
 * @throws UserError when that cannot be done, with what to do
 */
export async function openDatabase(
  config: Pick<Config, 'dataDir' | 'databaseUrl'>,
  log: Log,
): Promise<Database> {
  if (config.databaseUrl !== undefined) {
    await waitForServer(config.databaseUrl);
    await applyMigrations(config.databaseUrl, log);
    return connectDatabase(config.databaseUrl, { log, kind: 'external' });
  }
  const lease = await ensureServer({ dataDir: config.dataDir, log });
  try {
    await applyMigrations(lease.url, log);
  } catch (error) {
    await lease.release();
    throw error;
  }
  const database = connectDatabase(lease.url, { log, kind: 'embedded' });
  return {
    ...database,
    close: async () => {
      await database.close();
      await lease.release();
    },
  };
}

/**
 * Connect to a database that another process has opened and keeps open: for child processes. It
 * connects on the first query.
 */
export function connectDatabase(
  url: string,
  options: { kind?: Database['kind']; poolSize?: number; log?: Log } = {},
): Database {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: LEASE_NAME,
    max: options.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: 15_000,
    keepAlive: true,
  });
  // An idle connection that breaks is replaced on the next query; unheard, it would end the process.
  pool.on('error', (error) => options.log?.debug({ err: error }, 'an idle database connection broke'));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool), transactionOptions: TRANSACTION });
  return {
    prisma,
    pool,
    url,
    kind: options.kind ?? 'embedded',
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
