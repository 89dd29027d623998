import type { Route } from '../route.ts';

export const scheduleRoutes: readonly Route[] = [];
