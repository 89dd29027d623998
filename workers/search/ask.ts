/** Ask Spotify for a page: in turn with all other workers, with the token that they share. */
import type { Database } from '../../shared/database/index.ts';
import { PermanentError } from '../../shared/errors.ts';
import { dropToken, keepToken, loadToken } from '../../shared/outside/token.ts';
import { takeTurn } from '../../shared/outside/turn.ts';
import type { SearchRows } from '../../shared/sources/spotify/answer.ts';
import {
  RequestRefusedError,
  type SearchRequest,
  type SpotifyClient,
  TokenRefusedError,
} from '../../shared/sources/spotify/client.ts';
import { pageLimits, type Quota } from '../../shared/sources/spotify/query.ts';

const service = 'spotify';

export interface Answer extends SearchRows {
  /** The page's limit as it was granted. */
  limit: number;
  quota: Quota;
}

/**
 * One page of a search. Where the quota mode is not known yet it is found out: development mode refuses
 * pages of more than 10 rows.
 * @throws WaitError when Spotify asks for patience; PermanentError when it refuses the request for good
 */
export async function askForPage(
  client: SpotifyClient,
  database: Database,
  secret: string,
  request: SearchRequest,
  quota: Quota | null,
): Promise<Answer> {
  return takeTurn(database, service, async () => {
    const search = (limit: number) =>
      withToken(client, database, secret, (token) => client.search({ ...request, limit }, token));
    try {
      const rows = await search(request.limit);
      const shown =
        quota ??
        (request.limit > pageLimits.development || rows.showsPopularity ? 'extended' : 'development');
      return { ...rows, limit: request.limit, quota: shown };
    } catch (error) {
      if (!(error instanceof RequestRefusedError)) throw error;
      if (quota !== null || request.limit <= pageLimits.development) throw new PermanentError(error.message);
      const limit = pageLimits.development;
      const rows = await search(limit).catch((again: unknown) => {
        throw again instanceof RequestRefusedError ? new PermanentError(again.message) : again;
      });
      return { ...rows, limit, quota: 'development' };
    }
  });
}

/** Inside a turn, so that a token that was refused is renewed once for all. */
async function withToken<T>(
  client: SpotifyClient,
  { pool }: Database,
  secret: string,
  request: (token: string) => Promise<T>,
): Promise<T> {
  const renew = async () => {
    const fresh = await client.askForToken();
    await keepToken(pool, service, secret, fresh);
    return fresh.token;
  };
  const token = (await loadToken(pool, service, secret)) ?? (await renew());
  try {
    return await request(token);
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    await dropToken(pool, service);
    return request(await renew());
  }
}
