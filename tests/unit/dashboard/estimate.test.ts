import { expect, test } from 'vitest';
import type { Done } from '../../../dashboard/api/pipeline/earlier-crawls.ts';
import { estimateFrom } from '../../../dashboard/api/pipeline/estimate.ts';
import type { CrawlQuery } from '../../../shared/sources/spotify/query.ts';

const query: CrawlQuery = { genre: 'hip-hop', years: [2015, 2024], market: 'US', limit: null };
const done: Done = {
  ...{ id: 1, query, audio: true, quota: 'development', pages: 4_000, tracks: 36_000, lookups: 36_000 },
  ...{ missing: 0, searchHours: 0.2, hours: 3 },
};

test('lookups of an earlier crawl of the same query bound the time from below', () => {
  const { lookups, hours } = estimateFrom([done], query, true);
  expect(lookups).toEqual({ from: 27_000, to: 45_000 });
  // 50 requests in 5 s, however fast the search is.
  expect(hours.from).toBeCloseTo(27_000 / 36_000);
  expect(hours.to).toBeGreaterThan(45_000 / 18_000);
});

test('of another span of years they go by the number of years, and by the limit', () => {
  expect(estimateFrom([done], { ...query, years: [2020, 2024] }, true).lookups).toEqual({
    from: 9_000,
    to: 36_000,
  });
  expect(estimateFrom([done], { ...query, years: [2020, 2024], limit: 100 }, true).lookups).toEqual({
    from: 50,
    to: 100,
  });
});

test('where nothing like it was crawled, the quota says whether each is looked up', () => {
  const other = { ...query, genre: 'jazz', limit: 500 };
  expect(estimateFrom([done], other, true).lookups).toEqual({ from: 500, to: 500 });
  expect(estimateFrom([{ ...done, quota: 'extended' }], other, true).lookups).toEqual({ from: 0, to: 500 });
  expect(estimateFrom([], { ...other, limit: null }, true).lookups).toEqual({ from: 0, to: null });
});
