import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../shared/errors.ts';
import { planFolds } from '../../../shared/learning/cross-validation.ts';
import { assignFolds } from '../../../shared/learning/folds.ts';
import { thresholdOf } from '../../../shared/learning/threshold.ts';

describe('assignFolds', () => {
  const items = fc.array(
    fc.record({ group: fc.integer({ min: 0, max: 60 }), label: fc.constantFrom(0, 1) }),
    { minLength: 30, maxLength: 200 },
  );

  it('keeps groups whole and fills every fold', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 2, max: 6 }), fc.nat(), (list, folds, seed) => {
        const typed = list as { group: number; label: 0 | 1 }[];
        const assigned = assignFolds(typed, folds, seed);
        const foldOf = new Map<number, number>();
        for (const [i, { group }] of typed.entries()) {
          expect(foldOf.get(group) ?? assigned[i]).toBe(assigned[i]);
          foldOf.set(group, assigned[i]!);
        }
        expect(new Set(assigned).size).toBe(folds);
      }),
      { seed: 3 },
    );
  });

  it('balances size and label', () => {
    const list = Array.from({ length: 200 }, (_, i) => ({
      group: i >> 1,
      label: (i % 4 < 2 ? 1 : 0) as 0 | 1,
    }));
    const assigned = assignFolds(list, 5, 1);
    for (let fold = 0; fold < 5; fold++) {
      const members = list.filter((_, i) => assigned[i] === fold);
      expect(members).toHaveLength(40);
      expect(members.filter(({ label }) => label === 1)).toHaveLength(20);
    }
    expect(assignFolds(list, 5, 2)).not.toEqual(assigned);
    expect(assignFolds(list, 5, 1)).toEqual(assigned);
  });

  it('refuses more folds than groups', () => {
    expect(() =>
      assignFolds(
        [
          { group: 1, label: 0 },
          { group: 2, label: 1 },
        ],
        3,
        1,
      ),
    ).toThrow(UserError);
    expect(() =>
      assignFolds(
        [
          { group: 1, label: 0 },
          { group: 2, label: 1 },
        ],
        1,
        1,
      ),
    ).toThrow(UserError);
  });
});

describe('planFolds', () => {
  const records = Array.from({ length: 120 }, (_, i) => ({
    popularity: (i * 53) % 100,
    group: Math.floor(i / 3),
  }));

  it('holds every track out once, with nothing of its group in what judges it', () => {
    const plans = planFolds(records, 5, { seed: 1, rule: 'median', usesValidation: true });
    expect(plans.flatMap(({ heldOut }) => heldOut.map(({ index }) => index)).sort((a, b) => a - b)).toEqual([
      ...records.keys(),
    ]);
    for (const { train, validation, heldOut } of plans) {
      expect(train.length + validation.length + heldOut.length).toBe(120);
      expect(validation.length).toBeGreaterThan(8);
      const sides = [train, validation, heldOut].map((side) => new Set(side.map(({ group }) => group)));
      for (const group of sides[0]!) expect(sides[1]!.has(group) || sides[2]!.has(group)).toBe(false);
      for (const group of sides[1]!) expect(sides[2]!.has(group)).toBe(false);
    }
  });

  it('labels each fold by the threshold of the other folds alone', () => {
    for (const { train, heldOut, threshold } of planFolds(records, 4, {
      seed: 1,
      rule: 'median',
      usesValidation: false,
    })) {
      expect(threshold).toBe(
        thresholdOf(
          train.map(({ index }) => records[index]!.popularity),
          'median',
        ),
      );
      for (const { index, label } of [...train, ...heldOut])
        expect(label).toBe(records[index]!.popularity >= threshold ? 1 : 0);
    }
    expect(planFolds(records, 4, { seed: 1, rule: 70, usesValidation: false })[0]!.threshold).toBe(70);
  });

  it('is not moved by a held-out track, whatever its popularity', () => {
    const before = planFolds(records, 4, { seed: 1, rule: 50, usesValidation: true });
    const fold = before[2]!;
    const { index } = fold.heldOut.find(({ label }) => label === 1)!;
    const changed = records.map((record, i) => (i === index ? { ...record, popularity: 99 } : record));
    const after = planFolds(changed, 4, { seed: 1, rule: 50, usesValidation: true })[2]!;
    expect(after.train).toEqual(fold.train);
    expect(after.validation).toEqual(fold.validation);
  });
});
