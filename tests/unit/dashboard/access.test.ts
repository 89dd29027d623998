import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isLoopback, namesThisMachine } from '../../../dashboard/access/loopback.ts';
import { sessionSecret } from '../../../dashboard/access/secret.ts';
import { hashPassword, isPassword, parseAccountName, tokenHash } from '../../../producers/accounts.ts';
import { withoutSecrets } from '../../../producers/audit.ts';
import { parseConfig } from '../../../shared/config.ts';

describe('this machine alone', () => {
  test.each(['127.0.0.1', '127.3.2.1', '::1', '[::1]', 'localhost', 'LocalHost', '::ffff:127.0.0.1'])(
    '%s is',
    (host) => expect(isLoopback(host)).toBe(true),
  );
  test.each([
    '0.0.0.0',
    '::',
    '128.0.0.1',
    '127.1',
    '1127.0.0.1',
    'localhost.',
    'my-localhost',
    '127.0.0.1.nip.io',
    '',
  ])('%s is not', (host) => expect(isLoopback(host)).toBe(false));
  test.each([
    undefined,
    '',
    ':80',
    'localhost:',
    'localhost:1:2',
    '::1',
    '[::1',
    'a@localhost',
    'localhost/x',
    '127.0.0.1:123456',
  ])('the Host header %s names nothing here', (header) => expect(namesThisMachine(header)).toBe(false));
});

describe('the secret of the sessions', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'hiphop-secret-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  test('is made once, whoever comes first, for its owner alone', async () => {
    const config = parseConfig({ DATA_DIR: join(dataDir, 'new') });
    const secrets = await Promise.all(Array.from({ length: 20 }, () => sessionSecret(config)));
    expect(new Set(secrets).size).toBe(1);
    expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(readdirSync(config.dataDir)).toEqual(['session-secret']);
    expect(statSync(join(config.dataDir, 'session-secret')).mode & 0o777).toBe(0o600);
  });

  test('is of the settings where they say one that cannot be guessed', async () => {
    const given = 'f'.repeat(32);
    expect(await sessionSecret(parseConfig({ DATA_DIR: dataDir, SESSION_SECRET: given }))).toBe(given);
    expect(readdirSync(dataDir)).toEqual([]);
    const short = parseConfig({ DATA_DIR: dataDir, SESSION_SECRET: 'f'.repeat(31) });
    await expect(sessionSecret(short)).rejects.toThrow(/has 31 characters, which can be guessed/);
  });

  test('is never an empty file', async () => {
    writeFileSync(join(dataDir, 'session-secret'), '\n');
    await expect(sessionSecret(parseConfig({ DATA_DIR: dataDir }))).rejects.toThrow(
      /holds no secret: remove it/,
    );
  });

  test('that cannot be kept is an error in words', async () => {
    writeFileSync(join(dataDir, 'file'), '');
    chmodSync(join(dataDir, 'file'), 0o400);
    const config = parseConfig({ DATA_DIR: join(dataDir, 'file', 'below') });
    await expect(sessionSecret(config)).rejects.toThrow(
      /^the secret of the sessions cannot be (read|kept): /,
    );
  });
});

describe('accounts', () => {
  test('names are in lower case and stand in addresses', () => {
    expect(parseAccountName(' Ann@Studio.example ')).toBe('ann@studio.example');
    for (const name of [
      '',
      ' ',
      'a b',
      '-a',
      '.',
      '..',
      'a/b',
      'local',
      'Nobody',
      'é',
      'a'.repeat(65),
      '__proto__',
    ]) {
      expect(() => parseAccountName(name)).toThrow(/is no name for an account/);
    }
  });

  test('passwords are hashed by argon2id, each with its own salt', async () => {
    const [one, other] = await Promise.all([hashPassword('the same'), hashPassword('the same')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(other);
    expect(await isPassword(one, 'the same')).toBe(true);
    expect(await isPassword(one, 'the same ')).toBe(false);
  });

  test('what looks like no token of ours is not looked up', () => {
    expect(tokenHash('hiphop_abc')).toMatch(/^[0-9a-f]{64}$/);
    expect(tokenHash('ghp_abc')).toBeNull();
    expect(tokenHash(`hiphop_${'a'.repeat(10_000)}`)).toBeNull();
  });
});

describe('what the audit keeps', () => {
  test('no secrets, however deep', () => {
    const asked = {
      ...{ name: 'x', currentPassword: 'p', csrfToken: 't', n: 3, none: undefined, when: new Date(0) },
      nested: { list: [{ clientSecret: 's', kept: true }] },
    };
    expect(withoutSecrets(asked)).toEqual({
      ...{ name: 'x', currentPassword: '(redacted)', csrfToken: '(redacted)', n: 3, none: null },
      when: '1970-01-01T00:00:00.000Z',
      nested: { list: [{ clientSecret: '(redacted)', kept: true }] },
    });
  });

  test('nothing endless, and nothing that PostgreSQL refuses', () => {
    const kept = withoutSecrets({ text: 'x'.repeat(9_999), list: Array(99).fill(1), odd: 'a\0b\ud800c' }) as {
      text: string;
      list: unknown[];
      odd: string;
    };
    expect(kept.text).toHaveLength(501);
    expect(kept.list).toHaveLength(51);
    expect(kept.list[50]).toBe('… 49 more');
    expect(kept.odd).toBe('a\u{fffd}b\u{fffd}c');
    let deep: object = { bottom: true };
    for (let level = 0; level < 10_000; level++) deep = { deep };
    expect(JSON.stringify(withoutSecrets(deep))).toBe('{"deep":{"deep":{"deep":{"deep":"…"}}}}');
  });
});
