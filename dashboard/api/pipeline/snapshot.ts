/** The state of the pipeline as one snapshot: what the home page shows, and every page's frame. */
import type { Session } from '../../../producers/session.ts';
import type { Crawl } from '../../../shared/database/generated/client.ts';
import { audioStages } from '../../../shared/stages.ts';
import type { Topic } from '../../events/hub.ts';
import { Crawls } from './current-crawl.ts';
import { openFailures } from './open-failures.ts';
import { problemsOf } from './problems.ts';
import { readChampion, readLastNights, readNext, readRunning } from './running.ts';
import type { CrawlDetail, PipelineSnapshot, StageState } from './schemas.ts';
import { Seldom } from './seldom.ts';
import { readPauses, readStages } from './stages.ts';

const reasonsShown = 10;
/** What changes seldom is read so seldom, in milliseconds. */
const slowMs = 3_000;
/** The age of a snapshot is told in steps of this, in milliseconds: it says that it is fresh also when nothing moves. */
const freshMs = 10_000;

export class Pipeline {
  readonly #session: Session;
  readonly #crawls: Crawls;
  readonly #stages: Seldom<Awaited<ReturnType<typeof readStages>>>;
  readonly #failures: Seldom<PipelineSnapshot['failures']>;
  readonly #running: Seldom<PipelineSnapshot['running']>;
  readonly #slow: Seldom<Pick<PipelineSnapshot, 'nights' | 'next' | 'champion'>>;
  readonly #snapshot: Seldom<PipelineSnapshot>;

  constructor(session: Session) {
    this.#session = session;
    this.#crawls = new Crawls(session);
    this.#stages = new Seldom(() => readStages(session), { share: 0.1 });
    this.#failures = new Seldom(() => openFailures(session.database.prisma, {}, reasonsShown));
    this.#running = new Seldom(() => readRunning(session));
    this.#slow = new Seldom(() => this.#readSlow(), { freshMs: slowMs });
    // What it is made of keeps its own time.
    this.#snapshot = new Seldom(() => this.#read(), { freshMs: 500, share: 1 });
  }

  snapshot(): Promise<PipelineSnapshot> {
    return this.#snapshot.get();
  }

  /** Somebody has changed something: it is to be seen at once. */
  forget(): void {
    for (const part of [this.#stages, this.#failures, this.#running, this.#slow, this.#snapshot])
      part.forget();
  }

  async crawl(row: Crawl): Promise<CrawlDetail> {
    return this.#crawls.detail(row, await this.#stoppers(row, (await this.#stages.get()).stages));
  }

  async #read(): Promise<PipelineSnapshot> {
    const { prisma } = this.#session.database;
    const [{ stages, workers }, failures, running, slow, row, outside] = await Promise.all([
      this.#stages.get(),
      this.#failures.get(),
      this.#running.get(),
      this.#slow.get(),
      this.#crawls.newest(),
      this.#outside(),
    ]);
    const [paused, crawl] = await Promise.all([
      readPauses(prisma, stages),
      row && this.#stoppers(row, stages).then((stopped) => this.#crawls.describe(row, stopped)),
    ]);
    const { nights, next, champion } = slow;
    // As old as its oldest part: what is costly, or waits for a service that is away, is read seldom.
    const oldest = Math.min(
      ...[this.#stages, this.#failures, this.#running, this.#slow].map(({ readAt }) => readAt),
      row ? this.#crawls.countedAt(row) : Number.POSITIVE_INFINITY,
    );
    return {
      asOf: new Date(freshMs * Math.floor(oldest / freshMs)).toISOString(),
      ...{ paused, crawl, queues: this.#session.queues.kind, stages, workers },
      ...{ running, nights, next, failures, champion },
      problems: problemsOf({ stages, workers, paused, crawl, failures, next, outside }),
    };
  }

  /** What stops a crawl now. */
  async #stoppers(row: Crawl, stages: readonly StageState[]): Promise<string[]> {
    if (row.state !== 'running') return [];
    const searching = row.source === 'spotify' && row.searchedAt === null;
    const names: string[] = [
      ...(searching ? ['search'] : []),
      ...(row.parametersHash === null ? [] : audioStages(this.#session.config)),
    ];
    return stages
      .filter(({ stage }) => names.includes(stage))
      .flatMap(({ stage, paused, workers }) => {
        if (paused) return [`the stage ${stage} is paused`];
        return workers === 0 ? [`no worker alive runs the stage ${stage}`] : [];
      });
  }

  async #outside(): Promise<{ name: string; until: Date }[]> {
    const rows = await this.#session.database.prisma.outsideService.findMany({
      where: { pausedUntil: { gt: new Date() } },
    });
    return rows.map(({ name, pausedUntil }) => ({ name, until: pausedUntil! }));
  }

  async #readSlow(): Promise<Pick<PipelineSnapshot, 'nights' | 'next' | 'champion'>> {
    const [nights, next, champion] = await Promise.all([
      readLastNights(this.#session),
      readNext(this.#session),
      readChampion(this.#session),
    ]);
    return { nights, next, champion };
  }
}

const pipelines = new WeakMap<Session, Pipeline>();

/** The one reader of a server, so that all who look share what it reads. */
export function pipelineOf(session: Session): Pipeline {
  let pipeline = pipelines.get(session);
  if (!pipeline) {
    pipeline = new Pipeline(session);
    pipelines.set(session, pipeline);
  }
  return pipeline;
}

/** Artists see that something is paused, and nothing else of it. */
export function pipelineTopic(session: Session): Topic {
  const pipeline = pipelineOf(session);
  return {
    name: 'pipeline',
    audience: ({ role }) => (role === 'artist' ? 'artists' : 'staff'),
    everyMs: 1_000,
    read: async (audience) => {
      const snapshot = await pipeline.snapshot();
      if (audience === 'staff') return snapshot;
      return { paused: snapshot.paused.map(({ what }) => ({ what, by: null, since: null })) };
    },
  };
}
