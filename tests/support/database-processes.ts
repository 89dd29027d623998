import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { entryPoint } from '../../shared/paths.ts';

/** A process of its own that holds the embedded server of a folder until it is told to go, or killed. */
export interface ServerClient {
  url: string;
  /** From the start of ensureServer to its answer, in ms. */
  startMs: number;
  process: ChildProcess;
  release(): Promise<void>;
  kill(): Promise<void>;
}

const PROGRAM = `
  const [module, dataDir] = process.argv.slice(1);
  const { ensureServer } = await import(module);
  const write = (line) => process.stdout.write(JSON.stringify(line) + '\\n');
  const log = { debug() {}, info() {}, warn(...a) { process.stderr.write(a.join(' ') + '\\n'); } };
  try {
    const start = performance.now();
    const lease = await ensureServer({ dataDir, log });
    write({ url: lease.url, startMs: performance.now() - start });
    process.stdin.once('data', async () => { await lease.release(); process.exit(0); });
  } catch (error) {
    write({ error: error.message, name: error.name });
    process.exit(1);
  }`;

export type Answer = { url: string; startMs: number } | { error: string; name: string };

/**
 * @param wrap program and arguments to start node through, such as setpriv
 * @param module server.js, of this checkout unless said otherwise
 */
export async function startClient(
  dataDir: string,
  wrap: string[] = [],
  module?: string,
): Promise<ServerClient> {
  const { answer, child } = await askForServer(dataDir, wrap, module);
  if ('error' in answer) throw new Error(`${answer.name}: ${answer.error}`);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    ...answer,
    process: child,
    release: async () => {
      child.stdin?.write('\n');
      await exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** What a process that wants the server is told: its address, or the error. */
export async function askForServer(
  dataDir: string,
  wrap: string[] = [],
  module = entryPoint('shared/database/server.ts'),
): Promise<{ answer: Answer; child: ChildProcess }> {
  const [program, ...args] = [
    ...wrap,
    process.execPath,
    ...['--input-type=module', '-e', PROGRAM, module, dataDir],
  ];
  const child = spawn(program as string, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
  const answer = await new Promise<Answer>((resolve, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`the client ended: ${signal ?? code}`)));
    child.stdout?.once('data', (line) => resolve(JSON.parse(String(line))));
  });
  return { answer, child };
}

export interface State {
  port: number;
  pid: number;
  keeperPid: number;
}

export function readServerState(dataDir: string): State {
  return JSON.parse(readFileSync(join(dataDir, 'postgres/server.json'), 'utf8'));
}

/** Process ids of the postmasters that work in this folder (Linux). */
export function serversOf(dataDir: string): number[] {
  const data = join(dataDir, 'postgres/data');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        // Backends name themselves "postgres: ..."; the postmaster keeps its command line.
        return (
          readlinkSync(`/proc/${pid}/cwd`) === data &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0-D\0')
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Fails when the server is still there after so long. */
export async function expectNoServer(dataDir: string, withinMs: number): Promise<void> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(50)) {
    if (serversOf(dataDir).length === 0) return;
  }
  expect(serversOf(dataDir)).toEqual([]);
}

/**
 * A temporary DATA_DIR, closed to other users as mktemp makes them, and its removal with all that runs in it.
 * @param like a stopped DATA_DIR to copy, which is quicker than initdb
 */
export function temporaryFolder(like?: string): { dataDir: string; remove(): Promise<void> } {
  const parent = mkdtempSync(join(tmpdir(), 'hiphop-test-'));
  const dataDir = join(parent, 'data');
  if (like) execFileSync('cp', ['-a', like, dataDir]);
  return {
    dataDir,
    remove: async () => {
      for (const pid of serversOf(dataDir)) process.kill(pid, 'SIGQUIT');
      for (const end = Date.now() + 10_000; serversOf(dataDir).length > 0 && Date.now() < end; )
        await sleep(50);
      // The keeper notices within a second that its server has gone.
      await sleep(1_200);
      rmSync(parent, { recursive: true, force: true });
    },
  };
}
