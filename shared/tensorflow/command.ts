import { spawn } from 'node:child_process';

/** What a command that ran to its end left behind. */
export interface CommandResult {
  /** Exit status; undefined when a signal ended it or it could not be started. */
  status: number | undefined;
  signal: NodeJS.Signals | undefined;
  /** Why it could not be started, as a code of the operating system: ENOENT, EACCES. */
  startError: string | undefined;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** Variables added to those of this process. */
  variables?: Readonly<Record<string, string>>;
  /** After this many milliseconds the command is ended, with signal SIGKILL. No limit when left out. */
  timeoutMs?: number;
}

/** More output than this is cut off: only the last part of a compiler's or pip's complaint matters. */
const OUTPUT_LIMIT = 100_000;

/**
 * Run a command to its end. Never throws: a command that is missing or fails is an answer too.
 *
 * Variables are passed by `env` rather than by a copied environment, which leaves reading the
 * environment to the entry points.
 */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const variables = Object.entries(options.variables ?? {}).map(([name, value]) => `${name}=${value}`);
  const [program, programArgs] =
    variables.length === 0 ? [file, args] : ['env', [...variables, file, ...args]];
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    let startError: string | undefined;
    const child = spawn(program, programArgs, { stdio: ['ignore', 'pipe', 'pipe'] });
    // Not the limit of spawn: where the program is not there, its timer holds this process until it is over.
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-OUTPUT_LIMIT);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-OUTPUT_LIMIT);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      startError = error.code ?? error.message;
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      // `env` answers 127 for a program that is not there.
      if (variables.length > 0 && status === 127) startError ??= 'ENOENT';
      resolve({
        status: startError === undefined ? (status ?? undefined) : undefined,
        signal: signal ?? undefined,
        startError,
        stdout,
        stderr,
      });
    });
  });
}
