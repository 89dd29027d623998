import { cancel } from '../../producers/cancel.ts';
import { addSchedule } from '../../producers/schedules.ts';
import type { Session } from '../../producers/session.ts';
import type { Schedule } from '../../shared/database/generated/client.ts';
import { publicId } from '../../shared/identifiers.ts';
import { finishTrainingRun } from '../../shared/registry/index.ts';
import type { ScheduleOptions, StepName } from '../../shared/schedules/definition.ts';
import { type Night, readNight } from '../../shared/schedules/nights.ts';
import { syncSchedules } from '../../shared/schedules/sync.ts';
import type { CommandEnd, CommandRunner } from '../../workers/schedule/command.ts';
import { buildSchedule } from '../../workers/schedule.ts';
import { startWorkers, type Workforce } from '../../workers/workforce.ts';
import { eventually } from '../support/eventually.ts';
import { type BackendKind, openBench, type QueueBench, silent } from '../support/queue-backends.ts';
import { standIns } from '../support/stand-ins.ts';

const parametersHash = '0123456789abcdef';

/** Stands in for the command line: notes what is asked for and makes the rows that the real one makes. */
export class Commands {
  readonly calls: string[] = [];
  /** What a command does instead, once. */
  readonly instead = new Map<string, () => Promise<CommandEnd>>();
  /** Whether a freeze finds nothing new. */
  same = false;
  readonly #bench: QueueBench;

  constructor(bench: QueueBench) {
    this.#bench = bench;
  }

  readonly run: CommandRunner = (args) => {
    this.calls.push(args.join(' '));
    const name = args[0]!;
    const instead = this.instead.get(name);
    this.instead.delete(name);
    const does = { crawl: this.#crawl, freeze: this.#freeze, train: this.#train, cancel: this.#cancel };
    const ended =
      instead?.() ??
      does[name as keyof typeof does].call(this, args).then((answer) => ({ status: 0, answer, reason: '' }));
    return { ended, said: () => [], stop: () => {} };
  };

  named(name: string): string[] {
    return this.calls.filter((call) => call.startsWith(`${name} `));
  }

  async #crawl(): Promise<object> {
    const { prisma } = this.#bench.database;
    const running = await prisma.crawl.findUnique({ where: { runningKey: 'the query' } });
    const crawl =
      running ??
      (await prisma.crawl.create({ data: { source: 'spotify', query: {}, runningKey: 'the query' } }));
    return { crawl: publicId('crawl', crawl.id), state: crawl.state, joined: running !== null };
  }

  async #freeze(): Promise<object> {
    const { prisma } = this.#bench.database;
    const last = await prisma.dataSet.findFirst({ orderBy: { id: 'desc' } });
    if (this.same && last) return { id: publicId('data-set', last.id), isNew: false };
    const name = `data-set-${(last?.id ?? 0) + 1}`;
    const { id } = await prisma.dataSet.create({
      data: {
        ...{ name, parametersHash, threshold: 50, thresholdRule: 'median', seed: 1 },
        ...{ testFraction: 0.15, holdoutFraction: 0.1, contentHash: 'x', counts: { tracks: 7 } },
        normalisation: {},
      },
    });
    return { id: publicId('data-set', id), isNew: true };
  }

  async #train(args: readonly string[]): Promise<object> {
    const option = (name: string) => args[args.indexOf(name) + 1]!;
    const dataSetId = Number(/\d+/.exec(option('--data-set'))![0]);
    const { id } = await this.#bench.database.prisma.trainingRun.create({
      data: {
        ...{ dataSetId, options: {} },
        models: {
          create: option('--models')
            .split(',')
            .map((name) => ({ name, dataSetId, options: {} })),
        },
      },
    });
    return { run: publicId('run', id) };
  }

  async #cancel([, id]: readonly string[]): Promise<object> {
    return { cancelled: [await cancel(sessionOf(this.#bench), id!)] };
  }
}

export const sessionOf = (bench: QueueBench) =>
  ({ database: bench.database, queues: bench.queues, config: bench.config, log: silent }) as Session;

export const idOf = (name: string) => Number(/\d+$/.exec(name)![0]);

/** Schedules, workers of their nights in this process, and the command line that stands in. */
export class NightBench {
  readonly bench: QueueBench;
  readonly session: Session;
  commands: Commands;
  #workforces: Workforce[] = [];

  static async open(kind: BackendKind): Promise<NightBench> {
    const bench = await openBench(kind);
    await bench.database.prisma.spectrogramParameters.create({
      data: { hash: parametersHash, parameters: {} },
    });
    return new NightBench(bench);
  }

  private constructor(bench: QueueBench) {
    this.bench = bench;
    // To the commands it looks as if somebody were at work, so that they start no workers.
    this.session = { ...sessionOf(bench), workforce: { missing: async () => [] } as never };
    this.commands = new Commands(bench);
  }

  get prisma() {
    return this.bench.database.prisma;
  }

  async startWorker(run: CommandRunner = this.commands.run): Promise<void> {
    const builders = {
      ...standIns({}),
      schedule: (services: Parameters<typeof buildSchedule>[0]) => buildSchedule(services, run),
    };
    this.#workforces.push(await startWorkers(this.bench.config, silent, ['schedule'], builders));
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.#workforces.splice(0).map((workforce) => workforce.close()));
  }

  /** A schedule that is never due, where no pattern is given. */
  async add(
    name: string,
    steps: StepName[],
    given: { cron?: string; always?: boolean; deadlineHours?: number } = {},
  ): Promise<Schedule> {
    const { cron = '0 0 1 1 *', always = false, deadlineHours = 12 } = given;
    const options: ScheduleOptions = {
      crawl: { source: 'spotify', genre: 'hip-hop', years: '2019-2021', market: 'US', limit: null },
      freeze: { threshold: 'median', holdout: 0.1, test: 0.15, seed: 1 },
      train: { models: 'dummy,logistic', preset: null, crossValidate: 3, always },
      deadlineHours,
    };
    return (await addSchedule(this.session, { name, cron, timezone: 'UTC', steps, options })).schedule;
  }

  async nights(): Promise<Night[]> {
    return (await this.prisma.scheduleRun.findMany({ orderBy: { id: 'asc' } })).map(readNight);
  }

  failures() {
    return this.prisma.failure.findMany({ orderBy: { id: 'asc' } });
  }

  async ended(id: number): Promise<Night> {
    return eventually(
      async () => {
        const night = (await this.nights()).find((row) => row.id === id)!;
        return night.state === 'running' ? null : night;
      },
      { what: `night ${id} to end`, timeoutMs: 40_000 },
    );
  }

  async allEnded(): Promise<void> {
    await eventually(async () => (await this.nights()).every(({ state }) => state !== 'running'), {
      what: 'all nights to end',
    });
  }

  /** What a night works on in a step, as soon as its row says so. */
  async reached(id: number, name: StepName): Promise<string> {
    return eventually(
      async () => {
        const night = (await this.nights()).find((row) => row.id === id)!;
        return night.steps.find((step) => step.name === name)!.worksOn;
      },
      { what: `night ${id} to work on its step ${name}`, timeoutMs: 30_000 },
    );
  }

  async finishCrawl(name: string): Promise<void> {
    const data = { state: 'done' as const, runningKey: null, finishedAt: new Date() };
    await this.prisma.crawl.update({ where: { id: idOf(name) }, data });
  }

  /** End the models of a run, all in this state; the real workers finish the run the same way. */
  async finishRun(name: string, state: 'ready' | 'failed'): Promise<void> {
    const evaluation = { n: 1, accuracy: null, rocAuc: null, rocAucCi95: null, logLoss: null, brier: null };
    const metrics = { holdout: evaluation, test: evaluation, crossValidation: null };
    const models = await this.prisma.model.findMany({ where: { trainingRunId: idOf(name) } });
    for (const { id } of models) {
      const failureReason = state === 'failed' ? 'no memory' : null;
      await this.prisma.model.update({ where: { id }, data: { state, metrics, failureReason } });
      await finishTrainingRun(this.prisma, id);
    }
  }

  /** Leave nothing to the next test. */
  async reset(): Promise<void> {
    await this.prisma.schedule.deleteMany();
    await this.prisma.scheduleRun.updateMany({ where: { state: 'running' }, data: { state: 'cancelled' } });
    await syncSchedules({ prisma: this.prisma, queues: this.bench.queues });
    await this.stopWorkers();
    await this.bench.clear();
    await this.prisma.scheduleRun.deleteMany();
    await this.prisma.crawl.deleteMany();
    this.commands = new Commands(this.bench);
  }

  close(): Promise<void> {
    return this.bench.close();
  }
}
