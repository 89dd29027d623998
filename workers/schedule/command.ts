/** Steps are commands of the command line, in processes of their own: roles do not import each other. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../shared/config.ts';
import { reasonOf } from '../../shared/errors.ts';
import { entryPoint } from '../../shared/paths.ts';

/** A command that is told to stop has this long, in milliseconds: a worker has 30 s to leave. */
const stopMs = 15_000;
const drainMs = 1_000;
/** Of what a command says no more than this is kept: characters of its answer, lines of the rest. */
const mostAnswer = 4_000_000;
const mostLines = 50;

export interface CommandEnd {
  /** Null when a signal ended it, or it could not be started. */
  status: number | null;
  /** What it said with --json; null where that was nothing. */
  answer: unknown;
  /** Why it failed, in one line for people. */
  reason: string;
}

export interface RunningCommand {
  /** Never rejects. */
  ended: Promise<CommandEnd>;
  /** The last lines it has said on standard error. */
  said: () => readonly string[];
  /** As Ctrl-C does: what it has enqueued stays. */
  stop: () => void;
}

export type CommandRunner = (args: readonly string[]) => RunningCommand;

/** Runs `hiphop` with the settings of this process. */
export function commandRunner(config: Config): CommandRunner {
  return (args) => {
    const child = spawn(process.execPath, [entryPoint('producers/main.ts'), ...args], {
      env: environmentOf(config),
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C on a terminal is for who was started there; this one is told by us.
      detached: true,
    });
    let answer = '';
    let lines: string[] = [];
    let unfinished = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (answer.length < mostAnswer) answer += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const parts = `${unfinished}${text}`.split(/[\r\n]+/);
      unfinished = parts.pop()!.slice(-10_000);
      lines = [...lines, ...parts].slice(-mostLines);
    });
    const said = () => [...lines, unfinished].map((line) => withoutSecrets(line, config));
    const ended = new Promise<CommandEnd>((resolve) => {
      child.once('error', (error) => resolve({ status: null, answer: null, reason: reasonOf(error) }));
      child.once('exit', async (status, signal) => {
        // What it has said last is still on its way; a worker that outlives it may keep standard error open.
        await Promise.race([once(child, 'close'), sleep(drainMs)]);
        resolve({ status, answer: parsed(answer), reason: reasonFrom(said(), signal ?? status) });
      });
    });
    return {
      ended,
      said,
      stop: () => {
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
        child.once('exit', () => clearTimeout(timer));
      },
    };
  };
}

function environmentOf(config: Config): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: a child process gets this one's environment, settings resolved
  const environment = { ...process.env };
  return {
    ...environment,
    DATA_DIR: config.dataDir,
    CACHE_DIR: config.cacheDir,
    // What is empty counts as not set.
    DATABASE_URL: config.databaseUrl ?? '',
    REDIS_URL: config.redisUrl ?? '',
    SIMULATOR_URL: config.outside.simulator ?? '',
    LOG_LEVEL: 'warn',
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.trim().split('\n').at(-1) ?? '');
  } catch {
    return null;
  }
}

/**
 * Why a command failed: its own last word if it had one, else the last line that is meant for people
 * (no log line, no stack trace).
 */
export function reasonFrom(said: readonly string[], end: string | number | null): string {
  const lines = said.map((line) => line.trim()).filter((line) => line !== '');
  const lastWord = lines.findLast((line) => line.startsWith('hiphop: '))?.slice('hiphop: '.length);
  const line = lastWord ?? lines.findLast((text) => !/^(\{.*\}$|at |node:|Node\.js |\^)/.test(text));
  const how = typeof end === 'string' ? `it was ended by ${end}` : `it ended with status ${end}`;
  return line === undefined ? how : reasonOf(line).slice(0, 500);
}

/** Commands do not say secrets; should one do so all the same, it ends here. */
function withoutSecrets(line: string, config: Config): string {
  const secrets = [config.outside.spotifyClientSecret, config.databaseUrl, config.redisUrl];
  return secrets.reduce<string>((text, secret) => (secret ? text.replaceAll(secret, '***') : text), line);
}
