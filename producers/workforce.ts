/**
 * Sees to it that somebody does the work: where no worker of a stage is alive on any machine, one is
 * started beside the command, and stopped with it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Config } from '../shared/config.ts';
import type { PrismaClient } from '../shared/database/generated/client.ts';
import { aliveWorkers } from '../shared/heartbeat.ts';
import type { Logger } from '../shared/logging.ts';
import { entryPoint } from '../shared/paths.ts';
import type { StageName } from '../shared/stages.ts';
import { setUpTagger } from '../shared/tagger/provision.ts';
import { started } from './child.ts';
import { tell } from './output.ts';

/** How long a worker may take to finish its jobs at the end, in milliseconds. */
const stopMs = 30_000;

export class Workforce {
  readonly #prisma: PrismaClient;
  readonly #config: Config;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #children = new Map<ChildProcess, readonly StageName[]>();
  #closing = false;

  /** @param signal aborted by Ctrl-C: a worker that is just starting is not waited for */
  constructor(prisma: PrismaClient, config: Config, log: Logger, signal: AbortSignal) {
    this.#prisma = prisma;
    this.#config = config;
    this.#log = log;
    this.#signal = signal;
  }

  /** The stages among these that no living worker runs. */
  async missing(stages: readonly StageName[]): Promise<StageName[]> {
    const alive = await aliveWorkers(this.#prisma);
    const covered = new Set(alive.flatMap((worker) => worker.stages));
    return stages.filter((stage) => !covered.has(stage));
  }

  /**
   * Start a worker for those of the stages that nobody runs. Cheap to call again and again, which is
   * how a command notices that the workers it relied on are gone.
   * @returns whether this command now has workers of its own
   */
  async ensure(stages: readonly StageName[]): Promise<boolean> {
    const own = new Set([...this.#children.values()].flat());
    const missing = (await this.missing(stages)).filter((stage) => !own.has(stage));
    if (missing.length > 0 && !this.#closing) await this.start(missing);
    return this.#children.size > 0;
  }

  /**
   * Start a worker process and wait until it takes jobs.
   * @throws UserError when it does not start
   * @throws CancelledError on Ctrl-C meanwhile
   */
  async start(stages: readonly StageName[]): Promise<ChildProcess> {
    if (stages.includes('embedding')) await this.#setUpTagger();
    const child = fork(entryPoint('workers/main.ts'), ['--only', stages.join(',')], {
      env: this.#environment(),
      // Standard output is the command's answer alone.
      stdio: ['ignore', 2, 2, 'ipc'],
      detached: false,
    });
    this.#children.set(child, stages);
    child.once('exit', () => this.#children.delete(child));
    await started(child, `the worker for ${stages.join(', ')}`, this.#signal);
    this.#log.debug({ stages, pid: child.pid }, 'started a worker beside this command');
    return child;
  }

  /** Stop what was started here: jobs under way are finished or handed back. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(
      [...this.#children.keys()].map(async (child) => {
        const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
        await gone;
        clearTimeout(timer);
      }),
    );
  }

  async #setUpTagger(): Promise<void> {
    const { cacheDir, tagger: setting } = this.#config;
    const { note } = await setUpTagger({ cacheDir, setting, log: tell });
    if (note !== undefined) tell(note);
  }

  #environment(): NodeJS.ProcessEnv {
    // biome-ignore lint/style/noProcessEnv: a child process gets this one's environment, settings resolved
    const environment = { ...process.env };
    return {
      ...environment,
      DATA_DIR: this.#config.dataDir,
      CACHE_DIR: this.#config.cacheDir,
      LOG_LEVEL: this.#log.level,
      ...(this.#config.outside.simulator ? { SIMULATOR_URL: this.#config.outside.simulator } : {}),
    };
  }
}
