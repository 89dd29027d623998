/** How old a count of tracks may be when it is shown. */
import { afterEach, expect, test, vi } from 'vitest';
import { counted, type Source } from '../../../dashboard/api/catalogue/counted.ts';
import { ratedAges } from '../../../dashboard/api/catalogue/order.ts';

afterEach(() => vi.useRealTimers());

function desk(url: string) {
  vi.useFakeTimers({ toFake: ['Date'] });
  const catalogue = { tracks: 0, counts: 0 };
  const query = async () => {
    catalogue.counts++;
    return { rows: [{ total: catalogue.tracks }] };
  };
  return { catalogue, source: { url, pool: { query } } as unknown as Source };
}

test('one of a moment ago is shown while it is made anew, one of long ago is not', async () => {
  const { catalogue, source } = desk('a');
  const total = () => counted(source, 'SELECT', []);
  expect(await total()).toBe(0);
  catalogue.tracks = 7;
  vi.advanceTimersByTime(29_000);
  expect([await total(), catalogue.counts]).toEqual([0, 1]);
  vi.advanceTimersByTime(2_000);
  expect([await total(), catalogue.counts]).toEqual([0, 2]);
  expect([await total(), catalogue.counts]).toEqual([7, 2]);
  catalogue.tracks = 9;
  vi.advanceTimersByTime(3_600_000);
  expect([await total(), catalogue.counts]).toEqual([9, 3]);
});

test('where pages are cut by it, it is some seconds old at most', async () => {
  const { catalogue, source } = desk('b');
  const total = () => counted(source, 'SELECT', [], ratedAges);
  expect(await total()).toBe(0);
  catalogue.tracks = 7;
  vi.advanceTimersByTime(5_000);
  expect([await total(), await total()]).toEqual([0, 7]);
  catalogue.tracks = 9;
  vi.advanceTimersByTime(10_001);
  expect(await total()).toBe(9);
});
