import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelComparison } from '../../../shared/registry/compare.ts';
import { bestOf, type Contender, decide } from '../../../shared/registry/decide.ts';
import { unfitReason } from '../../../shared/registry/models.ts';

function contender(id: number, rocAuc: number | null, given: Partial<Contender> = {}): Contender {
  return {
    ...{ id, name: 'logistic', dataSetId: 1, rocAuc, unfit: null, basis: '5-fold cross-validation' },
    rocAucCi95: rocAuc === null ? null : [rocAuc - 0.05, rocAuc + 0.05],
    ...given,
  };
}

function compared(difference: number, ci95: [number, number], n = 178): ModelComparison {
  return {
    basis: 'out of fold',
    difference,
    ci95,
    pValue: 0.1,
    n,
    groups: 74,
    rocAuc: [0.7, 0.7 + difference],
  };
}

describe('without a champion', () => {
  it('the best of the run becomes the first, told with its interval', () => {
    const decision = decide([contender(1, 0.6), contender(2, 0.65, { name: 'crnn' })], null, null);
    expect(decision).toMatchObject({
      outcome: 'first',
      champion: null,
      challenger: 'model-2',
      comparison: null,
    });
    expect(decision.reason).toBe(
      'first champion: model-2 (crnn) 0.650 [0.600 to 0.700] by 5-fold cross-validation',
    );
  });

  it.each<[string, Contender]>([
    ['may not be', contender(1, 0.9, { unfit: 'it is failed' })],
    ['is no better than chance', contender(1, 0.5)],
    ['could not be measured', contender(1, null)],
  ])('nobody does who %s, and the reason is told', (_, only) => {
    const decision = decide([only], null, null);
    expect(decision).toMatchObject({ outcome: 'none', challenger: null });
    expect(decision.candidates[0]!.out).not.toBeNull();
    expect(decision.reason).toContain(decision.candidates[0]!.out);
  });

  it('says so of a run without models', () => {
    expect(decide([], null, null).reason).toBe('no model of this run may be champion: it has none');
  });
});

describe('against a champion', () => {
  const champion = contender(1, 0.7);
  const better = contender(2, 0.75);

  it('wins only who is better beyond noise on the same songs, whatever the figures of their own', () => {
    const won = decide([better], champion, compared(0.05, [0.01, 0.09]));
    expect(won).toMatchObject({ outcome: 'promoted', champion: 'model-1', challenger: 'model-2' });
    expect(won.reason).toBe(
      'model-2 (logistic) beats model-1 (logistic) beyond noise: ROC-AUC 0.750 against 0.700, difference +0.050 [+0.010 to +0.090], on 178 songs of 74 groups that neither had heard (out of fold)',
    );
    const within = decide([better], champion, compared(0.05, [-0.001, 0.1]));
    expect(within).toMatchObject({ outcome: 'kept', challenger: 'model-2' });
    expect(within.reason).toMatch(
      /^model-1 \(logistic\) stays: model-2 \(logistic\) is not better beyond noise/,
    );
    const worse = decide([better], champion, compared(-0.05, [-0.1, -0.01]));
    expect(worse.reason).toContain('is worse beyond noise');
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (low, width) => {
          const { outcome } = decide([better], champion, compared(low, [low, low + width]));
          expect(outcome).toBe(low > 0 ? 'promoted' : 'kept');
        },
      ),
    );
  });

  it('on the same songs few are enough, across data sets they are not', () => {
    const few = compared(0.05, [-0.1, 0.2], 29);
    expect(decide([better], champion, few).outcome).toBe('kept');
    const newer = contender(2, 0.66, { dataSetId: 2 });
    const decision = decide([newer], champion, few);
    expect(decision.outcome).toBe('promoted');
    expect(decision.reason).toMatch(
      /not clearly worse than .* \(by figures of their own: only 29 songs are new to both\)$/,
    );
    expect(decide([newer], champion, compared(0.05, [-0.1, 0.2], 30)).outcome).toBe('kept');
  });

  it('where nothing can be compared, a newer data set wins unless it is clearly worse', () => {
    const none = {
      basis: 'holdout' as const,
      n: 0,
      reason: 'there are no songs that both have judged unseen',
    };
    const worse = decide([contender(2, 0.64, { dataSetId: 2 })], champion, none);
    expect(worse.outcome).toBe('kept');
    expect(worse.reason).toContain('clearly worse (by figures of their own: there are no songs that both');
    expect(decide([contender(2, 0.66, { dataSetId: 2 })], champion, none).outcome).toBe('promoted');
  });

  it('where nothing can be compared, on the same data set the better figure wins', () => {
    expect(decide([contender(2, 0.71)], champion, null).outcome).toBe('promoted');
    expect(decide([contender(2, 0.7)], champion, null).outcome).toBe('kept');
  });

  it('a run of which none may be champion changes nothing', () => {
    const decision = decide([contender(2, 0.9, { unfit: 'it is the floor' })], champion, null);
    expect(decision).toMatchObject({ outcome: 'none', champion: 'model-1', challenger: null });
  });
});

describe('bestOf', () => {
  it('is the highest figure of those that may be champion, the first of equals', () => {
    expect(
      bestOf([contender(1, 0.6), contender(2, 0.8, { unfit: 'x' }), contender(3, 0.7), contender(4, 0.7)])
        ?.id,
    ).toBe(3);
    expect(bestOf([])).toBeNull();
  });
});

describe('unfitReason', () => {
  it('keeps out the floor, null tests and what is not trained', () => {
    const model = { name: 'logistic', state: 'ready' as const, options: { shuffleLabels: false } };
    expect(unfitReason(model)).toBeNull();
    expect(unfitReason({ ...model, state: 'failed' })).toBe('it is failed');
    expect(unfitReason({ ...model, name: 'dummy' })).toContain('floor');
    expect(unfitReason({ ...model, options: { shuffleLabels: true } })).toContain('permuted labels');
  });
});
