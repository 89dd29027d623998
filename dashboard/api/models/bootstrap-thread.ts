/** One paired comparison in a thread of its own: thousands of resamples would hold up all who ask. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Judged, pairedBootstrap } from '../../../shared/learning/evaluation/index.ts';

/** What it is given. */
export interface ToCompare {
  first: readonly Judged[];
  second: readonly Judged[];
  seed: number;
}

const { first, second, seed } = workerData as ToCompare;
parentPort?.postMessage(pairedBootstrap(first, second, seed));
