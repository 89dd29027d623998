import type { Route } from '../route.ts';

export const songRoutes: readonly Route[] = [];
