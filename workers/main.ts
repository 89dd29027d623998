/**
 * A worker process: runs the stages it is told to (`--only preview,spectrogram`), all by default.
 * It needs the addresses of PostgreSQL and, where queues are on Redis, of Redis, and nothing else.
 */
import { parseArgs } from 'node:util';
import { parseConfig } from '../shared/config.ts';
import { reasonOf, UserError } from '../shared/errors.ts';
import { createLogger } from '../shared/logging.ts';
import { parseStageNames, type StageName, stageNames } from '../shared/stages.ts';
import { buildEmbedding } from './embedding.ts';
import type { HandlerBuilder } from './handler.ts';
import { buildLookup } from './lookup.ts';
import { buildPreview } from './preview.ts';
import { buildSchedule } from './schedule.ts';
import { buildScore } from './score.ts';
import { buildSearch } from './search.ts';
import { buildSpectrogram } from './spectrogram.ts';
import { buildTrain } from './train.ts';
import { startWorkers, type Workforce } from './workforce.ts';

/** Which builder makes the handler of which stage. */
export const builders: Record<StageName, HandlerBuilder> = {
  search: buildSearch,
  lookup: buildLookup,
  preview: buildPreview,
  embedding: buildEmbedding,
  spectrogram: buildSpectrogram,
  train: buildTrain,
  score: buildScore,
  schedule: buildSchedule,
};

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const only = values.only === undefined ? stageNames : parseStageNames(values.only);
  // biome-ignore lint/style/noProcessEnv: the entry point is where settings are read
  const config = parseConfig(process.env);
  const log = createLogger(config, 'worker');

  let workers: Workforce | undefined;
  let leaving = false;
  const end = (started: Workforce) =>
    started.close().then(
      () => process.exit(0),
      (error) => {
        log.error({ err: error }, 'shutdown failed');
        process.exit(1);
      },
    );
  const leave = (why: string) => {
    if (leaving) {
      log.warn('second signal: leaving at once; jobs under way are taken up again by others');
      process.exit(1);
    }
    leaving = true;
    log.info({ why }, 'shutting down: no new jobs, those under way are finished or handed back');
    if (workers) void end(workers);
  };
  // Before the first job is taken: a signal that nobody listens to would end the process in its midst.
  process.on('SIGTERM', () => leave('SIGTERM'));
  // A worker that a command started is told by the command; Ctrl-C on its terminal is not for it.
  if (process.send) process.on('SIGINT', () => {});
  else process.on('SIGINT', () => leave('SIGINT'));
  // The command that started this worker is gone, whatever ended it.
  process.on('disconnect', () => leave('the command that started it is gone'));
  if (process.send && !process.connected) return;

  workers = await startWorkers(config, log, only, builders);
  if (leaving) await end(workers);
  // The command may be gone by now, of which the next event tells.
  else process.send?.({ ready: only }, () => {});
}

main().catch((error: unknown) => {
  const expected = error instanceof UserError;
  process.stderr.write(
    `hiphop worker: ${expected ? error.message : ((error as Error).stack ?? reasonOf(error))}\n`,
  );
  process.exit(expected ? 2 : 1);
});
