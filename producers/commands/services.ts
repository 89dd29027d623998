import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { lock } from 'proper-lockfile';
import { UserError } from '../../shared/errors.ts';
import { entryPoint } from '../../shared/paths.ts';
import { parseStageNames, stageNames, stages } from '../../shared/stages.ts';
import { setUpTagger } from '../../shared/tagger/provision.ts';
import { setUpTensorFlow } from '../../shared/tensorflow/index.ts';
import { type Cli, runCommand } from '../cli.ts';
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
    .description('run the system on this machine until Ctrl-C: database, queues and workers of all stages')
    .action(() => runCommand(true, up));

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

async function up(cli: Cli): Promise<void> {
  const release = await takeFolder(cli.config.dataDir);
  try {
    const { cacheDir, tensorflow } = cli.config;
    tell((await setUpTensorFlow({ cacheDir, preference: tensorflow, log: tell })).note);
    await withSession(cli.config, cli.log, cli.signal, supervise);
  } finally {
    await release();
  }
}

async function supervise(session: Session): Promise<void> {
  const { workforce, log, signal } = session;
  const alive = processes.map(() => false);
  log.info({ dataDir: session.config.dataDir, queues: session.queues.kind }, 'up: Ctrl-C stops it');
  let nextResume = 0;
  while (!signal.aborted) {
    for (const [index, own] of processes.entries()) {
      if (alive[index] || signal.aborted) continue;
      const child = await workforce.start(own);
      alive[index] = true;
      child.once('exit', (code, by) => {
        alive[index] = false;
        if (!signal.aborted)
          log.error({ stages: own, code, by }, 'a worker ended unforeseen: it is started again');
      });
    }
    if (Date.now() >= nextResume) {
      nextResume = Date.now() + resumeMs;
      if (await isIdle(session, workStages)) await resumeUnfinished(session);
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
  const child = spawn(process.execPath, [entryPoint('workers/main.ts'), '--only', names.join(',')], {
    // Ctrl-C on the terminal reaches the worker by itself; SIGTERM is passed on.
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
