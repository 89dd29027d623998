import type { SpectrogramPool } from '../shared/audio/pool.ts';
import type { Config } from '../shared/config.ts';
import type { Database } from '../shared/database/index.ts';
import type { FailureSubject } from '../shared/failures.ts';
import type { Learner } from '../shared/learning/learner.ts';
import type { Logger } from '../shared/logging.ts';
import type { NextJob, Queues } from '../shared/queues/queues.ts';
import type { StageName, StagePayloads } from '../shared/stages.ts';
import type { Tagger } from '../shared/tagger/tagger.ts';

/** What a worker process has open; the costly parts are made when a stage first asks for them. */
export interface Services {
  config: Config;
  /** The stages that this process runs. */
  stages: readonly StageName[];
  database: Database;
  queues: Queues;
  spectrograms: () => SpectrogramPool;
  tagger: () => Tagger;
  /** One process trains, another judges songs: a song does not wait for a training. */
  trainer: () => Learner;
  judge: () => Learner;
}

export interface JobContext {
  /** The queue's name for the job: the same when it is run again. */
  jobId: string;
  log: Logger;
  /** Aborted when this process shuts down: stop soon, the job is handed back without losing an attempt. */
  signal: AbortSignal;
  /** Show how far the job is. */
  progress: (value: object) => Promise<void>;
}

/** What a handler did: the job is done, or there was nothing to do and why. */
export type Outcome =
  | { outcome: 'done'; note?: string; next?: NextJob[] }
  | { outcome: 'skipped'; why: string; next?: NextJob[] };

/** The handler of a stage: throws on failure, swallows nothing. */
export interface Handler<Name extends StageName> {
  stage: Name;
  run: (payload: StagePayloads[Name], context: JobContext) => Promise<Outcome>;
  /**
   * Mark the row that this job was about as failed for good, with the reason for people.
   * Returns what the failure belongs to, or null when the row is gone, and what follows all the same.
   */
  fail: (
    payload: StagePayloads[Name],
    reason: string,
    jobId: string,
  ) => Promise<{ subject: FailureSubject; next?: NextJob[] } | null>;
  /**
   * Asked when a job has failed and is over: what of it somebody else has put back since its row was marked.
   * Their job has the same name, and the queue dropped it as this one was still at work.
   */
  askedAgain?: (payload: StagePayloads[Name]) => Promise<NextJob[]>;
}

export type AnyHandler = { [Name in StageName]: Handler<Name> }[StageName];
export type HandlerBuilder = (services: Services) => AnyHandler;
