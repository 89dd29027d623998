import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addAccount, createToken, type Role, roles } from '../../producers/accounts.ts';
import { operationsOf, requestOf } from '../support/api-requests.ts';
import { type SignedIn, signIn, testPassword } from '../support/browser-session.ts';
import { type Answered, startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';

/** Wrong passwords are answered as nobody is, whoever asks. */
const answersItself = new Set(['POST /sign-in']);
/** Its answer never ends; the test of the answers listens to it. */
const endless = 'GET /events';
/** Ends the session that the other routes are asked with. */
const last = 'POST /sign-out';

const refused = [401, 403];

describe('each route of the API, from its own document', () => {
  let bench: QueueBench;
  let dashboard: TestDashboard;
  const people = {} as Record<Role, SignedIn>;
  let viewersToken: string;

  beforeAll(async () => {
    bench = await openBench('postgresql');
    for (const role of ['operator', 'artist', 'viewer'] as const) {
      const { prisma } = bench.database;
      const account = await addAccount(prisma, { name: role, role, password: testPassword(role) });
      if (role !== 'viewer') continue;
      viewersToken = (await createToken(prisma, account, { name: 'test', expiresAt: null })).token;
    }
    dashboard = await startTestDashboard(bench, { REQUESTS_PER_MINUTE: '100000' });
    for (const role of roles) people[role] = await signIn(dashboard, role);
  });
  afterAll(async () => {
    await dashboard?.close();
    await bench?.close();
  });

  type Ask = TestDashboard['ask'];
  const callers: [string, Role | null, () => Ask][] = [
    ...roles.map((role): [string, Role, () => Ask] => [`${role}s`, role, () => people[role].ask]),
    [
      ...['viewers by token', 'viewer'],
      () => (method, path, asked) =>
        dashboard.ask(method, path, {
          ...asked,
          headers: { ...asked?.headers, Authorization: `Bearer ${viewersToken}` },
        }),
    ] as [string, Role, () => Ask],
    ['nobody', null, () => dashboard.ask],
  ];

  test.each(callers)('%s get what is allowed to them and nothing else', async (_who, role, asker) => {
    const document = (await dashboard.ask('GET', '/api/openapi.json')).json;
    const operations = operationsOf(document)
      .filter(
        ({ method, path }) => !answersItself.has(`${method} ${path}`) && `${method} ${path}` !== endless,
      )
      .sort((a, b) => Number(`${a.method} ${a.path}` === last) - Number(`${b.method} ${b.path}` === last));
    expect(operations.length).toBeGreaterThan(14);
    const wrong: string[] = [];
    let mayNot = 0;
    for (const operation of operations) {
      const { method, path, allows } = operation;
      const { url, asked } = requestOf(operation);
      const answer = await asker()(method, url, asked);
      const may = allows === 'anybody' || (role !== null && allows.includes(role));
      const expected = may ? 'anything but 401 and 403' : role === null ? '401' : '403';
      const right = may ? !refused.includes(answer.status) : String(answer.status) === expected;
      if (!may) mayNot++;
      if (!right) wrong.push(`${method} ${path}: ${answer.status}, expected ${expected}`);
      const trouble = troubleWith(answer);
      if (trouble) wrong.push(`${method} ${path}: ${trouble}`);
    }
    expect(wrong).toEqual([]);
    if (role !== 'operator') expect(mayNot).toBeGreaterThan(4);
  });

  test('is not changed by looks: other cases, slashes and methods lead around nothing', async () => {
    const viewer = await signIn(dashboard, 'viewer');
    for (const path of ['/API/accounts', '/api/Accounts/', '/api//accounts', '/api/./accounts']) {
      const answer = await viewer.ask('GET', path);
      expect([403, 404], path).toContain(answer.status);
      expect(answer.text).not.toContain('"role"');
    }
    const head = await viewer.ask('HEAD', '/api/accounts');
    expect(head.status).toBe(403);
    const put = await viewer.ask('PUT', '/api/accounts');
    expect(put.status).toBe(405);
    const overridden = await viewer.ask('GET', '/api/accounts', {
      headers: { 'X-HTTP-Method-Override': 'DELETE', 'X-Original-URL': '/api/me' },
    });
    expect(overridden.status).toBe(403);
  });

  test('a search finds songs and batches for their owner and operators alone, and the pipeline for staff', async () => {
    const { prisma } = bench.database;
    const parameters = await prisma.spectrogramParameters.create({
      data: { hash: 'search', parameters: {} },
    });
    const dataSet = await prisma.dataSet.create({
      data: {
        ...{ name: 'set', parametersHash: parameters.hash, threshold: 50, thresholdRule: 'median', seed: 1 },
        ...{ testFraction: 0.1, holdoutFraction: 0.1, contentHash: 'search', counts: {}, normalisation: {} },
      },
    });
    const { models } = await prisma.trainingRun.create({
      data: {
        dataSetId: dataSet.id,
        options: {},
        models: { create: { name: 'forest', dataSetId: dataSet.id, options: {} } },
      },
      include: { models: true },
    });
    const owners = {
      artist: await prisma.account.findUniqueOrThrow({ where: { name: 'artist' } }),
      nobody: null,
    };
    const ids: Record<string, string> = {};
    for (const [name, owner] of Object.entries(owners)) {
      const { id } = await prisma.scoreBatch.create({
        data: {
          ...{ name: `secret plans of ${name}`, modelId: models[0]!.id, ownerId: owner?.id ?? null },
          songs: { create: { file: `secret of ${name}.mp3`, location: 'upload:0' } },
        },
      });
      ids[name] = `batch-${id}`;
    }
    await prisma.crawl.create({ data: { source: 'spotify', query: { genre: 'secret genre' } } });
    const finds = async (role: Role, q: string) => {
      const person = await signIn(dashboard, role);
      const { json } = await person.ask('GET', `/api/search?q=${encodeURIComponent(q)}`);
      return json.hits.map(({ kind, title }: { kind: string; title: string }) => `${kind} ${title}`).sort();
    };
    const own = ['batch secret plans of artist', 'song secret of artist.mp3'];
    const others = ['batch secret plans of nobody', 'song secret of nobody.mp3'];
    const crawl = 'crawl spotify: secret genre';
    expect(await finds('artist', 'secret')).toEqual(own);
    expect(await finds('operator', 'secret')).toEqual([...own, ...others, crawl].sort());
    expect(await finds('viewer', 'secret')).toEqual([crawl]);
    for (const role of roles) expect(await finds(role, 'forest')).toEqual(['model forest']);
    for (const q of [ids['nobody']!, `score-${ids['nobody']}`]) {
      expect(await finds('operator', q)).toEqual(['batch secret plans of nobody']);
      expect(await finds('artist', q)).toEqual([]);
      expect(await finds('viewer', q)).toEqual([]);
    }
    expect(await finds('artist', ids['artist']!)).toEqual(['batch secret plans of artist']);
    expect(await finds('artist', 'crawl-1')).toEqual([]);
  });

  test('answers hostile requests in words, never with a stack or a path of this machine', async () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const json = { 'Content-Type': 'application/json' };
    const asked: [string, string, Parameters<Ask>[2]?][] = [
      ['GET', '/api/%E0%A4%A'],
      ['GET', '/api/audit?who=%00'],
      ['GET', '/api/audit?from=yesterday'],
      ['GET', '/api/audit?limit=1e9'],
      ['GET', '/api/audit?offset=-1'],
      ['GET', '/api/no/such/route'],
      ['POST', '/api/views', { raw: '{"page":', headers: json }],
      ['POST', '/api/views', { raw: deep, headers: json }],
      ['POST', '/api/views', { raw: 'null', headers: json }],
      ['POST', '/api/views', { raw: '"text"', headers: json }],
      ['POST', '/api/views', { raw: `{"a":"${'x'.repeat(2_000_000)}"}`, headers: json }],
      ['POST', '/api/views', { body: { page: '/tracks', name: 'a\0b', search: '' } }],
      ['POST', '/api/views', { body: { page: '/tracks', name: 'half \ud800 a pair', search: '' } }],
      [
        'POST',
        '/api/views',
        { raw: '{}', headers: { 'Content-Type': 'application/json; charset=nonsense' } },
      ],
      ['POST', '/api/views', { raw: 'zzz', headers: { ...json, 'Content-Encoding': 'gzip' } }],
      ['PATCH', '/api/accounts/__proto__', { body: { role: 'viewer' } }],
      ['PATCH', '/api/accounts/%00', { body: { role: 'viewer' } }],
      ['DELETE', '/api/views/99999999999999999999'],
      ['GET', '/queues/..%2f..%2f..%2fetc/passwd'],
      ['GET', '/assets/..%2f..%2f..%2fpackage.json'],
      ['GET', '/..%2f..%2fpackage.json'],
      ['GET', '/%2e%2e/%2e%2e/package.json'],
      ['GET', '/metrics/%00'],
    ];
    const operator = await signIn(dashboard, 'operator');
    for (const [method, path, more] of asked) {
      const answer = await operator.ask(method, path, more);
      expect(troubleWith(answer), `${method} ${path}`).toBeNull();
      expect(answer.text).not.toContain('"hiphop-popularity","version"');
      if (path.startsWith('/api/'))
        expect(answer.status, `${method} ${path}: ${answer.text.slice(0, 300)}`).not.toBe(500);
    }
  });

  test('neither the log nor the audit knows a password, a token or a cookie', async () => {
    const operator = await signIn(dashboard, 'operator');
    const made = await operator.ask('POST', '/api/me/tokens', { body: { name: 'ci' } });
    await dashboard.ask('GET', '/api/audit', { headers: { Authorization: `Bearer ${made.json.token}x` } });
    await operator.ask('POST', '/api/me/password', {
      body: { currentPassword: 'a wrong but secret guess', password: 'a new and secret password' },
    });
    await dashboard.ask('POST', '/api/sign-in', {
      body: { name: 'operator', password: 'one more secret guess' },
    });
    await operator.ask('PATCH', '/api/accounts/artist', { body: { password: 'secret of the artist' } });
    const { items } = (await operator.ask('GET', '/api/audit?limit=500')).json;
    const kept = [JSON.stringify(items), ...dashboard.log].join('\n');
    expect(items.length).toBeGreaterThan(20);
    expect(kept).toContain('(redacted)');
    const secrets = [
      ...[made.json.token, operator.csrf, decodeURIComponent(operator.cookie).split(/[=.]/)[1]!],
      ...['secret guess', 'secret password', 'secret of the artist', testPassword('operator'), '$argon2'],
    ];
    for (const secret of secrets) expect(kept).not.toContain(secret);
  });
});

/** What is wrong with an answer, beside its status; null: nothing. */
function troubleWith({ status, headers, text, json }: Answered): string | null {
  const told = /node_modules|node:internal|\/tmp\/|\.ts:\d|\.js:\d|\n\s+at /.exec(text);
  if (told && status >= 400) return `tells of the server: ${told[0]}`;
  if (status < 400) return null;
  if (!headers['content-type']?.startsWith('application/problem+json')) {
    return text === '' ? null : `${status} is no problem document but ${headers['content-type']}`;
  }
  const { type, title, detail } = json;
  if (!type || !title || !detail || json.status !== status) return `an incomplete problem: ${text}`;
  return null;
}
