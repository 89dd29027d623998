/** A child process of SpectrogramPool: decodes one file at a time. Started, never imported. */
import { Worker } from 'node:worker_threads';
import workerpool from 'workerpool';
import { PermanentError } from '../errors.ts';
import { entryPoint } from '../paths.ts';
import { RETIRED_EXIT_CODE } from './child-end.ts';
import { makeExcerptWav } from './excerpt-wav.ts';
import { makeLogMel, makeLogMelExcerpt } from './log-mel.ts';
import type { ChildOutcome } from './pool.ts';
import { makeSpectrogram } from './spectrogram.ts';

// Ctrl-C in a terminal goes to every process of the group. The parent decides when its children end.
process.on('SIGINT', () => {});

// workerpool ends the child when the channel to the parent closes, but only between two tasks.
new Worker(entryPoint('shared/audio/parent-watch.ts')).unref();

const mostBytes = Number(process.argv[2]) * 1_000_000;
let filesDone = 0;

/** The same function, with errors that survive the way to the parent. */
function withOutcome<Parameters, T>(
  make: (bytes: Uint8Array, parameters: Parameters) => Promise<T>,
): (bytes: Uint8Array, parameters: Parameters) => Promise<ChildOutcome<T>> {
  return async (bytes, parameters) => {
    // node-av keeps some 17 kB of each file that it opens, and four times that is lost around it.
    // Ended here, between two files, nothing is lost: the pool gives this one to another child.
    if (filesDone++ > 0 && process.memoryUsage.rss() > mostBytes) process.exit(RETIRED_EXIT_CODE);
    try {
      return { kind: 'made', result: await make(bytes, parameters) };
    } catch (error) {
      if (error instanceof PermanentError) return { kind: 'permanent', reason: error.message };
      throw error;
    }
  };
}

workerpool.worker({
  makeSpectrogram: withOutcome(makeSpectrogram),
  makeLogMel: withOutcome(makeLogMel),
  makeLogMelExcerpt: withOutcome(makeLogMelExcerpt),
  makeExcerptWav: withOutcome(makeExcerptWav),
});
