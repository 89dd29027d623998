import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CancelledError, PermanentError } from '../../../shared/errors.ts';
import { hasExpired } from '../../../shared/sources/deezer/address.ts';
import { createDeezer, type Deezer } from '../../../shared/sources/deezer/index.ts';

const never = new AbortController().signal;
/** For what comes in time, and for what is too slow. */
const patient = { connectMs: 10_000, headersMs: 10_000, bodyMs: 10_000, totalMs: 10_000 };
const impatient = { connectMs: 300, headersMs: 300, bodyMs: 300, totalMs: 900 };

/** A track as Deezer writes it, shortened. */
const track = {
  id: 3135556,
  title: 'Harder, Better, Faster, Stronger',
  isrc: 'GBDUW0000059',
  rank: 956167,
  preview:
    'https://cdnt-preview.dzcdn.net/api/1/1/f/0/a.mp3?hdnea=exp=1732000000~acl=/api/1/1/f/0/a.mp3*~hmac=1',
  type: 'track',
};
const errorOf = (code: number) => ({ error: { type: 'DataException', message: 'no data', code } });

describe('Deezer, asked by ISRC', () => {
  let server: Server;
  let deezer: Deezer;
  let asked: string[];
  let answer: (response: ServerResponse, request: IncomingMessage) => void;

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      answer(response, request);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    deezer = open(patient);
  });
  const open = (limits: typeof patient) =>
    createDeezer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, limits);
  afterEach(async () => {
    await deezer.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const lookup = (isrc = 'GBDUW0000059', signal = never) => deezer.lookup(isrc, signal);
  const says = (body: unknown, status = 200) => {
    answer = (response) =>
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

  test('gives preview and rank', async () => {
    says(track);
    expect(await lookup()).toEqual({ preview: track.preview, rank: 956167 });
    expect(asked).toEqual(['GET /track/isrc:GBDUW0000059']);
  });

  test.each([
    [
      { ...track, preview: '' },
      { preview: null, rank: 956167 },
    ],
    [
      { ...track, preview: null },
      { preview: null, rank: 956167 },
    ],
    [
      { ...track, rank: undefined },
      { preview: track.preview, rank: null },
    ],
    [
      { ...track, rank: 0 },
      { preview: track.preview, rank: 0 },
    ],
  ])('may not have all of it: %#', async (body, expected) => {
    says(body);
    expect(await lookup()).toEqual(expected);
  });

  test('does not know every recording', async () => {
    says(errorOf(800));
    expect(await lookup()).toBeNull();
  });

  test('asks for patience, by its own code and by HTTP', async () => {
    says(errorOf(4));
    await expect(lookup()).rejects.toMatchObject({ name: 'WaitError', waitMs: 5_000 });
    answer = (response) => response.writeHead(429, { 'retry-after': '9' }).end();
    await expect(lookup()).rejects.toMatchObject({ name: 'WaitError', waitMs: 9_000 });
  });

  test.each<[string, unknown, number, RegExp]>([
    ['another error', errorOf(700), 200, /error 700: no data/],
    ['a status of its servers', 'busy', 503, /status 503/],
    ['a status that it never gives', {}, 404, /status 404/],
    ['a redirect', '', 302, /status 302/],
    ['no JSON', '<html>', 200, /not JSON/],
    ['half of it', JSON.stringify(track).slice(0, 50), 200, /not JSON/],
    ['nothing', '', 200, /not JSON/],
    ['something else', [], 200, /no track/],
    ['an empty object', {}, 200, /no track: neither preview nor rank/],
    ['null', 'null', 200, /no track/],
    ['a rank that is none', { ...track, rank: 'high' }, 200, /no track/],
    ['a rank below nothing', { ...track, rank: -1 }, 200, /no track/],
    ['a preview that is none', { ...track, preview: 7 }, 200, /no track/],
    ['more than a track can be', JSON.stringify({ ...track, title: 'x'.repeat(1_000_000) }), 200, /Deezer/],
  ])('%s is worth another try', async (_what, body, status, message) => {
    says(body, status);
    const looked = lookup();
    await expect(looked).rejects.toThrow(message);
    await expect(looked).rejects.toMatchObject({ name: 'Error' });
    await expect(looked).rejects.not.toThrow(PermanentError);
  });

  test('silence and trickles are worth another try', async () => {
    await deezer.close();
    deezer = open(impatient);
    answer = () => {};
    await expect(lookup()).rejects.toThrow(/Deezer/);
    answer = (response) => {
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    };
    await expect(lookup()).rejects.toThrow('Deezer did not answer in 0.9 s');
  });

  test('resets are worth another try', async () => {
    answer = (response) => response.destroy();
    await expect(lookup()).rejects.toThrow(/^Deezer: /);
    answer = (response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('{', () => response.destroy());
    };
    await expect(lookup()).rejects.toThrow(/^Deezer: /);
  });

  test('an ISRC that is none cannot lead elsewhere', async () => {
    says(errorOf(800));
    for (const isrc of ['../../user/me', 'A B?c=d#e', 'é', '%2e%2e/']) expect(await lookup(isrc)).toBeNull();
    expect(asked).toEqual([
      'GET /track/isrc:..%2F..%2Fuser%2Fme',
      'GET /track/isrc:A%20B%3Fc%3Dd%23e',
      'GET /track/isrc:%C3%A9',
      'GET /track/isrc:%252e%252e%2F',
    ]);
  });

  test('is not waited for when this process shuts down', async () => {
    const shutdown = new AbortController();
    answer = () => shutdown.abort();
    await expect(lookup('X', shutdown.signal)).rejects.toThrow(CancelledError);
    expect(asked).toHaveLength(1);
  });
});

describe('addresses of Deezer’s previews', () => {
  const at = 1_732_000_000_000;
  const signed = (how: string) => `https://cdnt-preview.dzcdn.net/a.mp3?${how}`;

  test.each([
    [signed('hdnea=exp=1732000000~acl=/a.mp3*~data=user_id=0~hmac=1'), true],
    [signed('hdnea=exp=1732000004~acl=/a.mp3*'), true],
    [signed('hdnea=exp=1732000600~acl=/a.mp3*'), false],
    [signed('x=y&hdnea=st=1~exp=1731999999~acl=/a.mp3*'), true],
    [signed('hdnea=exp=1731999999'), true],
    [signed('exp=1731999999'), false],
    [signed('hdnea=exp=99999999999999~acl=1'), false],
    ['https://cdns-preview-d.dzcdn.net/stream/c-1.mp3', false],
    ['https://p.scdn.co/mp3-preview/1?cid=2', false],
  ])('%s has expired: %s', (address, expired) => expect(hasExpired(address, at)).toBe(expired));
});
