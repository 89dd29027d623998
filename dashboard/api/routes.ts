/** All routes of the API. */
import { accessRoutes } from './access/routes.ts';
import { catalogueRoutes } from './catalogue/routes.ts';
import { historyRoutes } from './history/routes.ts';
import { modelRoutes } from './models/routes.ts';
import { pipelineRoutes } from './pipeline/routes.ts';
import type { Route } from './route.ts';
import { scheduleRoutes } from './schedules/routes.ts';
import { searchRoutes } from './search/routes.ts';
import { songRoutes } from './songs/routes.ts';
import { systemRoutes } from './system/routes.ts';

export const routes: readonly Route[] = [
  ...pipelineRoutes,
  ...catalogueRoutes,
  ...modelRoutes,
  ...songRoutes,
  ...scheduleRoutes,
  ...historyRoutes,
  ...searchRoutes,
  ...accessRoutes,
  ...systemRoutes,
];
