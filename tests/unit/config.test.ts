import { isAbsolute, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../shared/config.ts';
import { UserError } from '../../shared/errors.ts';

test('an empty environment gives the documented defaults', () => {
  const config = parseConfig({ HOME: '/home/nas' });
  expect(config).toMatchObject({
    ...{ dataDir: resolve('.data'), databaseUrl: undefined, redisUrl: undefined, logLevel: undefined },
    ...{ keepPreviews: false, tensorflow: 'auto', tagger: 'auto' },
    audio: { excerpt: 'auto', seconds: 30, timeoutSeconds: 60, maxBytes: 500_000_000 },
    dashboard: { host: '127.0.0.1', port: undefined, secureCookies: 'auto', trustedProxies: 'loopback' },
    otlpEndpoint: undefined,
  });
  expect(config.audio.processes).toBeGreaterThanOrEqual(1);
  expect(isAbsolute(config.cacheDir)).toBe(true);
});

test('every setting can be given', () => {
  const config = parseConfig({
    ...{
      DATA_DIR: 'somewhere',
      DATABASE_URL: 'postgres://u:p@db/hiphop',
      REDIS_URL: 'rediss://cache:6380/2',
    },
    ...{ CACHE_DIR: '/cache', LOG_LEVEL: 'debug', AUDIO_EXCERPT: 'loudest', AUDIO_SECONDS: '12.5' },
    ...{ AUDIO_TIMEOUT_SECONDS: '90', AUDIO_MAX_MEGABYTES: '20', AUDIO_PROCESSES: '3' },
    ...{
      KEEP_PREVIEWS: 'yes',
      TENSORFLOW: 'wasm',
      TAGGER: 'off',
      SPOTIFY_CLIENT_ID: 'id',
      SPOTIFY_CLIENT_SECRET: 'secret',
    },
    ...{ PREVIEW_HOSTS: ' p.scdn.co , *.Example.org,', PREVIEW_MAX_MEGABYTES: '7' },
    ...{ DASHBOARD_HOST: '0.0.0.0', DASHBOARD_PORT: '8080', SESSION_SECRET: 's', SECURE_COOKIES: 'no' },
    ...{ TRUSTED_PROXIES: '10.0.0.1', UPLOAD_MAX_MEGABYTES: '9', UPLOAD_MAX_FILES: '11' },
    UPLOAD_ACCOUNT_MEGABYTES: '12',
    ...{ REQUESTS_PER_MINUTE: '12', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/' },
  });
  expect(config).toEqual({
    ...{ dataDir: resolve('somewhere'), databaseUrl: 'postgres://u:p@db/hiphop' },
    ...{ redisUrl: 'rediss://cache:6380/2', cacheDir: '/cache', logLevel: 'debug' },
    audio: { excerpt: 'loudest', seconds: 12.5, timeoutSeconds: 90, maxBytes: 20_000_000, processes: 3 },
    ...{ keepPreviews: true, tensorflow: 'wasm', tagger: 'off' },
    outside: {
      ...{ spotifyAccounts: 'https://accounts.spotify.com', spotifyApi: 'https://api.spotify.com' },
      ...{ deezer: 'https://api.deezer.com', spotifyClientId: 'id', spotifyClientSecret: 'secret' },
      ...{ previewHosts: ['p.scdn.co', '*.example.org'], previewMaxBytes: 7_000_000, simulator: undefined },
    },
    dashboard: {
      ...{ host: '0.0.0.0', port: 8080, sessionSecret: 's', secureCookies: 'no' },
      ...{ trustedProxies: '10.0.0.1', uploadMaxBytes: 9_000_000, uploadMaxFiles: 11 },
      uploadAccountBytes: 12_000_000,
      requestsPerMinute: 12,
    },
    otlpEndpoint: 'http://127.0.0.1:4318',
  });
});

test('with the simulator the hosts differ, and credentials are not needed', () => {
  const { outside } = parseConfig({ SIMULATOR_URL: 'http://127.0.0.1:4000/' });
  const origin = 'http://127.0.0.1:4000';
  expect(outside).toMatchObject({
    ...{ spotifyAccounts: origin, spotifyApi: origin, deezer: origin, simulator: origin },
    ...{ spotifyClientId: 'simulator', spotifyClientSecret: 'simulator' },
  });
  expect(parseConfig({}).outside).toMatchObject({ spotifyClientId: undefined, simulator: undefined });
});

test('an empty variable, as docker-compose passes for an unset one, is no setting', () => {
  const empty = { DATABASE_URL: '', REDIS_URL: '', LOG_LEVEL: '', AUDIO_PROCESSES: '', TENSORFLOW: '' };
  expect(parseConfig({ HOME: '/home/nas', ...empty })).toEqual(parseConfig({ HOME: '/home/nas' }));
});

test('the cache follows XDG_CACHE_HOME, and CACHE_DIR before it', () => {
  expect(parseConfig({ XDG_CACHE_HOME: '/xdg' }).cacheDir).toBe(join('/xdg', 'hiphop-popularity'));
  expect(parseConfig({ XDG_CACHE_HOME: '/xdg', CACHE_DIR: '/mine' }).cacheDir).toBe('/mine');
});

test.each([
  ['DATABASE_URL', 'mysql://localhost/music'],
  ['DATABASE_URL', 'localhost'],
  ['REDIS_URL', 'http://localhost'],
  ['LOG_LEVEL', 'loud'],
  ['AUDIO_EXCERPT', 'last'],
  ['AUDIO_SECONDS', '0'],
  ['AUDIO_SECONDS', 'thirty'],
  ['AUDIO_TIMEOUT_SECONDS', '1.5'],
  ['AUDIO_MAX_MEGABYTES', '5000'],
  ['AUDIO_PROCESSES', '0'],
  ['KEEP_PREVIEWS', 'true'],
  ['TENSORFLOW', 'tpu'],
  ['TAGGER', 'on'],
  ['PREVIEW_MAX_MEGABYTES', '0'],
  // The simulator is on this machine: nothing else may stand for the world outside.
  ['SIMULATOR_URL', 'http://example.org'],
  ['SIMULATOR_URL', 'https://127.0.0.1'],
])('%s=%s is refused by name', (name, value) => {
  const parse = () => parseConfig({ [name]: value });
  expect(parse).toThrow(UserError);
  expect(parse).toThrow(name);
});

test('all that is wrong is named at once, and what is secret in it is not shown', () => {
  const parse = () => parseConfig({ DATABASE_URL: 'mysql://root:hunter2@db/x', AUDIO_SECONDS: '-1' });
  expect(parse).toThrow(/DATABASE_URL: .*; AUDIO_SECONDS: /);
  expect(parse).not.toThrow(/hunter2/);
});
