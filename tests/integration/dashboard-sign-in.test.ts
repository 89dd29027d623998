import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { changeAccount, createToken, removeAccount } from '../../producers/accounts.ts';
import { cookieOf, signIn, testPassword } from '../support/browser-session.ts';
import type { TestDashboard } from '../support/dashboard.ts';
import { useDashboards } from '../support/dashboards.ts';
import { eventually } from '../support/eventually.ts';

const dashboards = useDashboards();
const { start, add } = dashboards;

const sessions = async () =>
  (await dashboards.bench.database.pool.query('SELECT sid FROM web_sessions')).rows.length;

const view = { page: '/tracks', name: 'mine', search: '?q=x' };

describe('without accounts, on this machine', () => {
  let dashboard: TestDashboard;
  beforeEach(async () => {
    dashboard = await start();
  });

  test('nobody needs a password, and nothing is kept of those who come', async () => {
    const me = await dashboard.ask('GET', '/api/me');
    expect(me.json).toMatchObject({ name: 'local', role: 'operator', needsSignIn: false });
    expect(me.json.limits).toEqual({ uploadMaxBytes: 200_000_000, uploadMaxFiles: 1000 });
    expect(me.headers['set-cookie']).toBeUndefined();
    expect(await sessions()).toBe(0);
    // curl on this machine brings nothing that a browser brings
    expect((await dashboard.ask('POST', '/api/views', { body: view })).status).toBe(201);
    expect((await dashboard.ask('POST', '/api/me/tokens', { body: { name: 'x' } })).status).toBe(422);
  });

  test.each([
    ['localhost:4477', 200],
    ['LOCALHOST', 200],
    ['127.0.0.1:1', 200],
    ['127.8.9.1', 200],
    ['[::1]:4477', 200],
    ['evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost.evil.example:4477', 403],
    ['127.0.0.1@evil.example', 403],
    ['192.168.0.7', 403],
    ['[::2]', 403],
  ])('a page under the name %s gets %d', async (host, status) => {
    for (const path of ['/api/me', '/', '/healthz', '/api/openapi.json']) {
      expect((await dashboard.ask('GET', path, { headers: { Host: host } })).status, path).toBe(status);
    }
  });

  test('a proxy in front makes it no place for this machine alone', async () => {
    for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Forwarded-Host']) {
      const answer = await dashboard.ask('GET', '/api/me', { headers: { [name]: 'for=1.2.3.4' } });
      expect(answer.status).toBe(403);
      expect(answer.json.detail).toContain('hiphop accounts add');
    }
  });

  test('a proxy that tells nothing of itself is told by the pages that it serves', async () => {
    const { csrf } = (await dashboard.ask('GET', '/api/me')).json;
    // The proxy has put this machine's name into Host; the browser says where its page is from.
    const page = 'https://pages.example/songs';
    for (const path of ['/api/me', '/api/events', '/metrics', '/queues/']) {
      expect((await dashboard.ask('GET', path, { headers: { Referer: page } })).status, path).toBe(403);
    }
    for (const said of [{ Origin: 'https://pages.example' }, { Referer: page }, { Referer: 'nonsense' }]) {
      const headers = { ...said, 'X-CSRF-Token': csrf, 'Sec-Fetch-Site': 'same-origin' };
      const answer = await dashboard.ask('POST', '/api/views', {
        ...{ body: view, headers: headers as Record<string, string> },
      });
      expect(answer.status).toBe(403);
      expect(answer.json.detail).toContain('hiphop accounts add');
    }
    // An entry is written after its answer has been sent.
    await eventually(async () => (await dashboard.ask('GET', '/api/audit?action=views')).json.total === 3, {
      what: 'three entries of the audit',
    });
    for (const name of ['localhost:4477', '127.0.0.1', '[::1]:80']) {
      const headers = { Referer: `http://${name}/songs`, Origin: `http://${name}` };
      expect((await dashboard.ask('GET', '/api/me', { headers })).status).toBe(200);
    }
  });

  test('the audit keeps no name of a batch, a song or a file', async () => {
    const secret = 'my unreleased';
    const asked: [string, string, unknown][] = [
      ['POST', '/api/batches', { name: `${secret} album`, model: 'model-7', explain: 2 }],
      ['PATCH', '/api/songs/song-1', { title: `${secret} song` }],
      ['POST', `/api/batches/batch-1/songs?file=${encodeURIComponent(`${secret}.wav`)}`, undefined],
    ];
    for (const [method, path, body] of asked) {
      // There is neither model nor song: what is refused is kept no less.
      expect((await dashboard.ask(method, path, { body })).status).toBe(404);
    }
    const items = await eventually(
      async () => {
        const { json } = await dashboard.ask('GET', '/api/audit');
        return json.total >= 3 && json.items;
      },
      { what: 'three entries of the audit' },
    );
    expect(items).toHaveLength(3);
    expect(items.find(({ target }: { target: string | null }) => target === null).details).toEqual({
      ...{ model: 'model-7', explain: 2 },
    });
    // Entries of requests one after the other may be written in another order.
    const targets = items.map(({ target }: { target: string | null }) => target ?? 'none');
    expect(targets.sort()).toEqual(['batch-1', 'none', 'song-1']);
    expect(JSON.stringify(items)).not.toContain(secret);
  });

  test('a browser proves that a page of ours asks', async () => {
    const { csrf } = (await dashboard.ask('GET', '/api/me')).json;
    const origin = dashboard.url;
    const refusals: [string, Record<string, string>][] = [
      ['another site', { 'Sec-Fetch-Site': 'cross-site', 'X-CSRF-Token': csrf }],
      ['another port of this machine', { 'Sec-Fetch-Site': 'same-site', 'X-CSRF-Token': csrf }],
      ['another origin', { Origin: 'https://evil.example', 'X-CSRF-Token': csrf }],
      ['no origin', { Origin: 'null', 'X-CSRF-Token': csrf }],
      ['no token', { 'Sec-Fetch-Site': 'same-origin' }],
      ['no token, an older browser', { Origin: origin }],
      ['another token', { Origin: origin, 'X-CSRF-Token': 'f'.repeat(64) }],
    ];
    for (const [what, headers] of refusals) {
      const answer = await dashboard.ask('POST', '/api/views', { body: view, headers });
      expect(answer.status, what).toBe(403);
      // What a form of another site can send is no JSON, besides.
      const form = { ...headers, 'Content-Type': 'text/plain' };
      expect((await dashboard.ask('POST', '/api/views', { raw: '{}', headers: form })).status, what).toBe(
        403,
      );
    }
    const audited = await dashboard.ask('GET', '/api/audit?outcome=refused&action=views');
    expect(audited.json.items[0]).toMatchObject({ who: 'local', status: 403 });
    for (const headers of [{ Origin: origin }, { 'Sec-Fetch-Site': 'same-origin' }] as Record<
      string,
      string
    >[]) {
      const answer = await dashboard.ask('POST', '/api/views', {
        body: view,
        headers: { ...headers, 'X-CSRF-Token': csrf },
      });
      expect(answer.status).toBe(201);
    }
    // The queues' board sends no token of ours; what it may do it does for pages of ours alone.
    for (const [site, status] of [
      ['cross-site', 403],
      ['same-origin', 404],
    ] as const) {
      const answer = await dashboard.ask('PUT', '/queues/api/queues/nothing/pause', {
        headers: { 'Sec-Fetch-Site': site },
      });
      expect(answer.status).toBe(status);
    }
  });

  test('the first account closes it for everybody, also for streams that are open', async () => {
    const stream = await openStream(dashboard, {});
    const body = { name: 'Op', role: 'viewer', password: 'long enough for all' };
    expect((await dashboard.ask('POST', '/api/accounts', { body })).json.detail).toContain(
      'has to be an operator',
    );
    expect(
      (await dashboard.ask('POST', '/api/accounts', { body: { ...body, role: 'operator' } })).status,
    ).toBe(201);
    expect((await dashboard.ask('GET', '/api/me')).json).toMatchObject({
      name: null,
      role: null,
      needsSignIn: true,
    });
    expect((await dashboard.ask('GET', '/api/accounts')).status).toBe(401);
    expect((await dashboard.ask('GET', '/api/events')).status).toBe(401);
    // With accounts it may stand behind any name.
    expect((await dashboard.ask('GET', '/api/me', { headers: { Host: 'hiphop.example' } })).status).toBe(200);
    await eventually(() => stream.ended(), { what: 'the open stream to end' });
  });
});

describe('with accounts', () => {
  let dashboard: TestDashboard;
  beforeEach(async () => {
    await add('op', 'operator');
    dashboard = await start();
  });

  test('a session begins with a password, under a new id, and ends for good', async () => {
    const planted = await signIn(dashboard, 'op');
    expect(await sessions()).toBe(1);
    await add('victim', 'artist');
    // The planted session signs the victim in: what was planted knows nothing of it.
    const answer = await planted.ask('POST', '/api/sign-in', {
      body: { name: ' Victim ', password: testPassword('victim') },
    });
    expect(answer.json).toMatchObject({ name: 'victim', role: 'artist', needsSignIn: true });
    const cookie = cookieOf(answer);
    expect(cookie).not.toBe(planted.cookie);
    expect((await planted.ask('GET', '/api/me')).json.name).toBeNull();
    expect(answer.headers['set-cookie']![0]).toMatch(/; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
    // An id that was made up, with or without a signature, begins nothing.
    for (const made of ['hiphop=made-up', 'hiphop=s%3Amade-up.signature']) {
      const me = await dashboard.ask('GET', '/api/me', { headers: { Cookie: made } });
      expect(me.json.name).toBeNull();
      expect(me.headers['set-cookie']).toBeUndefined();
    }
    const headers = { Cookie: cookie, 'X-CSRF-Token': answer.json.csrf };
    expect((await dashboard.ask('POST', '/api/sign-out', { headers: { Cookie: cookie } })).status).toBe(403);
    expect((await dashboard.ask('POST', '/api/sign-out', { headers })).status).toBe(204);
    expect((await dashboard.ask('GET', '/api/me', { headers })).json.name).toBeNull();
    expect(await sessions()).toBe(0);
  });

  test("another session's proof is none", async () => {
    const [one, other] = [await signIn(dashboard, 'op'), await signIn(dashboard, 'op')];
    const headers = { 'X-CSRF-Token': other.csrf };
    expect((await one.ask('POST', '/api/views', { body: view, headers })).status).toBe(403);
    expect((await one.ask('POST', '/api/views', { body: view })).status).toBe(201);
    expect(
      (await one.ask('POST', '/api/views', { body: view, headers: { 'Sec-Fetch-Site': 'cross-site' } }))
        .status,
    ).toBe(403);
    // Nobody can be signed in by another site, as somebody else.
    const login = {
      body: { name: 'op', password: testPassword('op') },
      headers: { Origin: 'https://evil.example' },
    };
    expect((await dashboard.ask('POST', '/api/sign-in', login)).status).toBe(403);
  });

  test('a disabled account and a changed password end sessions, tokens and streams', async () => {
    const { prisma } = dashboards.bench.database;
    const account = await add('ann', 'artist');
    const [here, there] = [await signIn(dashboard, 'ann'), await signIn(dashboard, 'ann')];
    const { token } = await createToken(prisma, account, { name: 'x', expiresAt: null });
    const byToken = { headers: { Authorization: `Bearer ${token}` } };
    expect((await dashboard.ask('GET', '/api/me', byToken)).json.name).toBe('ann');
    const stream = await openStream(dashboard, { Cookie: there.cookie });
    const changed = await here.ask('POST', '/api/me/password', {
      body: { currentPassword: testPassword('ann'), password: 'another long password' },
    });
    expect(changed.status).toBe(204);
    // Whoever changed it goes on, in a new session.
    const cookie = cookieOf(changed);
    expect((await dashboard.ask('GET', '/api/me', { headers: { Cookie: cookie } })).json.name).toBe('ann');
    for (const { ask } of [here, there]) expect((await ask('GET', '/api/me')).json.name).toBeNull();
    expect((await dashboard.ask('GET', '/api/me', byToken)).status).toBe(401);
    await eventually(() => stream.ended(), { what: "the other browser's stream to end" });
    await changeAccount(prisma, 'ann', { disabled: true });
    expect((await dashboard.ask('GET', '/api/me', { headers: { Cookie: cookie } })).json.name).toBeNull();
    await expect(signIn(dashboard, 'ann', { password: 'another long password' })).rejects.toThrow('401');
    await changeAccount(prisma, 'ann', { disabled: false });
    expect((await dashboard.ask('GET', '/api/me', { headers: { Cookie: cookie } })).json.name).toBeNull();
    await signIn(dashboard, 'ann', { password: 'another long password' });
  });

  test('a role counts from the next request on, and one operator stays', async () => {
    const { prisma } = dashboards.bench.database;
    await add('second', 'operator');
    const op = await signIn(dashboard, 'op');
    await changeAccount(prisma, 'op', { role: 'viewer' });
    expect((await op.ask('GET', '/api/me')).json.role).toBe('viewer');
    expect((await op.ask('GET', '/api/accounts')).status).toBe(403);
    const second = await signIn(dashboard, 'second');
    const changes: [string, object | undefined][] = [
      ['PATCH', { role: 'artist' }],
      ['PATCH', { disabled: true }],
      ['DELETE', undefined],
    ];
    for (const [method, body] of changes) {
      const answer = await second.ask(method, '/api/accounts/second', body ? { body } : {});
      expect(answer.status).toBe(422);
      expect(answer.json.detail).toContain('last operator');
    }
    // Two operators who remove each other at once do not leave the place without one.
    await changeAccount(prisma, 'op', { role: 'operator' });
    const both = await Promise.allSettled([removeAccount(prisma, 'op'), removeAccount(prisma, 'second')]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('tokens: kept as hashes, told once, dated, revoked; they make no others', async () => {
    const op = await signIn(dashboard, 'op');
    const made = (await op.ask('POST', '/api/me/tokens', { body: { name: 'ci', expiresInDays: 1 } })).json;
    expect(made.token).toMatch(/^hiphop_[\w-]{43}$/);
    const { rows } = await dashboards.bench.database.pool.query('SELECT * FROM api_tokens');
    expect(rows[0].sha256).toBe(createHash('sha256').update(made.token).digest('hex'));
    expect(JSON.stringify(rows)).not.toContain(made.token.slice(7));
    const headers = { Authorization: `bearer ${made.token}`, Origin: 'https://elsewhere.example' };
    // No proof is asked of a token, which no other site can send.
    expect((await dashboard.ask('POST', '/api/views', { body: view, headers })).status).toBe(201);
    const [listed] = (await op.ask('GET', '/api/me/tokens')).json;
    expect(listed).toMatchObject({ id: made.id, name: 'ci', expiresAt: made.expiresAt });
    expect(Date.now() - Date.parse(listed.lastUsedAt)).toBeLessThan(60_000);
    expect(listed).not.toHaveProperty('token');
    // Within a minute the last use is not written again.
    await dashboard.ask('GET', '/api/me', { headers });
    expect((await op.ask('GET', '/api/me/tokens')).json[0].lastUsedAt).toBe(listed.lastUsedAt);
    const another = await dashboard.ask('POST', '/api/me/tokens', { body: { name: 'heir' }, headers });
    expect(another.status).toBe(422);
    // A token stands for itself, whatever cookie comes with it.
    await add('vic', 'viewer');
    const { cookie } = await signIn(dashboard, 'vic');
    expect(
      (await dashboard.ask('GET', '/api/me', { headers: { ...headers, Cookie: cookie } })).json.name,
    ).toBe('op');
    const wrong = { headers: { Cookie: op.cookie, Authorization: 'Bearer hiphop_wrong' } };
    expect((await dashboard.ask('GET', '/api/me', wrong)).status).toBe(401);
    await dashboards.bench.database.pool.query(
      "UPDATE api_tokens SET expires_at = now() - interval '1 second'",
    );
    expect((await dashboard.ask('GET', '/api/me', { headers })).status).toBe(401);
    await dashboards.bench.database.pool.query('UPDATE api_tokens SET expires_at = NULL');
    const vic = await signIn(dashboard, 'vic');
    expect((await vic.ask('DELETE', `/api/me/tokens/${made.id}`)).status).toBe(404);
    expect((await op.ask('DELETE', `/api/me/tokens/${made.id}`)).status).toBe(204);
    expect((await dashboard.ask('GET', '/api/me', { headers })).status).toBe(401);
  });

  test('views are their owners’, unless they share them', async () => {
    await add('ann', 'artist');
    const [op, ann] = [await signIn(dashboard, 'op'), await signIn(dashboard, 'ann')];
    const own = (await ann.ask('POST', '/api/views', { body: view })).json;
    expect((await op.ask('GET', '/api/views')).json).toEqual([]);
    expect((await op.ask('DELETE', `/api/views/${own.id}`)).status).toBe(404);
    const shared = (await ann.ask('POST', '/api/views', { body: { ...view, shared: true } })).json;
    expect((await op.ask('GET', '/api/views?page=/tracks')).json).toEqual([
      { ...shared, own: false, by: 'ann' },
    ]);
    expect((await op.ask('GET', '/api/views?page=/models')).json).toEqual([]);
    for (const search of ['https://evil.example', '//evil.example', 'javascript:alert(1)']) {
      expect((await ann.ask('POST', '/api/views', { body: { ...view, search } })).status).toBe(400);
    }
    expect((await op.ask('DELETE', `/api/views/${shared.id}`)).status).toBe(204);
  });
});

/** Open a stream of events and say when it has ended. */
function openStream(
  { url }: TestDashboard,
  headers: Record<string, string>,
): Promise<{ ended: () => boolean }> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/api/events`, { headers }, (response) => {
      expect(response.statusCode).toBe(200);
      let ended = false;
      response.resume().on('close', () => {
        ended = true;
      });
      resolve({ ended: () => ended });
    });
    request.on('error', reject);
  });
}
