import { expect, test } from 'vitest';
import { tooManyRequests, waitMsOf } from '../../../shared/outside/answers.ts';

const now = Date.parse('2026-03-01T12:00:00Z');

test.each<[string | string[] | undefined, number]>([
  ['7', 7_000],
  [' 7 ', 7_000],
  ['0', 1_000],
  ['0.5', 1_000],
  ['1.5', 1_500],
  ['3600', 3_600_000],
  ['86400', 3_600_000],
  ['99999999999999999999', 3_600_000],
  ['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
  ['Sun, 01 Mar 2026 11:00:00 GMT', 1_000],
  ['Mon, 02 Mar 2026 12:00:00 GMT', 3_600_000],
  [['4', '9'], 4_000],
  [undefined, 5_000],
  ['', 5_000],
  ['soon', 5_000],
  ['-5', 5_000],
])('Retry-After %j is %d ms', (header, waitMs) => expect(waitMsOf(header, now)).toBe(waitMs));

test('the error for a 429 says who asks and for how long', () => {
  expect(tooManyRequests('p.scdn.co', '90')).toMatchObject({
    ...{ name: 'WaitError', waitMs: 90_000, message: 'p.scdn.co asks to wait 90.0 s (429)' },
  });
});
