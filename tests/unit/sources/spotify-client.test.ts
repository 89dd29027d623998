import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { type Config, parseConfig } from '../../../shared/config.ts';
import { PermanentError, UserError, WaitError } from '../../../shared/errors.ts';
import {
  createSpotifyClient,
  RequestRefusedError,
  TokenRefusedError,
} from '../../../shared/sources/spotify/client.ts';
import type { ChaosKind } from '../../../simulator/server/chaos-table.ts';
import { type Simulator, type SimulatorSettings, startSimulator } from '../../../simulator/server/index.ts';
import { fakeWorld } from '../../support/simulator.ts';

const secret = 'a-secret-that-nobody-may-see';
const request = { q: 'genre:hip-hop', limit: 10, offset: 20, market: 'US' };
/** For what comes in time, and for what is too slow. */
const patient = { response: 10_000, deadline: 10_000 };
const impatient = { response: 400, deadline: 900 };

let closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.map((close) => close()));
  closers = [];
});

function outsideOf(url: string): Config['outside'] {
  return parseConfig({ SIMULATOR_URL: url, SPOTIFY_CLIENT_ID: 'an-id', SPOTIFY_CLIENT_SECRET: secret })
    .outside;
}

const clientOf = (url: string, limits = patient) => createSpotifyClient(outsideOf(url), limits);

async function simulate(settings: SimulatorSettings = {}, seed = 1): Promise<Simulator> {
  const simulator = await startSimulator(fakeWorld({ seed }), settings);
  closers.push(() => simulator.close());
  return simulator;
}

/** A server of a test's own, for what the simulator never does. */
async function serve(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<{ url: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server: Server = createServer((incoming, response) => {
    asked.push(incoming);
    answer(response, incoming);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** What a call throws. Nowhere in it, however deep, is a token or a secret. */
async function thrownBy(call: Promise<unknown>, token = 'a-token'): Promise<Error> {
  const error = await call.then(
    () => {
      throw new Error('it did not fail');
    },
    (thrown: Error) => thrown,
  );
  const all = `${inspect(error, { depth: 20, showHidden: true })} ${error.stack}`;
  for (const kept of [secret, token, Buffer.from(`an-id:${secret}`).toString('base64')]) {
    expect(all).not.toContain(kept);
  }
  return error;
}

describe('Spotify’s Web API', () => {
  test('gives a token, and with it pages', async () => {
    const simulator = await simulate({ credentials: { id: 'an-id', secret } });
    const client = clientOf(simulator.url);
    const { token, seconds } = await client.askForToken();
    expect(seconds).toBe(3600);
    const page = await client.search(request, token);
    expect(page).toMatchObject({ total: 120, showsPopularity: true });
    expect(page.tracks.map(({ title }) => title)).toEqual(
      Array.from({ length: 10 }, (_, index) => `Title ${index === 9 ? 28 : 20 + index}`),
    );
    expect(page.tracks[1]!.previewUrl).toMatch(`${simulator.url}/mp3-preview/`);
  });

  test('has limits by the quota mode, which may show neither popularity nor previews', async () => {
    const client = clientOf((await simulate({ quota: 'development' })).url);
    const { token } = await client.askForToken();
    const refused = await thrownBy(client.search({ ...request, limit: 50 }, token), token);
    expect(refused).toBeInstanceOf(RequestRefusedError);
    expect(refused.message).toBe('Spotify refuses the request: Invalid limit (400)');
    const page = await client.search(request, token);
    expect(page.showsPopularity).toBe(false);
    expect(page.tracks[0]).toMatchObject({ popularity: null, previewUrl: null, isrc: 'XXFAK0000020' });
  });

  test('wants credentials, and refuses wrong ones for good', async () => {
    expect(() => createSpotifyClient(parseConfig({}).outside)).toThrow(UserError);
    const simulator = await simulate({ credentials: { id: 'an-id', secret: 'another' } });
    const error = await thrownBy(clientOf(simulator.url).askForToken());
    expect(error).toBeInstanceOf(PermanentError);
    expect(error.message).toMatch(/refuses the credentials: check SPOTIFY_CLIENT_ID/);
  });

  test('takes no token that has ended or was revoked', async () => {
    const simulator = await simulate({ tokenSeconds: 2 });
    const client = clientOf(simulator.url);
    const { token } = await client.askForToken();
    await client.search(request, token);
    await new Promise((resolve) => setTimeout(resolve, 2_050));
    expect(await thrownBy(client.search(request, token), token)).toBeInstanceOf(TokenRefusedError);
    simulator.change({ tokenSeconds: 60 });
    const other = (await client.askForToken()).token;
    simulator.change({ revokeTokens: true });
    expect(await thrownBy(client.search(request, other), other)).toBeInstanceOf(TokenRefusedError);
  });

  test('asks to wait, for as long as it says', async () => {
    const simulator = await simulate();
    const client = clientOf(simulator.url);
    const { token } = await client.askForToken();
    simulator.change({ storm: 2.9 });
    const error = await thrownBy(client.search(request, token), token);
    expect(error).toBeInstanceOf(WaitError);
    expect(error).toMatchObject({ waitMs: 3_000, message: 'Spotify asks to wait for 3 s' });
  });

  test.each([
    ['9', 9_000],
    ['0', 1_000],
    ['90000', 3_600_000],
    ['soon', 5_000],
    ['-1', 5_000],
    [undefined, 5_000],
  ])('Retry-After %s is a wait of %i ms', async (given, waitMs) => {
    const { url } = await serve((response) => {
      response.writeHead(429, given === undefined ? {} : { 'retry-after': given }).end('{}');
    });
    expect(await thrownBy(clientOf(url).search(request, 'a-token'))).toMatchObject({
      name: 'WaitError',
      waitMs,
    });
    // The accounts service has limits too.
    expect(await thrownBy(clientOf(url).askForToken())).toMatchObject({ name: 'WaitError', waitMs });
  });

  test.each<[ChaosKind, RegExp]>([
    ['search-5xx', /^Spotify has trouble \(50[023]\)$/],
    ['search-cut', /^no whole answer from Spotify \(.+\)$/],
    ['search-malformed', /Spotify/],
    ['search-reset', /^no whole answer from Spotify \(ECONNRESET\)$/],
    ['search-slow', /^Spotify did not answer in time$/],
  ])('%s is worth another try', async (kind, message) => {
    const simulator = await simulate({ chaosRates: { [kind]: 1 } });
    const { token } = await clientOf(simulator.url).askForToken();
    const client = clientOf(simulator.url, kind === 'search-slow' ? impatient : patient);
    const error = await thrownBy(client.search(request, token), token);
    expect(error.name).toBe('Error');
    expect(error.message).toMatch(message);
  });

  test('a body that trickles without end is not waited for', async () => {
    const { url } = await serve((response) => {
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    });
    const started = performance.now();
    expect(await thrownBy(clientOf(url, impatient).search(request, 'a-token'))).toMatchObject({
      message: 'Spotify did not answer in time',
    });
    expect(performance.now() - started).toBeLessThan(9_000);
  });

  test.each<[string, number, string, { name: string; message: RegExp }]>([
    ['another shape', 200, '{"albums":{}}', { name: 'Error', message: /malformed at tracks/ }],
    ['nothing', 200, '', { name: 'Error', message: /Spotify/ }],
    ['a page', 200, '<html>a-token</html>', { name: 'Error', message: /Spotify/ }],
    [
      'forbidden',
      403,
      '{"error":{"status":403,"message":"Not you"}}',
      { name: 'PermanentError', message: /Not you/ },
    ],
    ['not there', 404, '<html>', { name: 'RequestRefusedError', message: /404/ }],
    ['too late', 408, '', { name: 'Error', message: /trouble \(408\)/ }],
    ['a bad gateway', 502, '<html>', { name: 'Error', message: /trouble \(502\)/ }],
    ['a body that is null', 500, 'null', { name: 'Error', message: /trouble \(500\)/ }],
    ['a body that is a text', 400, '"no"', { name: 'RequestRefusedError', message: /\(400\)/ }],
    ['an error that is null', 429, '{"error":null}', { name: 'WaitError', message: /wait for 5 s/ }],
    ['a status that is none', 599, '[]', { name: 'Error', message: /trouble \(599\)/ }],
  ])('%s is told from others', async (_what, status, body, { name, message }) => {
    const { url } = await serve((response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
    const error = await thrownBy(clientOf(url).search(request, 'a-token'));
    expect(error.name).toBe(name);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
  });

  test('an answer without a token is none', async () => {
    const { url } = await serve((response) => response.writeHead(200).end('{"token_type":"Bearer"}'));
    expect((await thrownBy(clientOf(url).askForToken())).message).toMatch(/no token/);
  });

  test('a machine that is not there is worth another try', async () => {
    const { url } = await serve(() => {});
    await closers.pop()!();
    const error = await thrownBy(clientOf(url).search(request, 'a-token'));
    expect(error).toMatchObject({ name: 'Error', message: expect.stringContaining('ECONNREFUSED') });
  });

  test('a redirect to another host does not take the token along', async () => {
    const other = await serve((response) => response.writeHead(200).end('{}'));
    const { url } = await serve((response) =>
      response.writeHead(302, { location: `${other.url.replace('127.0.0.1', 'localhost')}/v1/search` }).end(),
    );
    await thrownBy(clientOf(url).search(request, 'a-token'));
    for (const { headers } of other.asked) expect(headers.authorization).toBeUndefined();
  });

  test('several clients of one process each ask their own hosts', async () => {
    const asked = await Promise.all(
      [1, 2, 3].map(async () =>
        serve((response, { url }) => {
          // Late, so that all are under way at the same time.
          const body = url!.startsWith('/api')
            ? { access_token: 'a-token', expires_in: 60 }
            : { tracks: { total: 0, items: [] } };
          setTimeout(
            () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
            30,
          );
        }),
      ),
    );
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const client = clientOf(asked[index % 3]!.url);
        if (index % 2 === 0) await client.askForToken();
        else await client.search({ ...request, q: `server-${index % 3}` }, 'a-token');
      }),
    );
    for (const [index, server] of asked.entries()) {
      expect(server.asked).toHaveLength(10);
      const searches = server.asked.filter(({ method }) => method === 'GET');
      expect(searches).toHaveLength(5);
      for (const { url } of searches) expect(url).toContain(`q=server-${index}&`);
    }
  });

  test('what is asked arrives as it was meant', async () => {
    const { url, asked } = await serve((response) => response.end('{}'));
    const q = 'genre:"hip hop" year:2019-2021 artist:при* NOT artist:& NOT track:100%* artist:é';
    await thrownBy(clientOf(url).search({ ...request, q }, 'a-token'));
    const sent = new URL(asked[0]!.url!, url);
    expect(sent.pathname).toBe('/v1/search/');
    expect(Object.fromEntries(sent.searchParams)).toEqual({
      q,
      type: 'track',
      limit: '10',
      offset: '20',
      market: 'US',
    });
    expect(asked[0]!.headers.authorization).toBe('Bearer a-token');
  });
});
