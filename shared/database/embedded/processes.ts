import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { promisify } from 'node:util';

/**
 * The command line of a process, empty when it is gone. A bare process id proves nothing: after a
 * restart of the machine or the container it belongs to somebody else, and a zombie keeps it.
 */
export async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    } catch {
      return '';
    }
  }
  const run = promisify(execFile);
  const found = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return found.stdout.includes('<defunct>') ? '' : found.stdout.trim();
}

/** True while the process runs and its command line has this part. */
export async function isRunning(pid: number, part: string): Promise<boolean> {
  return (await commandLineOf(pid)).includes(part);
}

/** True when the process is a PostgreSQL server of this data folder, by whatever path it was given. */
export async function isServerOf(pid: number, data: string): Promise<boolean> {
  const command = await commandLineOf(pid);
  if (process.platform !== 'linux') return command.includes('postgres') && command.includes(data);
  try {
    // PostgreSQL works inside its folder. The folder of another user's process is not for us to see,
    // but that cannot be a server of ours.
    const [inside, ours] = [statSync(`/proc/${pid}/cwd`), statSync(data)];
    return command.includes('postgres') && inside.dev === ours.dev && inside.ino === ours.ino;
  } catch {
    return false;
  }
}
