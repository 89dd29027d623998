import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Judged,
  pairedBootstrap,
  rocAucInterval,
  rocAucOf,
} from '../../../../shared/learning/evaluation/index.ts';
import { normal, randomStream } from '../../../../shared/learning/random.ts';
import { anyJudged, judged } from './support.ts';

/** Two models that hear the same signal in the same tracks: the second hears `gain` more of it. */
function twoModels(tracks: number, gain: number, seed: number): [Judged[], Judged[]] {
  const random = randomStream('paired', seed);
  const both = Array.from({ length: tracks }, (_, i) => {
    const label = i % 2;
    const heard = normal(random) + label;
    const [first, second] = [heard + normal(random) / 3, heard + gain * label + normal(random) / 3];
    return [
      [1 / (1 + Math.exp(-first)), label, Math.floor(i / 4)],
      [1 / (1 + Math.exp(-second)), label, Math.floor(i / 4)],
    ] as const;
  });
  return [judged(both.map(([first]) => first)), judged(both.map(([, second]) => second))];
}

describe('pairedBootstrap', () => {
  it('tells how much better the second is, and that it is beyond noise', () => {
    const [a, b] = twoModels(240, 0.8, 1);
    const found = pairedBootstrap(a, b, 1)!;
    expect(found.difference).toBeCloseTo(rocAucOf(b)! - rocAucOf(a)!, 12);
    expect(found).toMatchObject({ n: 240, groups: 60, rocAuc: [rocAucOf(a), rocAucOf(b)] });
    expect(found.ci95[0]).toBeGreaterThan(0);
    expect(found.ci95[0]).toBeLessThan(found.difference);
    expect(found.ci95[1]).toBeGreaterThan(found.difference);
    expect(found.pValue).toBeLessThan(0.01);
  });

  it('sees less noise than two intervals of their own, for both hear the same tracks', () => {
    const [a, b] = twoModels(240, 0.2, 2);
    const [low, high] = pairedBootstrap(a, b, 1)!.ci95;
    const own = [a, b].map((items) => rocAucInterval(items, 1)!).map(([from, to]) => to - from);
    expect(high - low).toBeLessThan(Math.hypot(own[0]!, own[1]!) / 1.5);
  });

  it('turns around with the models, and repeats with a seed', () => {
    const [a, b] = twoModels(120, 0.3, 3);
    const [there, back] = [pairedBootstrap(a, b, 1)!, pairedBootstrap(b, a, 1)!];
    expect(back.difference).toBe(-there.difference);
    expect(back.ci95).toEqual(there.ci95.map((bound) => expect.closeTo(-bound, 12)).reverse());
    expect(pairedBootstrap(a, b, 1)).toEqual(there);
    expect(pairedBootstrap(a, b, 2)!.ci95).not.toEqual(there.ci95);
  });

  it('is wrong about equal models about as often as it says', () => {
    const beyond = Array.from({ length: 60 }, (_, seed) => {
      const [low, high] = pairedBootstrap(...twoModels(120, 0, 100 + seed), 1)!.ci95;
      return low > 0 || high < 0;
    }).filter(Boolean).length;
    // 3 of 60 are expected; 9 would come in 1 of 200 runs.
    expect(beyond).toBeLessThan(9);
  });

  it('finds no difference between a model and itself', () => {
    fc.assert(
      fc.property(anyJudged, (items) => {
        const found = pairedBootstrap(items, items, 1);
        if (found) expect(found).toMatchObject({ difference: 0, ci95: [0, 0], pValue: 1 });
      }),
      { numRuns: 20 },
    );
  });

  it('is null without two classes or two groups, and refuses other tracks', () => {
    const one = judged([
      [0.1, 1],
      [0.2, 1],
    ]);
    expect(pairedBootstrap(one, one, 1)).toBeNull();
    const together = judged([
      [0.1, 1, 1],
      [0.2, 0, 1],
    ]);
    expect(pairedBootstrap(together, together, 1)).toBeNull();
    expect(() => pairedBootstrap(one, together, 1)).toThrow('the same tracks');
    expect(() => pairedBootstrap(one, one.slice(1), 1)).toThrow('the same tracks');
  });
});
