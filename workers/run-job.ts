/**
 * The one wrapper around every handler: validates the payload, gives the log its context, takes the
 * time, enqueues what follows, and tells the kinds of failure apart.
 */
import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import { CancelledError, PermanentError, reasonOf, UserError, WaitError } from '../shared/errors.ts';
import { recordFailure } from '../shared/failures.ts';
import type { Logger } from '../shared/logging.ts';
import { recorder } from '../shared/metrics/recorder.ts';
import { type StageName, stages } from '../shared/stages.ts';
import type { Handler, Outcome, Services } from './handler.ts';

/** A job handed back at shutdown waits this long, so that the worker that leaves does not take it again. */
const handBackMs = 500;

export interface JobRun {
  services: Services;
  log: Logger;
  signal: AbortSignal;
}

/** What became of a run, as it is counted. */
type Ending = 'done' | 'skipped' | 'failed' | 'retried' | 'handed_back' | 'cancelled' | 'waited';

/** Run one job of a stage. What it returns is kept as the job's result. */
export async function runJob<Name extends StageName>(
  handler: Handler<Name>,
  job: Job,
  token: string | undefined,
  run: JobRun,
): Promise<Outcome> {
  const stage = stages[handler.stage];
  const log = run.log.child({ stage: stage.name, job: job.id, attempt: job.attemptsMade + 1 });
  const started = performance.now();
  const took = () => ({ ms: Math.round(performance.now() - started) });
  const count = (outcome: Ending) =>
    recorder.observe(
      'hiphop_job_duration_seconds',
      { stage: stage.name, outcome },
      (performance.now() - started) / 1_000,
    );
  try {
    const parsed = stage.payload.safeParse(job.data);
    if (!parsed.success) {
      const what = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
      throw new PermanentError(`the job's payload does not fit the stage ${stage.name}: ${what}`);
    }
    const outcome = await handler.run(parsed.data, {
      jobId: job.id!,
      log,
      signal: run.signal,
      progress: (value) => job.updateProgress(value),
    });
    await run.services.queues.enqueueNext(outcome.next ?? []);
    log.debug({ ...took(), ...outcome, next: undefined }, outcome.outcome);
    count(outcome.outcome);
    return outcome;
  } catch (error) {
    const reason = reasonOf(error);
    const permanent = error instanceof PermanentError || error instanceof UserError;
    if (run.signal.aborted && !permanent) {
      log.info({ ...took() }, 'handed back: this process is shutting down');
      count('handed_back');
      await job.moveToDelayed(Date.now() + handBackMs, token);
      throw new DelayedError();
    }
    if (error instanceof WaitError) {
      log.warn({ waitMs: error.waitMs }, reason);
      count('waited');
      await run.services.queues.of(stage.name).rateLimit(error.waitMs);
      throw Worker.RateLimitError();
    }
    if (error instanceof CancelledError) {
      log.info(took(), reason);
      count('cancelled');
      throw new UnrecoverableError(reason);
    }
    const last = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    if (!permanent && !last) {
      log.warn({ ...took(), err: error }, `failed, will be tried again: ${reason}`);
      count('retried');
      throw error;
    }
    // Wrong input is a person's to read in the failures; what was not foreseen is for the operator.
    if (permanent) log.info(took(), `failed for good: ${reason}`);
    else log.error({ ...took(), err: error }, `failed for good: ${reason}`);
    count('failed');
    await settleFailure(handler, job, permanent ? 'permanent' : 'exhausted', reason, run);
    throw permanent ? new UnrecoverableError(reason) : error;
  }
}

/** Write the failure down on the row it is about, then start what follows all the same. */
export async function settleFailure<Name extends StageName>(
  handler: Handler<Name>,
  job: Job,
  kind: 'permanent' | 'exhausted',
  reason: string,
  run: Pick<JobRun, 'services'>,
): Promise<void> {
  const stage = stages[handler.stage];
  const parsed = stage.payload.safeParse(job.data);
  const settled = parsed.success ? await handler.fail(parsed.data, reason, job.id!) : null;
  await recordFailure(run.services.database.prisma, {
    stage: stage.name,
    kind,
    reason,
    attempts: job.attemptsMade + 1,
    ...(settled?.subject ?? { subject: job.id ?? stage.name }),
    ...(parsed.success ? { payload: parsed.data } : {}),
  });
  await run.services.queues.enqueueNext(settled?.next ?? []);
}
