import type { Route } from '../route.ts';

export const pipelineRoutes: readonly Route[] = [];
