import type { Handler, Services } from './handler.ts';

export function buildLookup(_services: Services): Handler<'lookup'> {
  return {
    stage: 'lookup',
    run: () => Promise.reject(new Error('being written')),
    fail: async () => null,
  };
}
