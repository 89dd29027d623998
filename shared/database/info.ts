import { redactUrl } from './address.ts';
import { listTables } from './catalogue.ts';
import type { Database } from './index.ts';
import { readApplied } from './migrations.ts';

/** Where a database is and what is in it, for people. */
export interface DatabaseInfo {
  kind: Database['kind'];
  /** Host, port and name; no user, no password. */
  url: string;
  /** PostgreSQL's version. */
  version: string;
  sizeBytes: number;
  migrations: string[];
  tables: { name: string; rows: number }[];
  /** Who is connected to this database, this process included. */
  connections: { application: string; address: string; count: number }[];
}

/** Look at a database. Counting the rows of a large one takes seconds. */
export async function databaseInfo(database: Pick<Database, 'pool' | 'url' | 'kind'>): Promise<DatabaseInfo> {
  const client = await database.pool.connect();
  try {
    const { rows: facts } = await client.query<{ version: string; size: string }>(
      `SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size`,
    );
    const tables: DatabaseInfo['tables'] = [];
    for (const name of await listTables(client)) {
      if (name === '_prisma_migrations') continue;
      const { rows } = await client.query<{ rows: string }>(
        `SELECT count(*) AS rows FROM public.${client.escapeIdentifier(name)}`,
      );
      tables.push({ name, rows: Number(rows[0]?.rows) });
    }
    const { rows: connections } = await client.query<DatabaseInfo['connections'][number]>(
      `SELECT coalesce(application_name, '') AS application, coalesce(host(client_addr), 'local') AS address,
         count(*)::int AS count
       FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
       GROUP BY 1, 2 ORDER BY 1, 2`,
    );
    return {
      kind: database.kind,
      url: redactUrl(database.url),
      version: facts[0]?.version ?? 'unknown',
      sizeBytes: Number(facts[0]?.size),
      migrations: (await readApplied(client)).map((migration) => migration.name),
      tables,
      connections,
    };
  } finally {
    client.release();
  }
}
