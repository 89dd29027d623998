import type { Handler, Services } from './handler.ts';

export function buildSchedule(_services: Services): Handler<'schedule'> {
  return {
    stage: 'schedule',
    run: () => Promise.reject(new Error('being written')),
    fail: async () => null,
  };
}
