/** Two models compared beside the work of this process, and once for all who look. */
import { Worker } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { compare } from '../../../producers/comparison.ts';
import type { Session } from '../../../producers/session.ts';
import { publicId } from '../../../shared/identifiers.ts';
import type { PairedComparison } from '../../../shared/learning/evaluation/index.ts';
import { entryPoint } from '../../../shared/paths.ts';
import { type Bootstrap, isComparison } from '../../../shared/registry/index.ts';
import type { ToCompare } from './bootstrap-thread.ts';
import type { ComparisonView } from './schemas.ts';

type Paired = NonNullable<ComparisonView['paired']>;

const known = new LRUCache<string, Promise<Paired>>({ max: 500 });

/** In megabytes: songs by the hundred thousand fit. */
const threadMemory = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 };

/** Comparisons take turns: one thread beside the server is enough. */
let turn: Promise<unknown> = Promise.resolve();

/** The paired bootstrap in a thread, which runs what was built (dist/). */
export const bootstrapInThread: Bootstrap = (first, second, seed) => {
  const mine = turn.then(() => inThread({ first, second, seed }));
  turn = mine.catch(() => {});
  return mine;
};

function inThread(task: ToCompare): Promise<PairedComparison | null> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(entryPoint('dashboard/api/models/bootstrap-thread.ts'), {
      workerData: task,
      resourceLimits: threadMemory,
    });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('the thread that compares ended without an answer')));
  });
}

/**
 * The paired test of two models that are ready. What they said never changes; a champion may have been
 * asked for more songs since, and then it is compared anew.
 */
export async function pairedTest(session: Session, a: number, b: number): Promise<Paired> {
  const { pool, url } = session.database;
  const { rows } = await pool.query<{ said: string }>(
    'SELECT count(*) AS said FROM model_predictions WHERE model_id IN ($1, $2)',
    [a, b],
  );
  const key = JSON.stringify([url, a, b, rows[0]!.said]);
  const before = known.get(key);
  if (before) return before;
  const found = compareAnew(session, a, b);
  known.set(key, found);
  found.catch(() => known.delete(key));
  return found;
}

async function compareAnew(session: Session, a: number, b: number): Promise<Paired> {
  const ids = [publicId('model', a), publicId('model', b)] as const;
  const { verdict, comparisons } = await compare(session, ...ids, bootstrapInThread);
  return {
    verdict,
    comparisons: comparisons.map((found) => ({
      ...{ basis: found.basis, beyondNoise: found.beyondNoise },
      ...(isComparison(found)
        ? { n: found.n, difference: found.difference, ci95: [...found.ci95], reason: null }
        : { n: null, difference: null, ci95: null, reason: found.reason }),
    })),
  };
}
