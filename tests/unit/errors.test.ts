import { expect, test } from 'vitest';
import { CancelledError, PermanentError, reasonOf, UserError, WaitError } from '../../shared/errors.ts';

test.each([
  [new Error('the disk is full\n    at write (fs.js:1)'), 'the disk is full'],
  [new Error('\n\n  a message that begins with empty lines'), 'a message that begins with empty lines'],
  [new TypeError(''), 'TypeError'],
  ['just a text', 'just a text'],
  [undefined, 'undefined'],
  ['\n', 'unknown error'],
])('%s becomes one line', (thrown, line) => {
  expect(reasonOf(thrown)).toBe(line);
});

test.each([
  'postgresql://hiphop:hunter2@db.example:5432/music',
  'redis://:hunter2@cache:6379',
  'postgres://nas:hun@ter2@db/music',
])('the password in %s is not shown, the host is', (address) => {
  const reason = reasonOf(new Error(`connect ECONNREFUSED ${address} twice ${address}`));
  expect(reason).not.toMatch(/hun|ter2/);
  expect(reason).toContain(`://***@${address.split('@').at(-1)}`);
});

test('an address without a password stays as it is', () => {
  expect(reasonOf(new Error('GET https://api.example/v1 failed, ask ops@example.org'))).toBe(
    'GET https://api.example/v1 failed, ask ops@example.org',
  );
});

test('the kinds of errors can be told apart by class and by name', () => {
  const kinds = { UserError, PermanentError, CancelledError };
  for (const [name, Kind] of Object.entries(kinds)) {
    const error = new Kind('why');
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.message]).toEqual([name, 'why']);
  }
  expect(new WaitError('429', 1_500)).toMatchObject({ name: 'WaitError', message: '429', waitMs: 1_500 });
});
