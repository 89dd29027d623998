import fc from 'fast-check';
import { expect, it } from 'vitest';
import { standingPromotions } from '../../../shared/registry/champion.ts';

interface Row {
  id: number;
  modelId: number;
  evidence: { takesBack: number } | null;
}

/** Promotions as they are made: a model's id, or null for a rollback, which is left out where it is refused. */
function history(steps: readonly (number | null)[]): Row[] {
  const rows: Row[] = [];
  for (const step of steps) {
    const id = rows.length + 1;
    if (step !== null) {
      rows.push({ id, modelId: step, evidence: null });
      continue;
    }
    const [restored, undone] = standingPromotions(rows).slice(-2);
    if (undone) rows.push({ id, modelId: restored!.modelId, evidence: { takesBack: undone.id } });
  }
  return rows;
}

const standing = (steps: readonly (number | null)[]) =>
  standingPromotions(history(steps)).map(({ modelId }) => modelId);

it('goes back further with each rollback, and not back and forth', () => {
  expect(standing([1, 2, 3])).toEqual([1, 2, 3]);
  expect(standing([1, 2, 3, null])).toEqual([1, 2]);
  expect(standing([1, 2, 3, null, null])).toEqual([1]);
  expect(standing([1, 2, 3, null, null, null])).toEqual([1]);
  expect(standing([1, 2, null, 3, null])).toEqual([1]);
});

it('takes a model promoted twice in a row as one', () => {
  expect(standing([1, 2, 2, null])).toEqual([1]);
  expect(standing([1, 2, 1, null])).toEqual([1, 2]);
});

it('always ends with the model of the newest promotion', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 1, max: 4 })), { maxLength: 30 }), (steps) => {
      const rows = history(steps);
      expect(standingPromotions(rows).at(-1)?.modelId).toBe(rows.at(-1)?.modelId);
    }),
  );
});
