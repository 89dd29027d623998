/** Whether the server lives, and whether it can do its work. */
import type { Express } from 'express';
import type { Session } from '../../producers/session.ts';

export function mountHealth(app: Express, { database, queues }: Session): void {
  app.get('/healthz', (_request, response) => {
    response.type('text/plain').send('ok\n');
  });
  app.get('/readyz', async (_request, response) => {
    const checks = await Promise.allSettled([database.pool.query('SELECT 1'), queues.counts('search')]);
    const ready = checks.every(({ status }) => status === 'fulfilled');
    response.status(ready ? 200 : 503).json({
      database: checks[0].status === 'fulfilled',
      queues: checks[1].status === 'fulfilled',
    });
  });
}
