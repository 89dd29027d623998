import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  evaluate,
  type Judged,
  logLoss,
  percentileOf,
  rocAuc,
  rocAucInterval,
} from '../../../shared/learning/metrics.ts';
import { normal, randomStream } from '../../../shared/learning/random.ts';

function judged(items: [number, 0 | 1, number?][]): Judged[] {
  return items.map(([probability, label, group], i) => ({ probability, label, group: group ?? i }));
}

describe('rocAuc', () => {
  it('counts pairs in the right order, ties half', () => {
    expect(rocAuc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect(rocAuc([0.5, 0.5, 0.5], [0, 1, 1])).toBe(0.5);
    expect(rocAuc([0.2, 0.2, 0.9], [0, 1, 1])).toBe(0.75);
    expect(rocAuc([1, 2], [1, 0])).toBe(0);
    expect(rocAuc([1, 2], [1, 1])).toBeNull();
    expect(rocAuc([], [])).toBeNull();
  });

  it('agrees with counting every pair', () => {
    const items = fc.array(
      fc.record({ score: fc.integer({ min: 0, max: 9 }), label: fc.integer({ min: 0, max: 1 }) }),
      { minLength: 2, maxLength: 40 },
    );
    fc.assert(
      fc.property(items, (list) => {
        let wins = 0;
        let pairs = 0;
        for (const a of list.filter(({ label }) => label === 1)) {
          for (const b of list.filter(({ label }) => label === 0)) {
            wins += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
            pairs++;
          }
        }
        const area = rocAuc(
          list.map(({ score }) => score),
          list.map(({ label }) => label),
        );
        if (pairs === 0) expect(area).toBeNull();
        else expect(area).toBeCloseTo(wins / pairs, 12);
      }),
    );
  });
});

describe('rocAucInterval', () => {
  const random = randomStream('interval');
  const items = judged(
    Array.from({ length: 200 }, (_, i): [number, 0 | 1] => [normal(random) + (i % 2), (i % 2) as 0 | 1]),
  );

  it('is about two standard errors to each side (Hanley and McNeil 1982)', () => {
    const area = rocAuc(
      items.map(({ probability }) => probability),
      items.map(({ label }) => label),
    )!;
    const [low, high] = rocAucInterval(items, 1)!;
    const q1 = area / (2 - area);
    const q2 = (2 * area * area) / (1 + area);
    const error = Math.sqrt((area * (1 - area) + 99 * (q1 - area * area) + 99 * (q2 - area * area)) / 1e4);
    expect(low).toBeCloseTo(area - 1.96 * error, 1.5);
    expect(high).toBeCloseTo(area + 1.96 * error, 1.5);
  });

  it('claims no certainty where the classes do not overlap (Newcombe 2006, method 5)', () => {
    const apart = (each: number) =>
      judged(Array.from({ length: 2 * each }, (_, i): [number, 0 | 1] => [i, i < each ? 0 : 1]));
    const [low, high] = rocAucInterval(apart(9), 1)!;
    expect(high).toBe(1);
    // 1 lies exactly 1.96 standard errors above the bound.
    const variance = (low * (1 - low) * (1 + 8 * ((1 - low) / (2 - low) + low / (1 + low)))) / 81;
    expect(1 - low).toBeCloseTo(1.96 * Math.sqrt(variance), 9);
    expect(low).toBeGreaterThan(0.6);
    expect(rocAucInterval(apart(90), 1)![0]).toBeGreaterThan(0.95);
    const reversed = apart(9).map((item) => ({ ...item, label: item.label ? 0 : 1 }) as Judged);
    expect(rocAucInterval(reversed, 1)).toEqual([0, 1 - low]);
  });

  it('repeats with a seed, and is wider when tracks come in groups', () => {
    expect(rocAucInterval(items, 1)).toEqual(rocAucInterval(items, 1));
    expect(rocAucInterval(items, 1)).not.toEqual(rocAucInterval(items, 2));
    const copied = items
      .slice(0, 40)
      .flatMap((item, group) => Array.from({ length: 10 }, () => ({ ...item, group })));
    const [low, high] = rocAucInterval(copied, 1)!;
    const [lowAlone, highAlone] = rocAucInterval(
      copied.map((item, group) => ({ ...item, group })),
      1,
    )!;
    expect(high - low).toBeGreaterThan(2 * (highAlone - lowAlone));
  });

  it('is null where it cannot be estimated', () => {
    expect(
      rocAucInterval(
        judged([
          [0.1, 0],
          [0.2, 0],
        ]),
        1,
      ),
    ).toBeNull();
    expect(
      rocAucInterval(
        judged([
          [0.1, 0, 1],
          [0.2, 1, 1],
        ]),
        1,
      ),
    ).toBeNull();
    expect(
      rocAucInterval(
        judged([
          [0.1, 0],
          [0.2, 1],
        ]),
        1,
      ),
    ).toEqual([expect.closeTo(0.5, 9), 1]);
  });
});

describe('evaluate', () => {
  it('gives accuracy, log loss and Brier score', () => {
    const metrics = evaluate(
      judged([
        [0.9, 1],
        [0.5, 1],
        [0.4, 1],
        [0.2, 0],
      ]),
      1,
    );
    expect(metrics).toMatchObject({ n: 4, accuracy: 0.75, rocAuc: 1, decisionThreshold: 0.5, reason: null });
    expect(metrics.logLoss).toBeCloseTo(
      -(Math.log(0.9) + Math.log(0.5) + Math.log(0.4) + Math.log(0.8)) / 4,
      12,
    );
    expect(metrics.brier).toBeCloseTo((0.01 + 0.25 + 0.36 + 0.04) / 4, 12);
  });

  it('says why there is no figure, and is never NaN', () => {
    expect(evaluate([], 1)).toMatchObject({
      n: 0,
      accuracy: null,
      rocAuc: null,
      reason: 'there are no tracks on this side',
    });
    expect(
      evaluate(
        judged([
          [0.3, 1],
          [0.6, 1],
        ]),
        1,
      ),
    ).toMatchObject({
      accuracy: 0.5,
      rocAuc: null,
      rocAucCi95: null,
      reason: expect.stringContaining('all 2 tracks are popular'),
    });
  });

  it('keeps certainty that was wrong finite', () => {
    expect(
      Number.isFinite(
        logLoss(
          judged([
            [0, 1],
            [1, 0],
          ]),
        ),
      ),
    ).toBe(true);
  });
});

describe('percentileOf', () => {
  it('is the share below, ties half', () => {
    const scores = [0.1, 0.2, 0.2, 0.4];
    expect(percentileOf(0, scores)).toBe(0);
    expect(percentileOf(0.1, scores)).toBe(12.5);
    expect(percentileOf(0.2, scores)).toBe(50);
    expect(percentileOf(0.3, scores)).toBe(75);
    expect(percentileOf(1, scores)).toBe(100);
    expect(percentileOf(1, [])).toBeNull();
  });
});
