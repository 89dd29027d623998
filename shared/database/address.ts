import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { reasonOf, UserError } from '../errors.ts';

/** A server that is starting beside us (docker compose up) is waited for so long. */
const WAIT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** PostgreSQL's codes for errors that waiting does not mend, and what to do about them. */
const HOPELESS: Record<string, string> = {
  '28P01': 'the user or the password in DATABASE_URL is wrong',
  '28000': 'the server refuses this user or this connection',
  '3D000': 'there is no such database: create it first (createdb)',
  '42501': 'the user may not connect to this database',
};

/** An address as people may see it: host, port and database, no user and no password. */
export function redactUrl(url: string): string {
  try {
    const { hostname, port, pathname, protocol } = new URL(url);
    if (!protocol.startsWith('postgres')) return 'DATABASE_URL';
    return `${hostname || 'localhost'}:${port || '5432'}${pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}

/**
 * Wait until a PostgreSQL server answers.
 * @param waitMs how long one that cannot be reached is tried again
 * @throws UserError that says where and why, without the password
 */
export async function waitForServer(url: string, waitMs = WAIT_MS): Promise<void> {
  const end = Date.now() + waitMs;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      const hopeless = HOPELESS[code];
      if (hopeless || Date.now() >= end) {
        throw new UserError(
          `cannot use the PostgreSQL server at ${redactUrl(url)}: ${hopeless ?? (reasonOf(error) || code)}`,
        );
      }
    } finally {
      await client.end().catch(() => undefined);
    }
    await sleep(500);
  }
}
