import type { Route } from '../route.ts';

export const modelRoutes: readonly Route[] = [];
