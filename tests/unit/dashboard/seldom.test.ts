/** Readings that cost something: how seldom they are made, and how old what they read is. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Seldom } from '../../../dashboard/api/pipeline/seldom.ts';
import { restMs } from '../../../dashboard/rest.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

/** Readings that end when they are told to. */
function desk() {
  const readings: ((value: string) => void)[] = [];
  const seldom = new Seldom(() => new Promise<string>((resolve) => readings.push(resolve)));
  /** Ask, and let the reading that this begins take so long. */
  const read = async (value: string, tookMs: number) => {
    const found = seldom.get();
    vi.advanceTimersByTime(tookMs);
    readings.at(-1)!(value);
    return found;
  };
  return { seldom, readings, read };
}

test('what is costly rests long, and what waited for a service that was away no longer than that', () => {
  expect(restMs(10, 0.1, 500)).toBe(500);
  expect(restMs(1_000, 0.1, 500)).toBe(10_000);
  expect(restMs(60_000, 0.1, 500)).toBe(30_000);
  expect(restMs(60_000, 0.1, 600_000)).toBe(600_000);
});

test('half a minute after an outage it is read again, and it knows how old its value is', async () => {
  const { seldom, readings, read } = desk();
  expect(await read('first', 60_000)).toBe('first');
  expect(seldom.readAt).toBe(1_000_000);
  vi.advanceTimersByTime(29_000);
  expect(await seldom.get()).toBe('first');
  vi.advanceTimersByTime(1_001);
  expect(await read('second', 10)).toBe('second');
  expect(seldom.readAt).toBe(1_090_001);
  expect(readings).toHaveLength(2);
});

test('a reading that was forgotten while it ran says nothing of the one in its place', async () => {
  const { seldom, readings } = desk();
  const forgotten = seldom.get();
  seldom.forget();
  const anew = seldom.get();
  readings[0]!('old');
  expect(await forgotten).toBe('old');
  vi.advanceTimersByTime(60_000);
  const same = seldom.get();
  expect(readings).toHaveLength(2);
  readings[1]!('new');
  expect([await anew, await same]).toEqual(['new', 'new']);
});
