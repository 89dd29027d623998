/** What cookies are signed with: of the settings, else made once and kept beside the data. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../shared/config.ts';
import { reasonOf, UserError } from '../../shared/errors.ts';

/** Shortest secret that is taken, in characters. */
const shortest = 32;
const fileName = 'session-secret';

/** @throws UserError when it is too short, or cannot be kept */
export async function sessionSecret({ dataDir, dashboard }: Config): Promise<string> {
  const given = dashboard.sessionSecret;
  if (given !== undefined) {
    if (given.length >= shortest) return given;
    throw new UserError(
      `SESSION_SECRET has ${given.length} characters, which can be guessed: openssl rand -hex 32 prints one that cannot`,
    );
  }
  const path = join(dataDir, fileName);
  return (await read(path)) ?? make(dataDir, path);
}

async function read(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new UserError(`the secret of the sessions cannot be read: ${reasonOf(error)}`);
  });
  if (text === null || text.trim().length >= shortest) return text?.trim() ?? null;
  throw new UserError(`${path} holds no secret: remove it, and another is made`);
}

/** Written aside and linked to its place: whoever comes second reads a whole one. */
async function make(dataDir: string, path: string): Promise<string> {
  const aside = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(dataDir, { recursive: true });
    await writeFile(aside, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    await link(aside, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw new UserError(`the secret of the sessions cannot be kept: ${reasonOf(error)}`);
  } finally {
    await rm(aside, { force: true });
  }
  return (await read(path))!;
}
