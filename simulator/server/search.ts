/** Spotify's search, its limits and its bad days. */
import express, { type Request, type Response, type Router } from 'express';
import { QueryError } from '../world/types.ts';
import { jsonAnswer, pause, resetConnection, send, sendCut } from './answers.ts';
import { type SearchFate, SearchFates } from './chaos.ts';
import type { Context } from './context.ts';
import { RollingWindow } from './limits.ts';
import { type PageRequest, parsePageRequest, searchPage } from './search-page.ts';

export function searchRouter(context: Context): Router {
  const router = express.Router();
  const fates = new SearchFates(context.world.seed);
  const window = new RollingWindow();

  router.get('/v1/search', async (req, res) => {
    const now = performance.now();
    context.patience.arrived(now);
    const token = /^Bearer (\S+)$/i.exec(req.get('authorization') ?? '')?.[1];
    if (!token) return refuse(res, 401, 'No token provided');
    if (!context.tokens.isGood(token)) return refuse(res, 401, 'The access token expired');

    const stormMs = context.stormEnd - now;
    if (stormMs > 0) return refuseForNow(context, res, stormMs / 1000);
    const { searchLimit, searchWindowSeconds } = context.live;
    const waitMs = searchLimit === null ? 0 : window.take(now, searchLimit, searchWindowSeconds * 1000);
    if (waitMs > 0) return refuseForNow(context, res, waitMs / 1000);

    const fate = fates.next(context.chaos);
    if (fate.delivery !== null) context.counters.struck(fate.delivery);
    if (fate.delivery === 'search-401') context.tokens.revoke(token);
    if (failsAtOnce(context, fate, req, res)) return;
    const page = pageRequestOf(context, req, res);
    if (page) await sendPage(context, res, page, fate);
  });
  return router;
}

/** The faults that leave no room for an answer. */
function failsAtOnce(
  context: Context,
  { delivery, random }: SearchFate,
  req: Request,
  res: Response,
): boolean {
  if (delivery === 'search-reset') resetConnection(req);
  else if (delivery === 'search-401') refuse(res, 401, 'The access token expired');
  else if (delivery === 'search-429') refuseForNow(context, res, random.whole(1, 2));
  else if (delivery === 'search-5xx') refuse(res, random.pick([500, 502, 503]), 'Server error.');
  else return false;
  return true;
}

/** @returns null when the request was refused with 400 */
function pageRequestOf(context: Context, req: Request, res: Response): PageRequest | null {
  try {
    return parsePageRequest(req.query, context.live.quota);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    refuse(res, 400, error.message);
    return null;
  }
}

async function sendPage(context: Context, res: Response, page: PageRequest, fate: SearchFate): Promise<void> {
  let found: ReturnType<typeof searchPage>;
  try {
    found = searchPage(context, page, fate);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return refuse(res, 400, error.message);
  }
  for (const kind of found.spoilt) context.counters.struck(kind);
  if (fate.delivery === 'search-slow') await pause(fate.seconds * 1000, context.signal);
  const answer = jsonAnswer(200, { tracks: found.tracks }, { 'Cache-Control': 'private, max-age=0' });
  if (fate.delivery === 'search-cut') return sendCut(res, answer);
  if (fate.delivery === 'search-malformed') {
    const half = answer.body.subarray(0, Math.floor(answer.body.length / 2));
    return send(res, { ...answer, body: Buffer.concat([half, Buffer.from('<html>upstream error</html>')]) });
  }
  res.once('finish', () => {
    context.counters.searchRowsServed += found.tracks.items.length;
  });
  send(res, answer);
}

function refuse(res: Response, status: number, message: string): void {
  send(res, jsonAnswer(status, { error: { status, message } }));
}

/** 429: not before so many seconds. */
function refuseForNow(context: Context, res: Response, seconds: number): void {
  const wait = Math.max(1, Math.ceil(seconds));
  // Nobody can keep to what is still on its way.
  res.once('finish', () => context.patience.told(performance.now(), wait));
  const body = { error: { status: 429, message: 'API rate limit exceeded' } };
  send(res, jsonAnswer(429, body, { 'Retry-After': String(wait) }));
}
