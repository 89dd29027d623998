import fc from 'fast-check';
import type { Judged } from '../../../../shared/learning/evaluation/index.ts';

/** Judged items from [probability, label, group]; each a group of its own where none is given. */
export function judged(items: readonly (readonly [number, number, number?])[]): Judged[] {
  return items.map(([probability, label, group], i) => ({
    ...{ probability, group: group ?? i },
    label: label ? 1 : 0,
  }));
}

/** Up to 40 items in some groups, many of them tied. */
export const anyJudged = fc
  .array(
    fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 5 })),
    { minLength: 2, maxLength: 40 },
  )
  .map((list) => judged(list.map(([score, label, group]) => [score / 9, label, group])));

/** Forty items whose figures scikit-learn 1.9 was asked for. */
export const forty = judged(
  Array.from({ length: 40 }, (_, i) => {
    const score = ((i * 37) % 101) / 101;
    return [score, score + ((((i * 53) % 17) / 17) * 9) / 10 > 0.95 ? 1 : 0];
  }),
);
