import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../shared/paths.ts';
import { eventually } from './eventually.ts';

/** The command line as it was built, as a user runs it. */
const program = join(packageRoot, 'bin', 'hiphop.mjs');

export interface Finished {
  /** Null when a signal ended it. */
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** What it has said on standard error so far. */
  stderr(): string;
  /** Wait until it has said this on standard error. */
  said(pattern: RegExp, timeoutMs?: number): Promise<void>;
  /** Send a signal to it alone. */
  kill(signal: NodeJS.Signals): void;
  /** Ctrl-C on its terminal, which reaches its children too. */
  interrupt(): void;
  finished: Promise<Finished>;
}

/** Settings of the program that this machine's environment must not bring into a test. */
const settings =
  /^(DATA_DIR|DATABASE_URL|REDIS_URL|LOG_LEVEL|AUDIO_.*|KEEP_PREVIEWS|TENSORFLOW|TAGGER|DASHBOARD_.*|SESSION_SECRET|SECURE_COOKIES|UPLOAD_.*|REQUESTS_PER_MINUTE|OTEL_.*)$/;

/** Start a command; it is killed when it runs for longer than the limit. */
export function startHiphop(
  args: readonly string[],
  environment: Record<string, string>,
  { timeoutMs = 120_000, cwd = packageRoot }: { timeoutMs?: number; cwd?: string } = {},
): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !settings.test(name));
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own, as a shell gives it
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  // Not 'close': a worker that outlives a killed command keeps the other end of standard error.
  const finished = once(child, 'exit').then(async ([status, signal]) => {
    clearTimeout(timer);
    await Promise.race([once(child, 'close'), new Promise((resolve) => setTimeout(resolve, 500))]);
    if (late) throw new Error(`hiphop ${args.join(' ')} ran for more than ${timeoutMs} ms:\n${stderr}`);
    return { status, signal, stdout, stderr } as Finished;
  });
  // Whoever awaits it hears of it; a test that failed before must not end the whole run.
  finished.catch(() => {});
  return {
    child,
    stderr: () => stderr,
    said: async (pattern, waitMs = 60_000) => {
      await eventually(() => pattern.test(stderr) || child.exitCode !== null, {
        what: `hiphop ${args[0]} to say ${pattern}`,
        timeoutMs: waitMs,
      });
      if (!pattern.test(stderr))
        throw new Error(`hiphop ${args[0]} ended without saying ${pattern}:\n${stderr}`);
    },
    kill: (signal) => child.kill(signal),
    interrupt: () => process.kill(-child.pid!, 'SIGINT'),
    finished,
  };
}

/** Run a command to its end. */
export async function hiphop(
  args: readonly string[],
  environment: Record<string, string>,
  options: { timeoutMs?: number; cwd?: string } = {},
): Promise<Finished> {
  return startHiphop(args, environment, options).finished;
}

/**
 * Run a command with --json and read its answer, which must be alone on standard output.
 * @throws Error with all that the command said, when it ends otherwise than expected
 */
export async function hiphopJson<T>(
  args: readonly string[],
  environment: Record<string, string>,
  { status = 0, ...options }: { status?: number; timeoutMs?: number; cwd?: string } = {},
): Promise<T> {
  const done = await hiphop([...args, '--json'], environment, options);
  const all = `hiphop ${args.join(' ')} ended with ${done.status}\n${done.stdout}\n${done.stderr}`;
  if (done.status !== status) throw new Error(all);
  if (!/^[^\n]+\n$/.test(done.stdout)) throw new Error(`not one line on standard output: ${all}`);
  return JSON.parse(done.stdout) as T;
}

/**
 * The processes that work for a data folder: those that have its path on their command line
 * (PostgreSQL, its keeper) or in their environment (workers and their children). Linux only.
 */
export function processesOf(dataDir: string): { pid: number; parent: number; command: string }[] {
  const read = (pid: string, what: string) => {
    try {
      return readFileSync(`/proc/${pid}/${what}`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return ''; // gone, or somebody else's
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ({
      pid: Number(pid),
      parent: Number(/^PPid:\s*(\d+)/m.exec(read(pid, 'status'))?.[1]),
      command: read(pid, 'cmdline').trim(),
      environment: read(pid, 'environ'),
    }))
    .filter(({ command, environment }) => command.includes(dataDir) || environment.includes(dataDir))
    .map(({ pid, parent, command }) => ({ pid, parent, command }));
}

/** Wait until nothing works for a data folder any more; what still does after the limit is an error. */
export async function expectNoProcesses(dataDir: string, timeoutMs = 15_000): Promise<void> {
  await eventually(() => processesOf(dataDir).length === 0, {
    what: `all processes of ${dataDir} to end`,
    timeoutMs,
    everyMs: 100,
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(processesOf(dataDir))}`);
  });
}

/** End what a test has left running for its data folder, which it made and which is its own. */
export function killProcessesOf(dataDir: string): void {
  for (const { pid } of processesOf(dataDir)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // gone meanwhile
    }
  }
}
