/**
 * An access token that all workers share, so that it is asked for once an hour and renewed once for all.
 * It lies in the database encrypted with a key made from the client secret, which is in the environment
 * alone: whoever has the database, or a backup of it, has no token.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type pg from 'pg';

/** A token is renewed this long before it expires, in seconds. */
const renewBefore = 60;

/** The token that is kept, or null where there is none, it expires soon, or another secret encrypted it. */
export async function loadToken(pool: pg.Pool, service: string, secret: string): Promise<string | null> {
  const { rows } = await pool.query<{ token: string }>(
    `SELECT token FROM outside_services
     WHERE name = $1 AND token IS NOT NULL AND token_until > now() + $2 * interval '1 second'`,
    [service, renewBefore],
  );
  return rows[0] ? decrypt(rows[0].token, secret) : null;
}

export async function keepToken(
  pool: pg.Pool,
  service: string,
  secret: string,
  { token, seconds }: { token: string; seconds: number },
): Promise<void> {
  await pool.query(
    `INSERT INTO outside_services (name, token, token_until) VALUES ($1, $2, now() + $3 * interval '1 second')
     ON CONFLICT (name) DO UPDATE SET token = excluded.token, token_until = excluded.token_until`,
    [service, encrypt(token, secret), seconds],
  );
}

export async function dropToken(pool: pg.Pool, service: string): Promise<void> {
  await pool.query('UPDATE outside_services SET token = NULL, token_until = NULL WHERE name = $1', [service]);
}

function keyOf(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'hiphop access token', 32));
}

function encrypt(text: string, secret: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), nonce);
  const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString('base64');
}

function decrypt(text: string, secret: string): string | null {
  const bytes = Buffer.from(text, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  } catch {
    return null; // made with another secret, or changed
  }
}
