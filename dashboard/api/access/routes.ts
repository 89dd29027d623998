/** Who asks, who may, and who did what. */
import type { Route } from '../route.ts';
import { accountRoutes } from './account-routes.ts';
import { auditRoutes } from './audit-routes.ts';
import { meRoutes } from './me-routes.ts';
import { viewRoutes } from './view-routes.ts';

export const accessRoutes: readonly Route[] = [...meRoutes, ...accountRoutes, ...auditRoutes, ...viewRoutes];
