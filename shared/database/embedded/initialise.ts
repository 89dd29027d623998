import { spawn } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { Binaries } from './binaries.ts';
import { USER } from './connection.ts';
import { diskFull, folderError, type ServerFolder } from './folder.ts';
import type { Launcher } from './launcher.ts';
import { isRunning } from './processes.ts';

const DRAFT = 'data.new-';

/**
 * Make PostgreSQL's folder if there is none yet. It appears whole or not at all, so that a power cut
 * in between leaves nothing that looks like a database.
 * @throws UserError when the folder was made by another major version, or the disk is full
 */
export async function initialise(
  folder: ServerFolder,
  binaries: Binaries,
  launcher: Launcher,
  password: string,
  log: Log,
): Promise<void> {
  if (existsSync(join(folder.data, 'PG_VERSION'))) return checkMajor(folder, binaries);
  await removeDrafts(folder);
  log.info(`making a database in ${folder.data}`);
  const draft = join(folder.root, `${DRAFT}${process.pid}`);
  const passwordFile = `${draft}.password`;
  try {
    mkdirSync(draft, { mode: 0o700 });
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (launcher.owner) {
      for (const path of [draft, passwordFile]) chownSync(path, launcher.owner.uid, launcher.owner.gid);
    }
    await runInitdb(folder, binaries, launcher, draft, passwordFile);
    renameSync(draft, folder.data);
    flush(folder.root);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw folderError(error, folder.dataDir);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function checkMajor(folder: ServerFolder, { major }: Binaries): void {
  const made = readFileSync(join(folder.data, 'PG_VERSION'), 'utf8').trim();
  if (made === String(major)) return;
  throw new UserError(
    `the database in ${folder.data} was made by PostgreSQL ${made}, this hiphop brings ${major}: make a backup with the hiphop that made it and restore it into a new DATA_DIR`,
  );
}

/** What initdb runs that were killed have left. */
async function removeDrafts(folder: ServerFolder): Promise<void> {
  for (const name of readdirSync(folder.root)) {
    if (!name.startsWith(DRAFT)) continue;
    const pid = Number.parseInt(name.slice(DRAFT.length), 10);
    if (!(await isRunning(pid, 'keeper-process'))) {
      rmSync(join(folder.root, name), { recursive: true, force: true });
    }
  }
}

async function runInitdb(
  folder: ServerFolder,
  binaries: Binaries,
  launcher: Launcher,
  draft: string,
  passwordFile: string,
): Promise<void> {
  const { program, args, options } = launcher.wrap(binaries.initdb, [
    `--pgdata=${draft}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Order by code point on every machine, and upper and lower case of all scripts all the same.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    // The write-ahead log is kept in whole segments: with the usual 16 MB an empty database is 40 MB.
    '--wal-segsize=4',
    // One call instead of a thousand files flushed one by one: 1 to 4 s less on a busy disk.
    ...(process.platform === 'linux' ? ['--sync-method=syncfs'] : []),
  ]);
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (status === 0) return;
  if (/No space left on device|Disk quota exceeded/.test(output)) throw diskFull(folder.dataDir);
  throw new Error(`initdb failed: ${lastLines(output)}`);
}

/** The end of a program's output in one line. */
export function lastLines(output: string): string {
  return output
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-3)
    .join(' | ');
}

/** Make a rename last through a power cut. */
function flush(path: string): void {
  const handle = openSync(path, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
