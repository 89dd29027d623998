/** What stands before the routes: limits, proxies, https, headers. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createToken, removeAccount } from '../../producers/accounts.ts';
import { signIn, testPassword } from '../support/browser-session.ts';
import { useDashboards } from '../support/dashboards.ts';
import { eventually } from '../support/eventually.ts';

const dashboards = useDashboards();
const { start, add } = dashboards;

describe('limits', () => {
  test('wrong passwords, by name and address; unknown names take as long', async () => {
    await add('op', 'operator');
    const dashboard = await start();
    let address = 0;
    // A proxy on this machine says who asks.
    const from = (host: string) => ({ 'X-Forwarded-For': host });
    const fresh = () => from(`10.0.${address++}.1`);
    const guess = (name: string, headers: Record<string, string>) =>
      dashboard.ask('POST', '/api/sign-in', { body: { name, password: 'wrong' }, headers });
    const attacker = from('198.51.100.7');
    const took = async (name: string, headers: Record<string, string>) => {
      const started = performance.now();
      expect((await guess(name, headers)).status).toBe(401);
      return performance.now() - started;
    };
    const times = { known: [] as number[], unknown: [] as number[] };
    for (let round = 0; round < 10; round++) {
      times.known.push(await took('op', attacker));
      times.unknown.push(await took(`nobody-${round}`, fresh()));
    }
    // The quickest of each: what a busy machine adds says nothing of the names.
    expect(Math.min(...times.unknown) / Math.min(...times.known)).toBeGreaterThan(0.5);
    // The right password comes too late as well, from there; the owner sits elsewhere and is let in.
    const tooMany = await dashboard.ask('POST', '/api/sign-in', {
      ...{ body: { name: 'OP ', password: testPassword('op') }, headers: attacker },
    });
    await signIn(dashboard, 'op', { headers: fresh() });
    expect(tooMany.status).toBe(429);
    expect(tooMany.json.type).toBe('/api/problems#too-many-requests');
    expect(Number(tooMany.headers['retry-after'])).toBeGreaterThan(60);

    const one = from('192.0.2.1');
    for (let round = 0; round < 30; round++) expect((await guess(`name-${round}`, one)).status).toBe(401);
    expect((await guess('name-30', one)).status).toBe(429);
    await add('ann', 'artist');
    await signIn(dashboard, 'ann', { headers: fresh() });
    // What succeeds is no guess.
    for (let round = 0; round < 11; round++) await signIn(dashboard, 'ann', { headers: from('192.0.2.2') });
    // A name that is tried from everywhere is slow for everybody, and locked for nobody.
    for (let round = 0; round < 30; round++) expect((await guess('ann', fresh())).status).toBe(401);
    const started = performance.now();
    await signIn(dashboard, 'ann', { headers: fresh() });
    expect(performance.now() - started).toBeGreaterThan(990);
    // Each wrong password is in the audit, and those that were not looked at are not.
    const { auditEntry } = dashboards.bench.database.prisma;
    const refused = await auditEntry.groupBy({ by: ['status'], where: { who: 'nobody' }, _count: true });
    expect(refused.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  test('whoever is not signed in cannot fill the audit', async () => {
    await add('op', 'operator');
    const dashboard = await start();
    const { auditEntry } = dashboards.bench.database.prisma;
    for (const [path, body, status] of [
      ['/api/crawls', { genre: 'hip-hop' }, 401],
      ['/api/running/cancel', { expected: 0 }, 401],
      ['/api/sign-in', {}, 400],
      ['/api/sign-out', undefined, 204],
      ['/api/sign-in', { name: 'op', password: 'wrong' }, 401],
    ] as const) {
      const answer = await dashboard.ask('POST', path, body ? { body } : {});
      expect([path, answer.status]).toEqual([path, status]);
    }
    const kept = await eventually(
      async () => {
        const found = await auditEntry.findMany();
        return found.length > 0 && found;
      },
      { what: 'the wrong password in the audit' },
    );
    expect(kept).toMatchObject([
      { who: 'nobody', action: 'POST /sign-in', status: 401, details: { name: 'op' } },
    ]);
  });

  test('wrong tokens, by address; whose token was right before goes on', async () => {
    const { prisma } = dashboards.bench.database;
    const account = await add('op', 'operator');
    const made = async () => (await createToken(prisma, account, { name: 'x', expiresAt: null })).token;
    const [known, unknown] = [await made(), await made()];
    const dashboard = await start();
    const ask = (token: string, address = '192.0.2.1') =>
      dashboard.ask('GET', '/api/me', {
        headers: { Authorization: `Bearer ${token}`, 'X-Forwarded-For': address },
      });
    expect((await ask(known)).status).toBe(200);
    for (let round = 0; round < 60; round++) expect((await ask(`hiphop_${round}`)).status).toBe(401);
    const tooMany = await ask('hiphop_one-more');
    expect(tooMany.status).toBe(429);
    expect(Number(tooMany.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(unknown)).status).toBe(429);
    expect((await ask(known)).status).toBe(200);
    expect((await ask(unknown, '192.0.2.2')).status).toBe(200);
  });

  test('a session needs no token, and a token no session', async () => {
    const account = await add('op', 'operator');
    const dashboard = await start();
    const { token } = await createToken(dashboards.bench.database.prisma, account, {
      name: 'x',
      expiresAt: null,
    });
    const headers = { Authorization: `Bearer ${token}` };
    const body = { name: 'op', password: testPassword('op') };
    const refused = await dashboard.ask('POST', '/api/sign-in', { body, headers });
    expect(refused.status).toBe(400);
    expect(refused.json.detail).toBe('a token needs no session: send it alone, or sign in without it');
    expect((await dashboard.ask('POST', '/api/sign-out', { headers })).status).toBe(204);
    expect((await dashboard.ask('GET', '/api/me', { headers })).json.name).toBe('op');
  });

  test('requests in a minute, of one caller', async () => {
    await add('op', 'operator');
    const dashboard = await start({ REQUESTS_PER_MINUTE: '10' });
    const op = await signIn(dashboard, 'op');
    for (let round = 0; round < 10; round++) expect((await op.ask('GET', '/api/me')).status).toBe(200);
    const tooMany = await op.ask('GET', '/api/me');
    expect(tooMany).toMatchObject({ status: 429, json: { status: 429 } });
    expect(Number(tooMany.headers['retry-after'])).toBeGreaterThan(0);
    expect((await op.ask('PUT', '/queues/api/x')).status).toBe(429);
    // Pages and health are not counted, and nobody else is.
    expect((await op.ask('GET', '/')).status).toBe(200);
    expect((await dashboard.ask('GET', '/api/me')).status).toBe(200);
  });
});

describe('for others than this machine', () => {
  test('it refuses to start until an operator could sign in', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
      await expect(start({ DASHBOARD_HOST: host })).rejects.toThrow(
        /hiphop accounts add NAME --role operator/,
      );
    }
    await expect(start({ SESSION_SECRET: 'short' })).rejects.toThrow(/openssl rand/);
    await expect(start({ TRUSTED_PROXIES: 'everybody' })).rejects.toThrow(/TRUSTED_PROXIES/);
  });

  test('cookies travel over https alone, and nobody is let in without an account, ever', async () => {
    await add('op', 'operator');
    const dashboard = await start({ DASHBOARD_HOST: '0.0.0.0' });
    const plain = await dashboard.ask('POST', '/api/sign-in', {
      body: { name: 'op', password: testPassword('op') },
    });
    expect(plain.status).toBe(422);
    expect(plain.json.detail).toContain('https');
    const https = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.1' };
    const answer = await dashboard.ask('POST', '/api/sign-in', {
      ...{ body: { name: 'op', password: testPassword('op') }, headers: https },
    });
    expect(answer.headers['set-cookie']![0]).toMatch(/; HttpOnly; Secure; SameSite=Lax$/);
    expect(answer.headers['strict-transport-security']).toMatch(/max-age=\d{7,}/);
    // Whatever becomes of the accounts, this machine's privilege is not for others.
    await removeAccount(dashboards.bench.database.prisma, 'op', true);
    const byName = await dashboard.ask('GET', '/api/me', { headers: { Host: 'hiphop.example' } });
    expect(byName.status).toBe(403);
    const here = await dashboard.ask('GET', '/api/me');
    expect(here.json).toMatchObject({ name: null, role: null });
  });
});

test('behind a proxy on this machine cookies follow what the browser came by', async () => {
  await add('op', 'operator');
  const body = { name: 'op', password: testPassword('op') };
  const by = (protocol: string) => ({
    ...{ Host: 'pages.example', 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': protocol },
  });
  const dashboard = await start();
  const https = await dashboard.ask('POST', '/api/sign-in', { body, headers: by('https') });
  expect(https.headers['set-cookie']![0]).toMatch(/; HttpOnly; Secure; SameSite=Lax$/);
  expect(https.headers['strict-transport-security']).toMatch(/^max-age=\d{7,}$/);
  const http = await dashboard.ask('POST', '/api/sign-in', { body, headers: by('http') });
  expect(http.headers['set-cookie']![0]).not.toContain('Secure');
  expect(http.headers['strict-transport-security']).toBeUndefined();
  // The other servers of this machine are not closed to the browser.
  const here = { Host: 'localhost', 'X-Forwarded-Proto': 'https' };
  const answer = await dashboard.ask('GET', '/api/me', { headers: here });
  expect(answer.headers['strict-transport-security']).toBeUndefined();
  const never = await start({ SECURE_COOKIES: 'no' });
  const plain = await never.ask('POST', '/api/sign-in', { body, headers: by('https') });
  expect(plain.headers['set-cookie']![0]).not.toContain('Secure');
  expect(plain.headers['strict-transport-security']).toBeUndefined();
  const always = await start({ SECURE_COOKIES: 'yes' });
  expect((await always.ask('POST', '/api/sign-in', { body, headers: by('http') })).status).toBe(422);
});

test('headers: a strict policy on every kind of answer, the secret is for the owner alone', async () => {
  const dashboard = await start();
  const asset = /\/assets\/[\w.-]+\.js/.exec((await dashboard.ask('GET', '/')).text)![0];
  const paths: [string, string, number][] = [
    ...[
      ...['/', '/icon.svg', '/theme.js', asset, '/nowhere', '/healthz', '/readyz', '/metrics'],
      ...['/api/me', '/api/openapi.json', '/api/docs', '/api/docs/page.js'],
    ].map((path): [string, string, number] => ['GET', path, 200]),
    ...['/api/none', '/assets/none.js', '/assets/..%2f..%2fpackage.json'].map(
      (path): [string, string, number] => ['GET', path, 404],
    ),
    ['POST', '/nowhere', 404],
    ['PUT', '/api/views', 405],
    ['GET', '/api/audit?limit=x', 400],
    ['POST', '/api/views', 400],
    ['GET', '/api/songs/%E0%A4%A', 400],
  ];
  // No answer has so much: the part that is asked for is in none.
  const part = { Range: 'bytes=9999999-' };
  expect((await dashboard.ask('GET', asset, { headers: part })).status).toBe(400);
  for (const [method, path, status] of paths) {
    const { headers, ...answer } = await dashboard.ask(method, path);
    expect([method, path, answer.status]).toEqual([method, path, status]);
    if (status >= 400) expect(answer.json.status).toBe(status);
    const policy = headers['content-security-policy'];
    expect(policy).toContain("default-src 'none';script-src 'self';style-src 'self';");
    expect(policy).toContain("frame-ancestors 'none';base-uri 'none'");
    expect(policy).not.toMatch(/unsafe|upgrade/);
    expect(headers['strict-transport-security']).toBeUndefined();
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      ...{ 'cross-origin-resource-policy': 'same-origin', 'cross-origin-opener-policy': 'same-origin' },
      ...{ 'x-frame-options': 'DENY', 'referrer-policy': 'same-origin' },
    });
  }
  for (const path of ['/queues', '/queues/', '/queues/queue/preview', '/queues/api/queues', '/queues/none']) {
    const { headers } = await dashboard.ask('GET', path);
    const policy = headers['content-security-policy'];
    expect(policy, path).toContain("default-src 'none';script-src 'self';style-src 'self' 'unsafe-inline';");
    expect(policy).toContain("frame-ancestors 'none';base-uri 'self'");
    expect(headers).toMatchObject({
      ...{ 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' },
      'x-frame-options': 'DENY',
    });
  }
  const file = (await dashboard.ask('GET', '/api/logs.txt')).headers;
  expect(file['content-security-policy']).toMatch(/^default-src 'none';.* frame-ancestors 'none'; sandbox$/);
  expect(file['content-security-policy']).not.toContain('script');
  expect(file).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' });
  expect(statSync(join(dashboard.dataDir, 'session-secret')).mode & 0o777).toBe(0o600);
});
