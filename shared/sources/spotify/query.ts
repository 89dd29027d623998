/** What a crawl of Spotify is asked for, and how its search behaves. */
import { z } from 'zod';

/** A search shows its first 1,000 results at most: offset + limit, by the documentation. */
export const searchWindow = 1_000;
/** Longer queries are refused (400). */
export const longestQuery = 250;
/** Rows of a page at most, by the quota mode of the app. */
export const pageLimits = { extended: 50, development: 10 } as const;
export type Quota = keyof typeof pageLimits;

export const crawlQuerySchema = z.strictObject({
  genre: z.string().min(1).max(60),
  /** First and last year of release. */
  years: z.tuple([z.int().min(1900).max(2100), z.int().min(1900).max(2100)]),
  /** ISO 3166-1 alpha-2 */
  market: z.string().regex(/^[A-Z]{2}$/),
  /** So many tracks are enough; null: all. */
  limit: z.int().positive().nullable(),
});
export type CrawlQuery = z.infer<typeof crawlQuerySchema>;

/** What makes two crawls the same question. */
export function queryKeyOf({ genre, years, market, limit }: CrawlQuery): string {
  return `spotify ${genre.toLowerCase()} ${years.join('-')} ${market} ${limit ?? 'all'}`;
}
