/** Starts and stops the workers of one process, and keeps its row in worker_processes alive. */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import { SpectrogramPool } from '../shared/audio/pool.ts';
import type { Config } from '../shared/config.ts';
import { settleCrawls } from '../shared/crawls/lifecycle.ts';
import { openDatabase } from '../shared/database/index.ts';
import { beat, heartbeatMs } from '../shared/heartbeat.ts';
import { Learner } from '../shared/learning/learner.ts';
import type { Logger } from '../shared/logging.ts';
import { recorder } from '../shared/metrics/recorder.ts';
import { startReporting } from '../shared/metrics/reporting.ts';
import { type Job, openQueueBackend, type Worker } from '../shared/queues/backend.ts';
import { Queues } from '../shared/queues/queues.ts';
import { syncSchedules } from '../shared/schedules/sync.ts';
import { settleBatches } from '../shared/scoring/lifecycle.ts';
import { type StageName, stages } from '../shared/stages.ts';
import { Tagger } from '../shared/tagger/tagger.ts';
import type { AnyHandler, Handler, HandlerBuilder, Services } from './handler.ts';
import { runJob, settleFailure } from './run-job.ts';

/**
 * How long a job may be silent before others take it over, and how often that is looked at. The
 * defaults of BullMQ (30 s each) leave work lying for a minute after a kill; shorter than 5 s would
 * take work from a process that is merely busy.
 */
const lockMs = 10_000;
const stalledCheckMs = 5_000;
/** How often it is looked whether a crawl or a batch is done, and whether the queue has all schedules, in milliseconds. */
const settleMs = 1_000;
const scheduleMs = 30_000;
/** A job may lose its worker this often before it counts as the culprit. */
const maxStalledCount = 5;
/**
 * No limit that anybody reaches. A worker without one does not look whether the queue is paused by
 * `rateLimit`: who is asked to wait (WaitError) would pause only himself, not the queue.
 */
const unreachableLimit = { max: 1_000_000, duration: 1_000 };

export interface Workforce {
  close: () => Promise<void>;
}

/**
 * Start a worker for each of the stages.
 * @throws Error when a stage has no handler or another's: a defect, found at start-up
 */
export async function startWorkers(
  config: Config,
  log: Logger,
  only: readonly StageName[],
  builders: Record<StageName, HandlerBuilder>,
): Promise<Workforce> {
  const database = await openDatabase(config, log);
  const reporting = startReporting(database.pool, log, 'worker');
  const backend = await openQueueBackend(config, database.url);
  const queues = new Queues(backend);
  const pool = lazily(() => new SpectrogramPool(config.audio));
  const learning = { preference: config.tensorflow, cacheDir: config.cacheDir };
  const id = randomUUID();
  let backendLoaded: string | null = null;
  const tagger = lazily(() => {
    // biome-ignore lint/style/noProcessEnv: a child process gets this one's environment
    const made = new Tagger(learning, process.env);
    tellBackend(made.describe());
    return made;
  });
  const newLearner = () =>
    // biome-ignore lint/style/noProcessEnv: a child process gets this one's environment
    new Learner(learning, process.env);
  const trainer = lazily(() => {
    const made = newLearner();
    tellBackend(made.describe().then(({ backend: loaded }) => loaded));
    return made;
  });
  const judge = lazily(newLearner);
  const services: Services = {
    config,
    stages: only,
    database,
    queues,
    spectrograms: pool.get,
    tagger: tagger.get,
    trainer: trainer.get,
    judge: judge.get,
  };
  const handlers = buildHandlers(only, builders, services);

  const shutdown = new AbortController();
  // Each job listens to it.
  setMaxListeners(0, shutdown.signal);
  const run = { services, log, signal: shutdown.signal };
  const workers = handlers.map((handler) => startWorker(handler as Handler<StageName>));
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  const row = await register();
  const closer = settle();
  const schedules = only.includes('schedule') ? keepSchedules() : null;
  log.info({ stages: only, queues: queues.kind }, 'at work');

  function startWorker<Name extends StageName>(handler: Handler<Name>): Worker {
    const worker = backend.worker(handler.stage, (job, token) => runJob(handler, job, token, run), {
      concurrency: stages[handler.stage].concurrency(config),
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount,
      limiter: stages[handler.stage].limit ?? unreachableLimit,
    });
    worker.on('error', (error) =>
      log.warn({ stage: handler.stage, err: error }, 'the queue reports an error'),
    );
    worker.on('failed', (job, error) => {
      if (!job) return;
      enqueueAskedAgain(handler, job).catch((failure) =>
        log.warn({ err: failure, job: job.id }, 'what was asked for again could not be enqueued'),
      );
      // A job whose workers died again and again is failed by the queue, past every handler.
      if (!/stalled more than/.test(error.message)) return;
      const reason = `its worker died or hung ${maxStalledCount + 1} times while at it`;
      const seconds = (Date.now() - (job.processedOn ?? Date.now())) / 1_000;
      recorder.observe('hiphop_job_duration_seconds', { stage: handler.stage, outcome: 'failed' }, seconds);
      settleFailure(handler, job, 'exhausted', reason, run).catch((failure) =>
        log.error({ err: failure, job: job.id }, 'a failure could not be recorded'),
      );
    });
    return worker;
  }

  async function enqueueAskedAgain<Name extends StageName>(
    { stage, askedAgain }: Handler<Name>,
    job: Job,
  ): Promise<void> {
    const parsed = askedAgain && stages[stage].payload.safeParse(job.data);
    if (parsed?.success) await queues.enqueueNext(await askedAgain!(parsed.data));
  }

  /** Crawls and batches are closed by whoever works on them, so that nobody has to watch. */
  function settle(): { stop: () => Promise<void> } {
    let settling = Promise.resolve();
    const timer = setInterval(() => {
      settling = settling
        .then(() => Promise.all([settleCrawls(database.pool, queues), settleBatches(database.pool, queues)]))
        .then(
          () => {},
          (error) => log.warn({ err: error }, 'crawls and batches could not be closed'),
        );
    }, settleMs);
    return {
      stop: async () => {
        clearInterval(timer);
        await settling;
      },
    };
  }

  /** The queue's schedulers follow the rows: after a restore or an emptied queue they are made again. */
  function keepSchedules(): { stop: () => Promise<void> } {
    let syncing = Promise.resolve();
    const sync = () => {
      syncing = syncing
        .then(() => syncSchedules({ prisma: database.prisma, queues }))
        .then(
          () => {},
          (error) => log.warn({ err: error }, 'the schedules could not be put into the queue'),
        );
    };
    sync();
    const timer = setInterval(sync, scheduleMs);
    return {
      stop: async () => {
        clearInterval(timer);
        await syncing;
      },
    };
  }

  /** Which TensorFlow this process has loaded stands in its row; whoever asked for it hears of a failure. */
  function tellBackend(loading: Promise<string>): void {
    loading
      .then((loaded) => {
        backendLoaded = loaded;
        return database.prisma.workerProcess.updateMany({ where: { id }, data: { backend: loaded } });
      })
      .catch((error) => log.debug({ err: error }, 'which back end was loaded is not known'));
  }

  async function register(): Promise<{ stop: () => Promise<void> }> {
    const data = { host: hostname(), pid: process.pid, stages: [...only], backend: backendLoaded };
    await database.prisma.workerProcess.create({ data: { id, ...data } });
    const timer = setInterval(() => {
      beat(database.prisma, id).catch((error) =>
        log.warn({ err: error }, 'the heartbeat could not be written'),
      );
    }, heartbeatMs);
    return {
      stop: async () => {
        clearInterval(timer);
        await database.prisma.workerProcess
          .update({ where: { id }, data: { stoppedAt: new Date() } })
          .catch((error) => log.warn({ err: error }, 'the last heartbeat could not be written'));
      },
    };
  }

  return {
    close: async () => {
      shutdown.abort();
      await Promise.all(workers.map((worker) => worker.close()));
      await pool.made?.close();
      await Promise.all([tagger.made?.close(), trainer.made?.close(), judge.made?.close()]);
      await closer.stop();
      await schedules?.stop();
      await row.stop();
      await queues.close();
      await reporting.stop();
      await database.close();
    },
  };
}

/** Build the handlers and prove that each stage has exactly its own. */
export function buildHandlers(
  only: readonly StageName[],
  builders: Record<StageName, HandlerBuilder>,
  services: Services,
): AnyHandler[] {
  return only.map((name) => {
    const build = builders[name];
    if (!build) throw new Error(`the stage ${name} has no handler`);
    const handler = build(services);
    if (handler.stage !== name)
      throw new Error(`the stage ${name} was given the handler of ${handler.stage}`);
    return handler;
  });
}

function lazily<T>(make: () => T): { get: () => T; readonly made: T | undefined } {
  let made: T | undefined;
  return {
    get: () => {
      made ??= make();
      return made;
    },
    get made() {
      return made;
    },
  };
}
