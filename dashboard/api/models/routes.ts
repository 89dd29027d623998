import type { Route } from '../route.ts';
import { championRoutes } from './champion-routes.ts';
import { dataSetRoutes } from './data-set-routes.ts';
import { modelRoutesOfOne } from './model-routes.ts';
import { runRoutes } from './run-routes.ts';

export const modelRoutes: readonly Route[] = [
  ...modelRoutesOfOne,
  ...championRoutes,
  ...dataSetRoutes,
  ...runRoutes,
];
