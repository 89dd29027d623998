/** Whether the server lives, and whether it can do its work. */
import type { Express } from 'express';
import type { Session } from '../../producers/session.ts';
import { reasonOf } from '../../shared/errors.ts';
import { Seldom } from '../api/pipeline/seldom.ts';

/** A check that takes longer has failed, in milliseconds. */
const patienceMs = 3_000;

export function mountHealth(app: Express, { database, queues, log }: Session): void {
  const checks: Record<string, () => Promise<unknown>> = {
    database: () => database.pool.query('SELECT 1'),
    migrations: async () => {
      const { rows } = await database.pool.query<{ open: number }>(
        'SELECT count(*)::int AS open FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL',
      );
      if (rows[0]!.open > 0) throw new Error('a migration is not finished');
    },
    queues: () => queues.counts('search'),
  };
  app.get('/healthz', (_request, response) => {
    response.type('text/plain').set('Cache-Control', 'no-store').send('ok\n');
  });
  const readiness = new Seldom(
    async () => {
      const results = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(name, check)] as const),
      );
      return {
        ready: results.every(([, { ready }]) => ready),
        checks: Object.fromEntries(results),
      };
    },
    { freshMs: 1_000, share: 1 },
  );
  async function outcomeOf(name: string, check: () => Promise<unknown>) {
    const began = performance.now();
    const ready = await within(check()).then(
      () => true,
      (error) => {
        log.warn({ check: name, reason: reasonOf(error) }, 'not ready');
        return false;
      },
    );
    return { ready, ms: Math.round(performance.now() - began) };
  }
  // Anybody may ask, as often as they like: the database is asked once a second at most.
  app.get('/readyz', async (_request, response) => {
    const said = await readiness.get();
    response
      .status(said.ready ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json(said);
  });
}

function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
