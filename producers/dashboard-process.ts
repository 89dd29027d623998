/** The pages and their API, served by a process of their own beside this command. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/logging.ts';
import { entryPoint } from '../shared/paths.ts';
import { started } from './child.ts';
import type { Cli } from './cli.ts';

/**
 * The server streams what is large: a small heap, in MB, that is swept often is enough for it, and leaves
 * the memory to who decodes and trains.
 */
export const dashboardFlags = ['--max-old-space-size=160', '--max-semi-space-size=4'];
/** How long it may take to end, in milliseconds. */
const stopMs = 10_000;

export class DashboardProcess {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #address: { host?: string; port?: number };
  readonly #signal: AbortSignal;
  #child: ChildProcess | null = null;
  #url: string | null = null;

  /** @param address instead of the settings' */
  constructor({ config, log, signal }: Cli, address: { host?: string; port?: number }) {
    this.#config = config;
    this.#log = log;
    this.#signal = signal;
    this.#address = address;
  }

  get alive(): boolean {
    return this.#child !== null;
  }

  /** Settles when it has ended. */
  get ended(): Promise<void> {
    const child = this.#child;
    return child ? new Promise((resolve) => child.once('exit', () => resolve())) : Promise.resolve();
  }

  /**
   * Start it and wait until it serves; started again it takes the port that it had.
   * @returns where the pages are
   * @throws UserError when it does not start; it has said why
   * @throws CancelledError on Ctrl-C meanwhile
   */
  async start(): Promise<string> {
    const child = fork(entryPoint('dashboard/main.ts'), {
      env: this.#environment(),
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: dashboardFlags,
    });
    this.#child = child;
    child.once('exit', () => {
      this.#child = null;
    });
    const { url } = (await started(child, 'the dashboard', this.#signal)) as { url: string };
    this.#url = url;
    this.#log.debug({ pid: child.pid }, 'the dashboard runs');
    return url;
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await gone;
    clearTimeout(timer);
  }

  #environment(): NodeJS.ProcessEnv {
    const { host, port } = this.#address;
    const before = this.#url === null ? undefined : Number(new URL(this.#url).port);
    const chosen = before ?? port ?? this.#config.dashboard.port;
    return {
      // biome-ignore lint/style/noProcessEnv: a child process gets this one's environment, settings resolved
      ...process.env,
      DATA_DIR: this.#config.dataDir,
      CACHE_DIR: this.#config.cacheDir,
      LOG_LEVEL: this.#log.level,
      DASHBOARD_HOST: host ?? this.#config.dashboard.host,
      ...(chosen === undefined ? {} : { DASHBOARD_PORT: String(chosen) }),
      ...(this.#config.outside.simulator ? { SIMULATOR_URL: this.#config.outside.simulator } : {}),
    };
  }
}
