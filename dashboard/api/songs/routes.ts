import type { Route } from '../route.ts';
import { batchRoutes } from './batch-routes.ts';
import { songRoutesOfOne } from './song-routes.ts';

export const songRoutes: readonly Route[] = [...batchRoutes, ...songRoutesOfOne];
