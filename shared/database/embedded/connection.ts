import { realpathSync } from 'node:fs';
import pg from 'pg';
import type { ServerFolder } from './folder.ts';

/** The superuser of an embedded server and its one database. */
export const USER = 'hiphop';
export const DATABASE = 'hiphop';

const CONNECT_TIMEOUT_MS = 5_000;

export function serverUrl(port: number, password: string, database = DATABASE): string {
  return `postgresql://${USER}:${password}@127.0.0.1:${port}/${database}`;
}

/**
 * Connect to the server of this folder, and to no other that may have got its port since.
 * @param name how the connection shows in pg_stat_activity
 * @returns undefined when nothing answers there, or something else does
 */
export async function connectTo(
  folder: ServerFolder,
  port: number,
  password: string,
  name: string,
  database = DATABASE,
): Promise<pg.Client | undefined> {
  const client = new pg.Client({
    connectionString: serverUrl(port, password, database),
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  // The caller listens for 'end'; without a listener an error of the socket would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    if (rows[0] && realpathSync(rows[0].data_directory) === realpathSync(folder.data)) return client;
  } catch {
    // Nobody there, still starting, or the password of another server.
  }
  await client.end().catch(() => undefined);
  return undefined;
}
