import { type StageName, type StagePayloads, stageNames, stages } from '../stages.ts';
import type { Job, Queue, QueueBackend } from './backend.ts';

/** Jobs are added in chunks of this many. */
const chunk = 1_000;

/** The queue removes jobs one by one: so many at a time. */
const removalChunk = 50;

/** Failed jobs stay in the queue this long, in seconds, to be looked at; their rows stay for good. */
const keepFailedSeconds = 14 * 24 * 3600;

/** Work to be enqueued: a stage and what its job carries. */
export type NextJob = {
  [Name in StageName]: { stage: Name; payload: StagePayloads[Name] };
}[StageName];

export interface QueueCounts {
  /** Also what waits for the end of a pause. */
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  paused: boolean;
}

/** The queues of all stages, opened when first used. */
export class Queues {
  readonly #backend: QueueBackend;
  readonly #open = new Map<StageName, Queue>();

  constructor(backend: QueueBackend) {
    this.#backend = backend;
  }

  get kind(): QueueBackend['kind'] {
    return this.#backend.kind;
  }

  of(stage: StageName): Queue {
    let queue = this.#open.get(stage);
    if (!queue) {
      queue = this.#backend.queue(stage);
      // Without a listener a lost connection would end the process; calls report it themselves.
      queue.on('error', () => {});
      this.#open.set(stage, queue);
    }
    return queue;
  }

  /**
   * Enqueue jobs of one stage. A job that is already waiting or running is not added again; one that
   * failed before makes room for the new try.
   * @throws z.ZodError when a payload does not fit the stage
   */
  async enqueue<Name extends StageName>(name: Name, payloads: readonly StagePayloads[Name][]): Promise<void> {
    const stage = stages[name];
    const queue = this.of(name);
    for (let start = 0; start < payloads.length; start += chunk) {
      const jobs = payloads.slice(start, start + chunk).map((payload) => ({
        name,
        data: stage.payload.parse(payload),
        opts: {
          jobId: stage.jobId(payload),
          attempts: stage.attempts,
          backoff: stage.backoff,
          removeOnComplete: true,
          removeOnFail: { age: keepFailedSeconds },
        },
      }));
      await this.#removeFailed(
        queue,
        jobs.map((job) => job.opts.jobId),
      );
      await queue.addBulk(jobs);
    }
  }

  /** Enqueue jobs of several stages; those of a stage keep their order. */
  async enqueueNext(jobs: readonly NextJob[]): Promise<void> {
    for (const name of new Set(jobs.map((job) => job.stage))) {
      const payloads = jobs.filter((job) => job.stage === name).map((job) => job.payload);
      await this.enqueue(name, payloads as StagePayloads[typeof name][]);
    }
  }

  /** Remove a job that does not run yet. Says whether it is gone; a running one has to be cancelled. */
  async remove<Name extends StageName>(name: Name, payload: StagePayloads[Name]): Promise<boolean> {
    const job = await this.of(name).getJob(stages[name].jobId(payload));
    if (!job) return true;
    return job.remove().then(
      () => true,
      () => false, // locked by a worker
    );
  }

  /** Remove jobs that do not run yet; those that run find out by themselves that they are not wanted. */
  async removeAll<Name extends StageName>(
    name: Name,
    payloads: readonly StagePayloads[Name][],
  ): Promise<void> {
    if (payloads.length === 0) return;
    const queue = this.of(name);
    const { waiting, delayed, failed } = await this.counts(name);
    if (waiting + delayed + failed === 0) return;
    for (let start = 0; start < payloads.length; start += removalChunk) {
      const some = payloads.slice(start, start + removalChunk);
      await Promise.all(some.map((payload) => queue.remove(stages[name].jobId(payload))));
    }
  }

  async find<Name extends StageName>(name: Name, payload: StagePayloads[Name]): Promise<Job | undefined> {
    return (await this.of(name).getJob(stages[name].jobId(payload))) ?? undefined;
  }

  async counts(name: StageName): Promise<QueueCounts> {
    const queue = this.of(name);
    const [counts, paused] = await Promise.all([
      queue.getJobCounts('waiting', 'active', 'delayed', 'failed'),
      queue.isPaused(),
    ]);
    return {
      waiting: counts['waiting'] ?? 0,
      active: counts['active'] ?? 0,
      delayed: counts['delayed'] ?? 0,
      failed: counts['failed'] ?? 0,
      paused,
    };
  }

  /** Hold a stage on all machines: jobs under way end, none begins until `resume`. */
  async pause(name: StageName): Promise<void> {
    await this.of(name).pause();
  }

  async resume(name: StageName): Promise<void> {
    await this.of(name).resume();
  }

  async allCounts(): Promise<Record<StageName, QueueCounts>> {
    const counts = await Promise.all(
      stageNames.map(async (name) => [name, await this.counts(name)] as const),
    );
    return Object.fromEntries(counts) as Record<StageName, QueueCounts>;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((queue) => queue.close()));
    this.#open.clear();
    await this.#backend.close();
  }

  /** BullMQ ignores an id that it still knows, failed ones too: take those out first. */
  async #removeFailed(queue: Queue, ids: readonly string[]): Promise<void> {
    const counts = await queue.getJobCounts('failed');
    if (!counts['failed']) return;
    await Promise.all(
      ids.map(async (jobId) => {
        const job = await queue.getJob(jobId);
        if (job && (await job.isFailed())) await job.remove();
      }),
    );
  }
}
