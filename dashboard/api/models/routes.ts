import type { Route } from '../route.ts';
import { dataSetRoutes } from './data-set-routes.ts';
import { modelRoutesOfOne } from './model-routes.ts';

export const modelRoutes: readonly Route[] = [...modelRoutesOfOne, ...dataSetRoutes];
