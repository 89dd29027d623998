import { staff } from '../../access/caller.ts';
import { type Route, route } from '../route.ts';
import { crawlRoutes } from './crawl-routes.ts';
import { failureRoutes } from './failure-routes.ts';
import { queueRoutes } from './queue-routes.ts';
import { runningRoutes } from './running-routes.ts';
import { pipelineSnapshot } from './schemas.ts';
import { pipelineOf } from './snapshot.ts';

export const pipelineRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/pipeline',
    allows: staff,
    tag: 'pipeline',
    summary: 'Show the pipeline as it stands',
    description: 'The same is pushed as event `pipeline` of /api/events while it changes.',
    answer: pipelineSnapshot,
    run: (_, { session }) => pipelineOf(session).snapshot(),
  }),
  ...crawlRoutes,
  ...failureRoutes,
  ...queueRoutes,
  ...runningRoutes,
];
