import { execFile, type SpawnOptions } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../../errors.ts';
import type { Log } from '../log.ts';

const run = promisify(execFile);

interface Account {
  uid: number;
  gid: number;
}

/** How to start PostgreSQL's programs: PostgreSQL refuses to run as root. */
export interface Launcher {
  /** Who must own PostgreSQL's folder; undefined: whoever runs this. */
  owner: Account | undefined;
  wrap(program: string, args: string[]): { program: string; args: string[]; options: SpawnOptions };
}

/** Nothing of our own environment (PGDATA, LD_LIBRARY_PATH, locale) may change what the server does. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
/** Not in the folder of the caller, which the server's user may not be allowed to see, nor hold busy. */
const options: SpawnOptions = { cwd: '/', env: ENVIRONMENT };

const ADVICE =
  'set DATA_DIR, and move the checkout, to folders that other users can pass through (chmod o+x), or set DATABASE_URL to a PostgreSQL server, or do not run as root';

/**
 * Choose how to run as this user: plainly; as root, under another account; and when that account
 * cannot reach the folders, under that account with the right to pass through them.
 * @param dataFolder the parent of PostgreSQL's folder, existing
 * @throws UserError when there is no way, with what to do
 */
export async function chooseLauncher(
  programs: { postgres: string },
  data: string,
  dataFolder: string,
  log: Log,
): Promise<Launcher> {
  const plain: Launcher = { owner: undefined, wrap: (program, args) => ({ program, args, options }) };
  if (process.getuid?.() !== 0) {
    await probe(plain, programs.postgres);
    return plain;
  }
  const owner = ownerOf(data) ?? (await findAccount(log));
  if ([programs.postgres, dataFolder].every((path) => canReach(owner, path))) {
    const asOwner: Launcher = {
      owner,
      wrap: (program, args) => ({ program, args, options: { ...options, ...owner } }),
    };
    await probe(asOwner, programs.postgres);
    return asOwner;
  }
  const withPassage: Launcher = {
    owner,
    wrap: (program, args) => ({ program: 'setpriv', args: [...passage(owner), program, ...args], options }),
  };
  try {
    await probe(withPassage, programs.postgres);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError(
      `PostgreSQL does not run as root, and user ${owner.uid} cannot reach ${dataFolder} or ${dirname(programs.postgres)}: ${ADVICE} (${reason})`,
    );
  }
  log.info(`user ${owner.uid} of the embedded server may pass through closed folders (setpriv)`);
  return withPassage;
}

/** util-linux: become that user and keep the right to traverse folders of others, for all children too. */
function passage({ uid, gid }: Account): string[] {
  const rights = '+dac_override';
  return [
    '--reuid',
    String(uid),
    '--regid',
    String(gid),
    '--clear-groups',
    // Else access(2), by which initdb looks for postgres, leaves the rights below out of account.
    '--securebits',
    '+no_setuid_fixup',
    '--inh-caps',
    rights,
    '--ambient-caps',
    rights,
  ];
}

async function probe(launcher: Launcher, postgres: string): Promise<void> {
  const { program, args, options } = launcher.wrap(postgres, ['--version']);
  const { stdio: _, ...rest } = options;
  try {
    await run(program, args, rest as object);
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    throw new UserError(
      `the embedded PostgreSQL does not start on this machine (${reason}): set DATABASE_URL to a PostgreSQL server`,
    );
  }
}

/** The account of an existing database, whoever made it: PostgreSQL insists on its folder's owner. */
function ownerOf(data: string): Account | undefined {
  if (!existsSync(data)) return undefined;
  const { uid, gid } = statSync(data);
  return uid === 0 ? undefined : { uid, gid };
}

async function findAccount(log: Log): Promise<Account> {
  const known = await lookUp('postgres');
  if (known) return known;
  const makers: [string, string[]][] = [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']],
    ['adduser', ['-S', '-D', '-H', 'postgres']],
  ];
  for (const [program, args] of makers) {
    await run(program, args).catch(() => undefined);
    // Also when it failed: another process may have made the account at the same time.
    const made = await lookUp('postgres');
    if (made) {
      log.info('made the system user postgres: the embedded server does not run as root');
      return made;
    }
  }
  const nobody = await lookUp('nobody');
  if (nobody && nobody.uid > 0) return nobody;
  throw new UserError(`PostgreSQL does not run as root and there is no other user here: ${ADVICE}`);
}

async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** May this account pass through every folder above the path? By mode bits alone. */
function canReach({ uid, gid }: Account, path: string): boolean {
  const whole = realpathSync(path);
  for (let folder = dirname(whole); ; folder = dirname(folder)) {
    if (!mayPass(folder, uid, gid)) return false;
    if (folder === dirname(folder)) break;
  }
  return !statSync(whole).isDirectory() || mayPass(whole, uid, gid);
}

function mayPass(folder: string, uid: number, gid: number): boolean {
  const { mode, uid: owner, gid: group } = statSync(folder);
  if (owner === uid) return (mode & 0o100) !== 0;
  if (group === gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
