import type pg from 'pg';

// What PostgreSQL itself says about our tables: schema public, less what belongs to extensions.

/** Noted by the migrations, who is at work just now, and access tokens: none is part of a backup. */
const NOT_CONTENT = ['_prisma_migrations', 'worker_processes', 'outside_services'];

const NO_EXTENSION = `NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = o.oid AND e.deptype = 'e')`;

/** All tables, by name. */
export async function listTables(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT o.relname AS name FROM pg_class o
     WHERE o.relnamespace = 'public'::regnamespace AND o.relkind IN ('r', 'p') AND ${NO_EXTENSION}
     ORDER BY o.relname`,
  );
  return rows.map((row) => row.name);
}

/** The tables with content, each after those it refers to, so that they can be filled in this order. */
export async function listContent(client: pg.ClientBase): Promise<string[]> {
  const tables = (await listTables(client)).filter((name) => !NOT_CONTENT.includes(name));
  const { rows } = await client.query<{ from: string; to: string }>(
    `SELECT f.relname AS from, t.relname AS to FROM pg_constraint c
     JOIN pg_class f ON f.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid
     WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND f.oid <> t.oid`,
  );
  return sortByReferences(tables, rows);
}

/** @throws Error when tables refer to each other in a circle */
export function sortByReferences(tables: string[], references: { from: string; to: string }[]): string[] {
  const sorted: string[] = [];
  let left = tables;
  while (left.length > 0) {
    const waiting = new Set(references.filter(({ to }) => left.includes(to)).map(({ from }) => from));
    const next = left.filter((table) => !waiting.has(table));
    if (next.length === 0) throw new Error(`tables refer to each other in a circle: ${left.join(', ')}`);
    sorted.push(...next);
    left = left.filter((table) => waiting.has(table));
  }
  return sorted;
}

export async function listColumns(client: pg.ClientBase, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    [`public.${client.escapeIdentifier(table)}`],
  );
  return rows.map((row) => row.name);
}

/** The last value of every sequence that gave one out. */
export async function readSequences(client: pg.ClientBase): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; last: string }>(
    `SELECT sequencename AS name, last_value::text AS last FROM pg_sequences
     WHERE schemaname = 'public' AND last_value IS NOT NULL ORDER BY sequencename`,
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.last]));
}

/** Enumerated types and functions: what remains when the tables are dropped. */
export async function listTypesAndFunctions(
  client: pg.ClientBase,
): Promise<{ types: string[]; functions: { name: string; signature: string }[] }> {
  const types = await client.query<{ name: string }>(
    `SELECT o.typname AS name FROM pg_type o
     WHERE o.typnamespace = 'public'::regnamespace AND o.typtype = 'e' AND ${NO_EXTENSION}`,
  );
  const functions = await client.query<{ name: string; signature: string }>(
    `SELECT o.proname AS name, o.oid::regprocedure::text AS signature FROM pg_proc o
     WHERE o.pronamespace = 'public'::regnamespace AND ${NO_EXTENSION}`,
  );
  return { types: types.rows.map((row) => row.name), functions: functions.rows };
}
