/**
 * Spotify's Web API through spotify-web-api-node. The library has the hosts of Spotify built in; here, and
 * only here, it is told of others (the simulator's), and given the time limits that it lacks.
 */
import { createRequire } from 'node:module';
import SpotifyWebApi from 'spotify-web-api-node';
import type { OutsideConfig } from '../../config.ts';
import { PermanentError, UserError, WaitError } from '../../errors.ts';
import { countRequest, countWait } from '../../metrics/outside.ts';
import { readSearchAnswer, type SearchRows } from './answer.ts';

/** How long an answer may take to begin and to end, in milliseconds. */
export interface TimeLimits {
  response: number;
  deadline: number;
}

const usualLimits: TimeLimits = { response: 10_000, deadline: 30_000 };
/** Where a 429 does not say how long, in seconds; and the longest that is believed. */
const retryAfter = { without: 5, most: 3_600 };

export interface SearchRequest {
  q: string;
  limit: number;
  offset: number;
  market: string;
}

export interface Token {
  token: string;
  seconds: number;
}

export interface SpotifyClient {
  /** A new access token. @throws PermanentError when the credentials are refused */
  askForToken: () => Promise<Token>;
  /**
   * One page of tracks.
   * @throws TokenRefusedError (401), RequestRefusedError (400, 404), WaitError (429), Error for what may pass
   */
  search: (request: SearchRequest, token: string) => Promise<SearchRows>;
}

/** The access token has expired or was revoked: another is needed. */
export class TokenRefusedError extends Error {
  override readonly name = 'TokenRefusedError';
}

/** The API does not answer such a request, however often it is asked. */
export class RequestRefusedError extends Error {
  override readonly name = 'RequestRefusedError';
}

/** @throws UserError when the environment has no credentials */
export function createSpotifyClient(outside: OutsideConfig, limits = usualLimits): SpotifyClient {
  const { spotifyClientId: clientId, spotifyClientSecret: clientSecret } = outside;
  if (!clientId || !clientSecret) {
    throw new UserError(
      'Spotify wants credentials: set SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET ' +
        '(from developer.spotify.com), or SIMULATOR_URL to try it without',
    );
  }
  const target = { outside, limits };
  return {
    askForToken: async () => {
      const api = new SpotifyWebApi({ clientId, clientSecret });
      const { body } = await call('spotify-token', target, () => api.clientCredentialsGrant()).catch(
        (error: unknown) => {
          if (error instanceof RequestRefusedError || error instanceof TokenRefusedError) {
            throw new PermanentError(
              'Spotify refuses the credentials: check SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET',
            );
          }
          throw error;
        },
      );
      if (typeof body?.access_token !== 'string')
        throw new Error('the answer to the token request has no token');
      return { token: body.access_token, seconds: body.expires_in };
    },
    search: async ({ q, limit, offset, market }, token) => {
      const api = new SpotifyWebApi({ accessToken: token });
      const { body } = await call('spotify', target, () => api.searchTracks(q, { limit, offset, market }));
      return readSearchAnswer(body);
    },
  };
}

interface Builder {
  builder: (accessToken?: string) => RequestBuilder;
}
interface RequestBuilder {
  withHost: (host: string) => RequestBuilder;
  withPort: (port: number) => RequestBuilder;
  withScheme: (scheme: string) => RequestBuilder;
}

interface Target {
  outside: Pick<OutsideConfig, 'spotifyApi' | 'spotifyAccounts'>;
  limits: TimeLimits;
}

const require = createRequire(import.meta.url);
let hosts: Target['outside'] | null = null;
redirect(require('spotify-web-api-node/src/webapi-request') as Builder, 'spotifyApi');
redirect(require('spotify-web-api-node/src/authentication-request') as Builder, 'spotifyAccounts');
const superagent = require(
  require.resolve('superagent', { paths: [require.resolve('spotify-web-api-node')] }),
) as Superagent;
mendErrors();

interface Superagent {
  /** What a request has unless it is given its own: without, it waits for ever. */
  Request: { prototype: { _timeout?: number; _responseTimeout?: number } };
  parse: Record<string, (response: unknown, done: (error: Error | null, body?: unknown) => void) => void>;
}

/** The library trips over an error whose body is `null`, past every handler: the process would end. */
function mendErrors(): void {
  const parse = superagent.parse['application/json']!;
  superagent.parse['application/json'] = (response, done) =>
    parse(response, (error, body) => done(error, body ?? {}));
}

/** The library asks its builder for each request's host at the moment of the call. */
function redirect(module: Builder, which: 'spotifyApi' | 'spotifyAccounts'): void {
  const original = module.builder;
  module.builder = (accessToken) => {
    const builder = original(accessToken);
    if (hosts === null) return builder;
    const { protocol, hostname, port } = new URL(hosts[which]);
    return builder
      .withHost(hostname)
      .withPort(Number(port || (protocol === 'https:' ? 443 : 80)))
      .withScheme(protocol.slice(0, -1));
  };
}

/** Make a call and turn the library's errors into ours. None of them carries a header of the request. */
async function call<T>(
  service: 'spotify' | 'spotify-token',
  { outside, limits }: Target,
  request: () => Promise<T>,
): Promise<T> {
  const answered = countRequest(service);
  // Both are read while the request is begun, before anything else can run.
  hosts = outside;
  superagent.Request.prototype._timeout = limits.deadline;
  superagent.Request.prototype._responseTimeout = limits.response;
  try {
    const answer = await request();
    answered(200);
    return answer;
  } catch (error) {
    const { statusCode } = error as LibraryError;
    answered(statusCode);
    const translated = translate(error as LibraryError);
    if (translated instanceof WaitError) countWait(service, translated.waitMs);
    throw translated;
  }
}

interface LibraryError extends Error {
  statusCode?: number;
  headers?: Record<string, string>;
  body?: { error?: { message?: string } | string | null; error_description?: string };
  code?: string;
}

function translate(error: LibraryError): Error {
  const status = error.statusCode;
  const said =
    typeof error.body?.error === 'object' ? error.body.error?.message : error.body?.error_description;
  if (status === undefined) {
    if (error.name === 'TimeoutError') return new Error('Spotify did not answer in time');
    return new Error(`no whole answer from Spotify (${error.code ?? error.message.split('\n')[0]})`);
  }
  if (status === 429) {
    const given = Number(error.headers?.['retry-after']);
    const seconds =
      Number.isFinite(given) && given >= 0 ? Math.min(given, retryAfter.most) : retryAfter.without;
    return new WaitError(`Spotify asks to wait for ${seconds} s`, Math.max(1, seconds) * 1_000);
  }
  if (status === 401) return new TokenRefusedError('Spotify refuses the access token');
  if (status === 403) return new PermanentError(`Spotify refuses: ${said ?? 'forbidden'} (403)`);
  if (status >= 400 && status < 500 && status !== 408) {
    return new RequestRefusedError(`Spotify refuses the request: ${said ?? 'no reason given'} (${status})`);
  }
  return new Error(`Spotify has trouble (${status})`);
}
