import { expect, test } from 'vitest';
import { withoutGaps } from '../../../dashboard/api/catalogue/overview.ts';

test('a month without releases counts 0, over the end of a year too', () => {
  expect(
    withoutGaps([
      { month: '2023-11', count: 1 },
      { month: '2024-02', count: 2 },
    ]),
  ).toEqual([
    { month: '2023-11', count: 1 },
    { month: '2023-12', count: 0 },
    { month: '2024-01', count: 0 },
    { month: '2024-02', count: 2 },
  ]);
  expect(withoutGaps([])).toEqual([]);
});
