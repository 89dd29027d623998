/** The system itself. */
import { hostname } from 'node:os';
import { codeVersion } from '../../../shared/code-version.ts';
import { staff } from '../../access/caller.ts';
import { type Route, route } from '../route.ts';
import { systemSchema } from './schemas.ts';

export const systemRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/system',
    allows: staff,
    tag: 'system',
    summary: 'Say what serves these pages, since when, and on what',
    answer: systemSchema,
    run: async (_input, { session: { config, database, queues } }) => ({
      version: codeVersion(),
      startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
      now: new Date().toISOString(),
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...{
        database: database.kind,
        queues: queues.kind,
        tensorflow: config.tensorflow,
        tagger: config.tagger,
      },
      host: hostname(),
    }),
  }),
];
