import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layOutDots } from '../../../dashboard/site/pages/songs/dots-layout.ts';
import { quantileDots } from '../../../shared/scoring/neighbourhood.ts';

const [width, height] = [200, 54];

function overlapping({ radius, places }: ReturnType<typeof layOutDots>): number {
  const pairs = places.flatMap((a, index) => places.slice(index + 1).map((b) => [a, b] as const));
  return pairs.filter(([a, b]) => Math.hypot(a.x - b.x, a.y - b.y) < 2 * radius - 1e-9).length;
}

test('twenty dots can be counted, wherever they crowd', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 20, maxLength: 20 }),
      fc.double({ min: 0.001, max: 1, noNaN: true }),
      (values, squeezed) => {
        const dots = values.map((value) => value * squeezed).sort((a, b) => a - b);
        const layout = layOutDots(dots, width, height);
        expect(overlapping(layout)).toBe(0);
        for (const { x, y } of layout.places) {
          expect(x - layout.radius).toBeGreaterThanOrEqual(-1e-9);
          expect(x + layout.radius).toBeLessThanOrEqual(width + 1e-9);
          expect(y + layout.radius).toBeLessThanOrEqual(height + 1e-9);
        }
      },
    ),
    { numRuns: 300, seed: 1 },
  );
});

test('dots are as large as their tallest stack allows, and stand near their share', () => {
  const spread = layOutDots(quantileDots(15, 30), width, height);
  expect(spread.radius).toBe(4);
  const crowded = layOutDots(quantileDots(0, 30), width, height);
  expect(crowded.radius).toBeLessThan(spread.radius);
  expect(crowded.radius).toBeGreaterThan(1.3);
  for (const [index, dot] of quantileDots(15, 30).entries()) {
    expect(Math.abs(spread.places[index]!.x - dot * width)).toBeLessThan(3 * spread.radius);
  }
});
