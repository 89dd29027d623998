/** What every command shares: settings, the log, Ctrl-C, and how errors become words and exit statuses. */
import { mkdirSync } from 'node:fs';
import { type Config, parseConfig } from '../shared/config.ts';
import { CancelledError, reasonOf, UserError } from '../shared/errors.ts';
import { createLogger, type Logger } from '../shared/logging.ts';
import { type Audited, audited } from './audit.ts';
import { tell } from './output.ts';
import { type Session, withSession } from './session.ts';

/** Exit statuses, told by `hiphop --help`. */
export const exitStatus = { failed: 1, usage: 2, interrupted: 130 } as const;

export interface Cli {
  config: Config;
  log: Logger;
  /** Aborted by the first Ctrl-C; the second ends the process. */
  signal: AbortSignal;
}

/**
 * Run a command's action; whatever it throws becomes one line and an exit status.
 * @param service whether it runs until Ctrl-C, which then is no failure however early it comes
 */
export async function runCommand(service: boolean, action: (cli: Cli) => Promise<void>): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => {
    if (interrupted.signal.aborted) process.exit(exitStatus.interrupted);
    interrupted.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    // biome-ignore lint/style/noProcessEnv: the entry point is where settings are read
    const config = parseConfig(process.env);
    makeDataDir(config.dataDir);
    await action({
      config,
      log: createLogger(config, 'hiphop', service ? 'info' : 'warn'),
      signal: interrupted.signal,
    });
  } catch (error) {
    if (service && error instanceof CancelledError) return;
    process.exitCode = explain(error);
  }
}

/**
 * Run a command that needs the database and the queues.
 * @param change what it changes, for the audit
 */
export async function runInSession(
  action: (session: Session) => Promise<void>,
  change?: Audited,
): Promise<void> {
  await runCommand(false, ({ config, log, signal }) =>
    withSession(config, log, signal, (session) =>
      change ? audited(session, change, () => action(session)) : action(session),
    ),
  );
}

function explain(error: unknown): number {
  if (error instanceof CancelledError) {
    tell(`hiphop: ${reasonOf(error)}`);
    return exitStatus.interrupted;
  }
  tell(`hiphop: ${reasonOf(error)}`);
  if (error instanceof UserError) return exitStatus.usage;
  // biome-ignore lint/style/noProcessEnv: a defect may be looked into before any settings could be read
  if (process.env['LOG_LEVEL'] === 'debug' && error instanceof Error) tell(error.stack ?? '');
  else tell('This was not foreseen. LOG_LEVEL=debug shows where it happened.');
  return exitStatus.failed;
}

function makeDataDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new UserError(
      `the data folder ${path} cannot be made (${reasonOf(error)}): set DATA_DIR to another`,
    );
  }
}
