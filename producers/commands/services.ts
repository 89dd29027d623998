import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { lock } from 'proper-lockfile';
import { UserError } from '../../shared/errors.ts';
import { startReporting } from '../../shared/metrics/reporting.ts';
import { entryPoint } from '../../shared/paths.ts';
import { parseStageNames, stageNames, stages } from '../../shared/stages.ts';
import { setUpTagger } from '../../shared/tagger/provision.ts';
import { setUpTensorFlow } from '../../shared/tensorflow/index.ts';
import { type Cli, runCommand } from '../cli.ts';
import { DashboardProcess } from '../dashboard-process.ts';
import { tell } from '../output.ts';
import { resumeUnfinished } from '../resume.ts';
import { type Session, withSession } from '../session.ts';
import { isIdle } from '../wait.ts';

/** A worker that ended is missed after this long, in milliseconds. */
const superviseMs = 2_000;
/** Rows whose job was lost are found after this long, in milliseconds. */
const resumeMs = 30_000;

/**
 * Audio and learning live in processes of their own: training keeps its cores and memory to itself,
 * and either can be restarted without the other.
 */
const processes = [
  ['search', 'lookup', 'preview', 'embedding', 'spectrogram', 'schedule'],
  ['train', 'score'],
] as const;

/** A schedule always has its next night in the queue, and a night there is no work lost. */
const workStages = stageNames.filter((name) => name !== 'schedule');

export function registerServices(program: Command): void {
  program
    .command('up')
    .description(
      'run the system on this machine until Ctrl-C: database, queues, workers of all stages, pages',
    )
    .option('--no-dashboard', 'without the pages')
    .addOption(hostOption())
    .addOption(portOption())
    .action((options: UpOptions) => runCommand(true, (cli) => up(cli, options)));

  program
    .command('dashboard')
    .description('serve the pages and the API until Ctrl-C; the work is done by hiphop up or hiphop work')
    .addOption(hostOption())
    .addOption(portOption())
    .action((options: AddressOptions) => runCommand(true, (cli) => dashboard(cli, options)));

  program
    .command('work')
    .description('run a worker in the foreground until Ctrl-C: as many as wanted, on as many machines')
    .option('--only <stages>', `comma-separated: ${stageNames.join(', ')}`)
    .addHelpText(
      'after',
      `\nStages:\n${stageNames.map((name) => `  ${name}  ${stages[name].does}`).join('\n')}`,
    )
    .action((options: { only?: string }) => runCommand(true, (cli) => work(cli, options.only)));
}

interface AddressOptions {
  host?: string;
  port?: number;
}

interface UpOptions extends AddressOptions {
  dashboard: boolean;
}

const hostOption = () =>
  new Option('--host <address>', 'where the pages are served (default: this machine alone)');
const portOption = () =>
  new Option('--port <number>', 'port of the pages (default: 4477, or a free one)').argParser((text) => {
    if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
      throw new InvalidArgumentError('expected a port, 0 to 65535');
    }
    return Number(text);
  });

async function dashboard(cli: Cli, address: AddressOptions): Promise<void> {
  const { signal } = cli;
  const pages = new DashboardProcess(cli, address);
  try {
    tell(`the pages are at ${await pages.start()}`);
    await Promise.race([pages.ended, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    if (!signal.aborted) throw new UserError('the dashboard ended; see its lines above');
  } finally {
    await pages.close();
  }
}

async function up(cli: Cli, options: UpOptions): Promise<void> {
  const release = await takeFolder(cli.config.dataDir);
  const pages = options.dashboard ? new DashboardProcess(cli, options) : null;
  try {
    const { cacheDir, tensorflow } = cli.config;
    tell((await setUpTensorFlow({ cacheDir, preference: tensorflow, log: tell })).note);
    await withSession(cli.config, cli.log, cli.signal, async (session) => {
      if (pages) tell(`the pages are at ${await pages.start()}`);
      const reporting = startReporting(session.database.pool, session.log, 'up');
      await supervise(session, pages).finally(async () => {
        await pages?.close();
        await reporting.stop();
      });
    });
  } finally {
    await release();
  }
}

async function supervise(session: Session, pages: DashboardProcess | null): Promise<void> {
  const { workforce, log, signal } = session;
  const alive = processes.map(() => false);
  log.info({ dataDir: session.config.dataDir, queues: session.queues.kind }, 'up: Ctrl-C stops it');
  let nextResume = 0;
  let isUp = false;
  /** Once workers and pages are up, nothing that fails may end what is at work, a training of hours among it. */
  const attempt = async (what: string, act: () => Promise<unknown>) => {
    try {
      await act();
    } catch (error) {
      if (!isUp || signal.aborted) throw error;
      log.error({ err: error }, `${what} failed: it is tried again`);
    }
  };
  while (!signal.aborted) {
    for (const [index, own] of processes.entries()) {
      if (alive[index] || signal.aborted) continue;
      await attempt('starting a worker', async () => {
        const child = await workforce.start(own);
        alive[index] = true;
        child.once('exit', (code, by) => {
          alive[index] = false;
          if (!signal.aborted)
            log.error({ stages: own, code, by }, 'a worker ended unforeseen: it is started again');
        });
      });
    }
    isUp = true;
    if (pages && !pages.alive && !signal.aborted) {
      log.error('the dashboard ended unforeseen: it is started again');
      await attempt('starting the dashboard', () => pages.start());
    }
    if (Date.now() >= nextResume) {
      nextResume = Date.now() + resumeMs;
      await attempt('looking for lost work', async () => {
        if (await isIdle(session, workStages)) await resumeUnfinished(session);
      });
    }
    await sleep(superviseMs, undefined, { signal }).catch(() => {});
  }
  log.info('down: workers finish or hand back their jobs');
}

/** One `up` a data folder. */
async function takeFolder(dataDir: string): Promise<() => Promise<void>> {
  try {
    return await lock(dataDir, { lockfilePath: join(dataDir, 'up.lock'), stale: 15_000, update: 5_000 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    throw new UserError(
      `hiphop up runs already on ${dataDir} (or was killed less than 15 s ago); ` +
        'hiphop status shows its workers, hiphop work adds another',
    );
  }
}

async function work(cli: Cli, only: string | undefined): Promise<void> {
  const names = only === undefined ? stageNames : parseStageNames(only);
  if (names.includes('train') || names.includes('score')) {
    const { cacheDir, tensorflow } = cli.config;
    tell((await setUpTensorFlow({ cacheDir, preference: tensorflow, log: tell })).note);
  }
  if (names.includes('embedding')) {
    const { cacheDir, tagger: setting } = cli.config;
    const { note } = await setUpTagger({ cacheDir, setting, log: tell });
    if (note !== undefined) tell(note);
  }
  if (cli.signal.aborted) return;
  const child = spawn(process.execPath, [entryPoint('workers/main.ts'), '--only', names.join(',')], {
    // Ctrl-C on the terminal reaches the worker by itself; SIGTERM is passed on.
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  // A signal ends at once what is only just starting.
  process.exitCode = code ?? (cli.signal.aborted ? 0 : 1);
}
