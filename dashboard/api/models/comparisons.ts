/** Two models compared beside the work of this process, and once for all who look. */
import { Worker } from 'node:worker_threads';
import { compare } from '../../../producers/comparison.ts';
import type { Session } from '../../../producers/session.ts';
import { publicId } from '../../../shared/identifiers.ts';
import type { PairedComparison } from '../../../shared/learning/evaluation/index.ts';
import { entryPoint } from '../../../shared/paths.ts';
import { type Bootstrap, isComparison } from '../../../shared/registry/index.ts';
import { Turns } from '../../../shared/turns.ts';
import { Kept } from '../../kept.ts';
import type { ToCompare } from './bootstrap-thread.ts';
import type { ComparisonView } from './schemas.ts';

type Paired = NonNullable<ComparisonView['paired']>;

const known = new Kept<Paired>(500);

/** In megabytes: songs by the hundred thousand fit. */
const threadMemory = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 };

/**
 * Comparisons take turns: one thread beside the server is enough, and the judgements of two models, which are
 * to be read in the turn, are enough to have in memory. Who comes when so many wait already is sent away.
 */
const comparing = new Turns(1, 20);

/** Do what compares models by {@link bootstrapInThread} in its turn, which `signal` gives up waiting for. */
export function inTurn<T>(work: (bootstrap: Bootstrap) => Promise<T>, signal?: AbortSignal): Promise<T> {
  return comparing.run(() => work(bootstrapInThread), signal);
}

/** The paired bootstrap in a thread, which runs what was built (dist/). */
const bootstrapInThread: Bootstrap = (first, second, seed) =>
  new Promise<PairedComparison | null>((resolve, reject) => {
    const thread = new Worker(entryPoint('dashboard/api/models/bootstrap-thread.ts'), {
      workerData: { first, second, seed } satisfies ToCompare,
      resourceLimits: threadMemory,
    });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('the thread that compares ended without an answer')));
  });

/**
 * The paired test of two models that are ready. What they said never changes; a champion may have been
 * asked for more songs since, and then it is compared anew.
 * @param signal aborted when who asks has gone
 */
export async function pairedTest(
  session: Session,
  a: number,
  b: number,
  signal?: AbortSignal,
): Promise<Paired> {
  const { pool, url } = session.database;
  const { rows } = await pool.query<{ said: string }>(
    'SELECT count(*) AS said FROM model_predictions WHERE model_id IN ($1, $2)',
    [a, b],
  );
  const key = JSON.stringify([url, a, b, rows[0]!.said]);
  const compareAnew = (bootstrap: Bootstrap) => known.get(key, () => compared(session, a, b, bootstrap));
  return known.find(key) ?? inTurn(compareAnew, signal);
}

async function compared(session: Session, a: number, b: number, bootstrap: Bootstrap): Promise<Paired> {
  const { verdict, comparisons } = await compare(
    session,
    publicId('model', a),
    publicId('model', b),
    bootstrap,
  );
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
