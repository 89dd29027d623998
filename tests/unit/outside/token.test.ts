import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { dropToken, keepToken, loadToken } from '../../../shared/outside/token.ts';
import { createTestDatabase, query, type TestDatabase } from '../../support/database.ts';

const token = 'BQ-this-is-the-token-itself';
const secret = 'this-is-the-client-secret';

let server: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  server = await createTestDatabase();
  pool = new pg.Pool({ connectionString: server.url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await server.drop();
});
afterEach(() => query(server.url, 'TRUNCATE outside_services'));

const load = (by = secret, service = 'spotify') => loadToken(pool, service, by);
const keep = (seconds = 3600, text = token) => keepToken(pool, 'spotify', secret, { token: text, seconds });
const rows = async () => (await query(server.url, 'SELECT * FROM outside_services')).rows;

test('whoever has the secret gets the token that was kept', async () => {
  expect(await load()).toBeNull();
  await keep();
  expect(await load()).toBe(token);
  expect(await load(secret, 'another')).toBeNull();
  await keep(3600, 'a newer one');
  expect(await load()).toBe('a newer one');
  expect(await rows()).toHaveLength(1);
  await keep(3600, 'ü'.repeat(2_000));
  expect(await load()).toBe('ü'.repeat(2_000));
});

test('whoever has the database alone does not', async () => {
  await keep();
  expect(await load('another-secret')).toBeNull();
  const [row] = await rows();
  const kept: string = row.token;
  for (const text of [JSON.stringify(row), Buffer.from(kept, 'base64').toString('latin1')]) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(token.slice(0, 8));
    expect(text).not.toContain(secret);
  }
  // The same is never written twice alike.
  await keep();
  expect((await rows())[0].token).not.toBe(kept);
});

test.each([
  ['changed', (kept: string) => `${kept.startsWith('A') ? 'B' : 'A'}${kept.slice(1)}`],
  ['cut', (kept: string) => kept.slice(0, 20)],
  ['none', () => ''],
  ['not even base64', () => '***'],
])('what is %s is no token, and no error', async (_how, change) => {
  await keep();
  const [row] = await rows();
  await query(server.url, 'UPDATE outside_services SET token = $1', [change(row.token)]);
  expect(await load()).toBeNull();
});

test('a token that ends within a minute is not used any more', async () => {
  await keep(59);
  expect(await load()).toBeNull();
  await keep(70);
  expect(await load()).toBe(token);
  await query(server.url, `UPDATE outside_services SET token_until = now() - interval '1 second'`);
  expect(await load()).toBeNull();
});

test('a token that was refused is forgotten, and a pause is not', async () => {
  await query(
    server.url,
    `INSERT INTO outside_services (name, paused_until) VALUES ('spotify', '2100-01-01'), ('deezer', '2100-01-01')`,
  );
  await keep();
  expect(await load()).toBe(token);
  await dropToken(pool, 'spotify');
  expect(await load()).toBeNull();
  await dropToken(pool, 'nobody');
  const all = await rows();
  expect(all).toHaveLength(2);
  for (const row of all) expect(row.paused_until.getUTCFullYear()).toBe(2100);
  expect(JSON.stringify(all)).toContain('"token":null');
});
