/** Brings what this process counts and logs into the database, for as long as it lives. */
import type pg from 'pg';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logging.ts';
import { logLines } from './log-lines.ts';
import { prune } from './prune.ts';
import { recorder } from './recorder.ts';

/** How often, in milliseconds. */
const measurementsMs = 5_000;
const logLinesMs = 1_000;
const pruneMs = 600_000;

export interface Reporting {
  /** Write what there still is. Before the database is closed. */
  stop: () => Promise<void>;
}

/** @param process what this process is to people: worker, dashboard, up */
export function startReporting(pool: pg.Pool, log: Logger, process: string): Reporting {
  const tasks = [
    repeat(measurementsMs, () => recorder.flush(pool), 'what was counted could not be written'),
    repeat(logLinesMs, () => logLines.flush(pool, process), 'log lines could not be written'),
  ];
  const pruning = repeat(pruneMs, () => prune(pool), 'what is old could not be removed');

  /** One at a time, and never in the way of the work: what fails is tried again. */
  function repeat(everyMs: number, work: () => Promise<void>, trouble: string) {
    let running = Promise.resolve();
    const once = () => {
      running = running
        .then(work)
        .catch((error) => log.debug({ reason: reasonOf(error) }, `${trouble}; it is tried again`));
      return running;
    };
    const timer = setInterval(once, everyMs);
    timer.unref();
    return {
      last: () => {
        clearInterval(timer);
        return once();
      },
      end: async () => {
        clearInterval(timer);
        await running;
      },
    };
  }

  return {
    stop: async () => {
      await pruning.end();
      // Lines first: they count themselves.
      for (const task of [...tasks].reverse()) await task.last();
    },
  };
}
