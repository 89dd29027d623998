/**
 * Requests to a service outside take turns, over all workers on all machines: one at a time, and none
 * while the service has asked to be left alone. So a 429 that one worker gets is known to all others before
 * any of them asks again.
 */
import { createHash } from 'node:crypto';
import type { Database } from '../database/index.ts';
import { WaitError } from '../errors.ts';

/** Clocks and networks are not exact: wait this much longer than was asked for, in milliseconds. */
const marginMs = 50;

/** Of one process only one waits for the turn in the database, so that it takes one connection. */
const lines = new Map<string, Promise<void>>();

/**
 * Make a request in turn.
 * @param service names what takes turns, e.g. `spotify`
 * @throws WaitError when the service has asked for patience, before or now
 */
export async function takeTurn<T>(
  database: Pick<Database, 'pool' | 'url'>,
  service: string,
  request: () => Promise<T>,
): Promise<T> {
  const key = `${service} ${database.url}`;
  const before = lines.get(key) ?? Promise.resolve();
  const mine = before.then(() => inDatabase(database, service, request));
  // Whoever comes next waits for this one, however it ends.
  const line = mine.then(
    () => {},
    () => {},
  );
  lines.set(key, line);
  line.finally(() => {
    if (lines.get(key) === line) lines.delete(key);
  });
  return mine;
}

async function inDatabase<T>(
  { pool }: Pick<Database, 'pool'>,
  service: string,
  request: () => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Unheard, a connection that is lost while the service answers would end the process.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lockOf(service)]);
    try {
      const { rows } = await client.query<{ left: number | null }>(
        `SELECT ceil(extract(epoch FROM paused_until - clock_timestamp()) * 1000)::int AS left
         FROM outside_services WHERE name = $1`,
        [service],
      );
      const left = rows[0]?.left ?? 0;
      if (left > 0) throw new WaitError(`${service} has asked to be left alone for ${left} ms more`, left);
      return await request().catch(async (error: unknown) => {
        if (error instanceof WaitError) await pause(client, service, error.waitMs);
        throw error;
      });
    } finally {
      // Where this fails the connection is lost, and the lock with it; the answer is not.
      await client.query('SELECT pg_advisory_unlock($1)', [lockOf(service)]).catch(onError);
    }
  } catch (error) {
    // A connection that may still hold the lock must not go back to the pool.
    if (!(error instanceof WaitError)) broken = error as Error;
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

async function pause(
  client: { query: (sql: string, values: unknown[]) => Promise<unknown> },
  service: string,
  waitMs: number,
): Promise<void> {
  await client.query(
    `INSERT INTO outside_services (name, paused_until)
     VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond')
     ON CONFLICT (name) DO UPDATE SET paused_until = greatest(outside_services.paused_until, excluded.paused_until)`,
    [service, waitMs + marginMs],
  );
}

/** Advisory locks have numbers: 48 bits of the name's hash are told apart well enough. */
function lockOf(service: string): number {
  return createHash('sha256').update(`hiphop turn ${service}`).digest().readUIntBE(0, 6);
}
