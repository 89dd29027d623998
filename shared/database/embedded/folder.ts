import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { lock } from 'proper-lockfile';
import { UserError } from '../../errors.ts';

/** Where the embedded server keeps its things, all below DATA_DIR. */
export interface ServerFolder {
  dataDir: string;
  root: string;
  /** PostgreSQL's own data directory. */
  data: string;
  /** What outlives a server: password and last port (`Instance`). */
  instance: string;
  /** The server that runs now (`ServerState`); absent when none does. Its mtime is a heartbeat. */
  state: string;
  /** Output of keeper and server. */
  log: string;
  lock: string;
}

export interface Instance {
  password: string;
  port: number | undefined;
}

export interface ServerState {
  port: number;
  /** The PostgreSQL postmaster. */
  pid: number;
  keeperPid: number;
  host: string;
  /** PostgreSQL's version, such as 18.4. */
  version: string;
}

/** A heartbeat older than this belongs to nobody. */
const HEARTBEAT_STALE_MS = 10_000;
/** A holder that was SIGKILLed is noticed after this long. */
const LOCK_STALE_MS = 10_000;

export function serverFolder(dataDir: string): ServerFolder {
  const root = join(dataDir, 'postgres');
  return {
    dataDir,
    root,
    data: join(root, 'data'),
    instance: join(root, 'instance.json'),
    state: join(root, 'server.json'),
    log: join(root, 'keeper.log'),
    lock: join(root, 'start.lock'),
  };
}

/**
 * Make the folder if it is missing.
 * @throws UserError when DATA_DIR is a file, cannot be written or its disk is full
 */
export function createServerFolder(folder: ServerFolder): void {
  try {
    makeFolder(folder.root);
    const probe = join(folder.root, `.probe-${process.pid}-${randomBytes(4).toString('hex')}`);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw folderError(error, folder.dataDir);
  }
}

/** Folder by folder: on a read-only file system the recursive call of Node reports a missing folder. */
function makeFolder(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been quicker.
    if (!existsSync(path) || !statSync(path).isDirectory()) throw error;
  }
}

/** What a failed write below DATA_DIR means to a person; other errors pass as they are. */
export function folderError(error: unknown, dataDir: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return new UserError(`${dataDir} is, or lies below, a file: set DATA_DIR to a folder`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new UserError(
        `cannot write to ${dataDir}${code === 'EROFS' ? ' (read-only file system)' : ' (no permission)'}: set DATA_DIR to a folder of your own`,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(dataDir);
    default:
      return error;
  }
}

export function diskFull(dataDir: string): UserError {
  return new UserError(`the disk that holds ${dataDir} is full: free some space, or set DATA_DIR elsewhere`);
}

/**
 * Do something while no other process looks at, starts or stops the server of this folder.
 * @throws UserError when another holds on for minutes
 */
export async function withLock<T>(folder: ServerFolder, action: () => Promise<T>): Promise<T> {
  let release: () => Promise<void>;
  try {
    release = await lock(folder.root, {
      lockfilePath: folder.lock,
      realpath: false,
      stale: LOCK_STALE_MS,
      update: 2_000,
      retries: { retries: 1_200, factor: 1.1, minTimeout: 20, maxTimeout: 250 },
      // Only a process that was frozen for long loses it. PostgreSQL's own lock on its folder still holds.
      onCompromised: () => undefined,
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') {
      throw new UserError(`another process has held ${folder.lock} for minutes: is it stopped or hung?`);
    }
    throw folderError(error, folder.dataDir);
  }
  try {
    return await action();
  } finally {
    await release().catch(() => undefined);
  }
}

/** The server that runs, as its keeper wrote it down; it may be gone all the same. */
export function readState(folder: ServerFolder): ServerState | undefined {
  return readJson<ServerState>(folder.state, folder.dataDir);
}

export function writeState(folder: ServerFolder, state: ServerState): void {
  writeJson(folder, folder.state, state);
}

export function removeState(folder: ServerFolder): void {
  rmSync(folder.state, { force: true });
}

/** True when a keeper on another machine, or in another container, was at work a moment ago. */
export function isHeldElsewhere(folder: ServerFolder, state: ServerState): boolean {
  if (state.host === hostname()) return false;
  try {
    return Date.now() - statSync(folder.state).mtimeMs < HEARTBEAT_STALE_MS;
  } catch {
    return false;
  }
}

/** Password and last port; made up on the first call. Readable by the owner alone. */
export function readInstance(folder: ServerFolder): Instance {
  const known = readJson<Instance>(folder.instance, folder.dataDir);
  if (known) return known;
  const instance = { password: randomBytes(24).toString('base64url'), port: undefined };
  writeInstance(folder, instance);
  return instance;
}

export function writeInstance(folder: ServerFolder, instance: Instance): void {
  writeJson(folder, folder.instance, instance);
}

function readJson<T>(file: string, dataDir: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw folderError(error, dataDir);
  }
}

function writeJson(folder: ServerFolder, file: string, value: object): void {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, `${JSON.stringify(value)}\n`, { mode: 0o600 });
    // Root working once in a person's folder must not lock them out of it.
    if (process.getuid?.() === 0) {
      const { uid, gid } = statSync(dirname(file));
      chownSync(draft, uid, gid);
    }
    renameSync(draft, file);
  } catch (error) {
    throw folderError(error, folder.dataDir);
  }
}
