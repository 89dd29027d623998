import type { Handler, Services } from './handler.ts';

export function buildSearch(_services: Services): Handler<'search'> {
  return {
    stage: 'search',
    run: () => Promise.reject(new Error('being written')),
    fail: async () => null,
  };
}
