import { getEventListeners } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('streams that were lost leave nothing behind on what ends them all', async () => {
  vi.useFakeTimers();
  const streams: { onerror: () => void; closed: boolean }[] = [];
  class RefusedStream {
    onerror = () => {};
    closed = false;
    constructor() {
      streams.push(this);
      setTimeout(() => this.onerror(), 10);
    }
    addEventListener() {}
    close() {
      this.closed = true;
    }
  }
  vi.stubGlobal('EventSource', RefusedStream);
  vi.stubGlobal(
    'BroadcastChannel',
    class {
      postMessage() {}
      close() {}
    },
  );
  vi.stubGlobal('navigator', {});
  vi.stubGlobal('document', { hidden: false, addEventListener: () => {}, removeEventListener: () => {} });
  vi.stubGlobal('fetch', async () => Response.json({ name: 'ops', role: 'operator' }));
  const listens = vi.spyOn(EventTarget.prototype, 'addEventListener');
  // They are written for the browser, whose types are not known here.
  const site = (file: string) => import(new URL(`../../../dashboard/site/${file}`, import.meta.url).pathname);
  const { queryClient } = await site('api.ts');
  const { followEvents } = await site('events.ts');
  followEvents(queryClient);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(streams.length).toBeGreaterThan(15);
  const signals = new Set(listens.mock.contexts.filter((target) => target instanceof AbortSignal));
  expect(signals.size).toBeGreaterThan(0);
  // One closes the channel, one ends the stream or the wait of now.
  for (const signal of signals) expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(2);
  expect(streams.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(1);
  queryClient.clear();
});
