/** One page of a search: what was asked for, and the answer, spoilt where fate wants it. */
import { QueryError } from '../world/types.ts';
import type { SearchFate } from './chaos.ts';
import type { Context } from './context.ts';
import type { LiveSettings } from './settings.ts';
import { trackJson } from './track-json.ts';

export interface PageRequest {
  q: string;
  limit: number;
  offset: number;
  market: string | null;
}

/** Spotify shows no more of any search. */
const windowRows = 1000;
const pageRows = {
  extended: { most: 50, usual: 20 },
  development: { most: 10, usual: 5 },
} as const;

/**
 * Read the parameters of a request.
 * @param query `query` is taken for `q`, as the real one does: its links to further pages say so
 * @throws QueryError with Spotify's words for what it would answer with 400
 */
export function parsePageRequest(query: Record<string, unknown>, quota: LiveSettings['quota']): PageRequest {
  const { most, usual } = pageRows[quota];
  const q = query['q'] ?? query['query'];
  if (typeof q !== 'string' || q.trim() === '') throw new QueryError('No search query');
  const { type, market } = query;
  if (type === undefined) throw new QueryError('Missing parameter type');
  if (type !== 'track') throw new QueryError(`Bad search type field ${type}`);
  const limit = wholeNumber(query['limit'], usual);
  if (limit === null || limit < 1 || limit > most) throw new QueryError('Invalid limit');
  const offset = wholeNumber(query['offset'], 0);
  if (offset === null || offset < 0) throw new QueryError('Invalid offset');
  if (offset + limit > windowRows) throw new QueryError(`Maximum offset + limit of ${windowRows} exceeded`);
  if (market !== undefined && !/^[A-Z]{2}$/.test(String(market))) throw new QueryError('Invalid market code');
  return { q, limit, offset, market: market === undefined ? null : String(market) };
}

function wholeNumber(text: unknown, missing: number): number | null {
  if (text === undefined) return missing;
  return typeof text === 'string' && /^-?\d{1,9}$/.test(text) ? Number(text) : null;
}

export interface Page {
  tracks: {
    href: string;
    items: Record<string, unknown>[];
    limit: number;
    next: string | null;
    offset: number;
    previous: string | null;
    total: number;
  };
  /** The faults of content that really changed something. */
  spoilt: ('search-total' | 'search-short' | 'search-repeat')[];
}

/** @throws QueryError for a query that the search refuses */
export function searchPage(context: Context, request: PageRequest, fate: SearchFate): Page {
  const { world, origin, live } = context;
  const { q, limit, offset, market } = request;
  const { quota, operators, totalCap } = live;
  const found = world.search(q, { market, operators });
  const view = { origin, seed: world.seed, market, quota };
  const rows = Array.from(found.first.subarray(offset, offset + limit));
  const spoilt: Page['spoilt'] = [];

  if (fate.content.has('search-repeat') && rows.length > 1) {
    const place = fate.random.whole(1, rows.length - 1);
    rows[place] = rows[place - 1]!;
    spoilt.push('search-repeat');
  }
  if (fate.content.has('search-short') && rows.length > 1) {
    rows.length -= fate.random.whole(1, Math.min(3, rows.length - 1));
    spoilt.push('search-short');
  }
  let total = found.total;
  if (fate.content.has('search-total')) {
    total = Math.round(total * (1 + fate.random.between(-0.03, 0.03)));
    if (total !== found.total) spoilt.push('search-total');
  }
  total = Math.min(total, totalCap);

  const address = (at: number) => {
    const parameters = new URLSearchParams({
      offset: String(at),
      limit: String(limit),
      query: q,
      type: 'track',
    });
    if (market !== null) parameters.set('market', market);
    return `${origin}/v1/search?${parameters}`;
  };
  const following = offset + limit;
  const tracks = {
    href: address(offset),
    items: rows.map((index) => trackJson(world.track(index), view)),
    limit,
    next: following < total && following + limit <= windowRows ? address(following) : null,
    offset,
    previous: offset > 0 ? address(Math.max(0, offset - limit)) : null,
    total,
  };
  return { tracks, spoilt };
}
