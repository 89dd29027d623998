import { describe, expect, it } from 'vitest';
import { checkFaithfulness, namedSegments } from '../../../../shared/learning/explain/faithfulness.ts';
import type { Mask } from '../../../../shared/learning/explain/filling.ts';
import type { Grid } from '../../../../shared/learning/explain/grid.ts';
import { drawMasks, fitSurrogate } from '../../../../shared/learning/explain/surrogate.ts';
import { normal, randomStream } from '../../../../shared/learning/random.ts';

const grid: Grid = {
  stretches: Array.from({ length: 10 }, (_, at) => ({ fromSeconds: at, toSeconds: at + 1 })),
  groups: [0, 500, 1_000, 2_000].map((hz) => ({ name: `${hz}`, fromHz: hz, toHz: hz === 0 ? 500 : 2 * hz })),
};
const segments = 40;
const random = randomStream('surrogate test');
const worth = Float64Array.from({ length: segments }, (_, segment) =>
  segment % 7 === 0 ? 1 : 0.05 * normal(random),
);
const linear = (mask: Mask) =>
  -1 + worth.reduce((sum, value, segment) => sum + (mask[segment] ? 0 : value), 0);

describe('the surrogate', () => {
  it('recovers a linear model, and says that it explains it', () => {
    const masks = drawMasks(grid, 200, 1);
    const { effects, rSquared } = fitSurrogate(masks, masks.map(linear));
    expect(rSquared).toBeGreaterThan(0.98);
    for (let i = 0; i < segments; i++) expect(Math.abs(effects[i]! - worth[i]!)).toBeLessThan(0.2);
  });

  it('says that it explains nothing of noise', () => {
    const masks = drawMasks(grid, 200, 1);
    const { rSquared } = fitSurrogate(
      masks,
      masks.map(() => normal(random)),
    );
    expect(rSquared).toBeLessThan(0.1);
  });

  it('draws the same masks of the same seed, some near the whole song and some far', () => {
    const masks = drawMasks(grid, 100, 3);
    expect(drawMasks(grid, 100, 3)).toEqual(masks);
    expect(drawMasks(grid, 100, 4)).not.toEqual(masks);
    const gone = masks.map((mask) => mask.reduce((sum, one) => sum + one, 0) / segments);
    expect(Math.min(...gone)).toBeLessThan(0.1);
    expect(Math.max(...gone)).toBeGreaterThan(0.3);
  });
});

describe('the faithfulness check', () => {
  const judge = async (masks: readonly Mask[]) => masks.map(linear);
  const base = linear(new Uint8Array(segments));

  it('passes what the model does judge by', async () => {
    const { checks, trusted } = await checkFaithfulness(worth, grid, base, judge, 1);
    expect(trusted).toBe(true);
    expect(checks).toHaveLength(1);
    expect(checks[0]).toMatchObject({ direction: 'for', segments: 4, change: expect.closeTo(4, 5) });
    expect(checks[0]!.randomChange).toBeLessThan(1.5);
  });

  it('refuses an explanation that names anything else', async () => {
    const wrong = worth.map((_, segment) => (segment % 7 === 3 ? 1 : 0));
    expect((await checkFaithfulness(wrong, grid, base, judge, 1)).trusted).toBe(false);
    expect(
      (
        await checkFaithfulness(
          worth.map((value) => -value),
          grid,
          base,
          judge,
          1,
        )
      ).trusted,
    ).toBe(false);
    expect(await checkFaithfulness(new Float64Array(segments), grid, base, judge, 1)).toMatchObject({
      ...{ checks: [], trusted: false },
    });
  });

  it('names the strongest, and a direction only where it weighs something', () => {
    const effects = new Float64Array(segments);
    effects.set([3, -0.4, 2, 1]);
    expect(namedSegments(effects)).toEqual([0, 2, 3]);
    effects[1] = -2.5;
    expect(namedSegments(effects)).toEqual([0, 1, 2, 3]);
  });
});
