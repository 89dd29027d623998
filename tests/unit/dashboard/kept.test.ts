import { expect, test } from 'vitest';
import { Kept } from '../../../dashboard/kept.ts';

test('what is made is made once for all who ask, and what failed is tried anew', async () => {
  const kept = new Kept<number>(2);
  let made = 0;
  const make = async () => ++made;
  expect(await Promise.all([kept.get('a', make), kept.get('a', make)])).toEqual([1, 1]);
  const fail = () => Promise.reject(new Error('the database is away'));
  await expect(kept.get('b', fail)).rejects.toThrow('away');
  expect(kept.find('b')).toBeUndefined();
  expect(await kept.get('b', make)).toBe(2);
  expect(await kept.find('a')).toBe(1);
});
