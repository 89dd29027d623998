import { countClasses, type Judged } from './judged.ts';
import { ascending } from './ranking.ts';

/** Fraction of the unpopular tracks, then of the popular ones, that are decided popular. */
export type RocPoint = readonly [falsePositive: number, truePositive: number];

/**
 * Compute the ROC curve from (0, 0) to (1, 1). Points on a straight line between others are left out.
 *
 * @param pointsAtMost a longer curve is thinned out evenly.
 * @returns null when a class is missing.
 */
export function rocCurve(
  judged: readonly Judged[],
  pointsAtMost = Number.POSITIVE_INFINITY,
): RocPoint[] | null {
  const { popular, unpopular } = countClasses(judged);
  if (popular === 0 || unpopular === 0) return null;
  const scores = judged.map(({ probability }) => probability);
  const falling = ascending(scores).reverse();
  const counts: [number, number][] = [[0, 0]];
  for (const [place, item] of falling.entries()) {
    const [negatives, positives] = counts.at(-1)!;
    const after: [number, number] = judged[item]!.label
      ? [negatives, positives + 1]
      : [negatives + 1, positives];
    const tied = place > 0 && scores[item] === scores[falling[place - 1]!];
    if (tied) counts[counts.length - 1] = after;
    else counts.push(after);
  }
  return thinned(corners(counts), pointsAtMost).map(([negatives, positives]) => [
    negatives / unpopular,
    positives / popular,
  ]);
}

/** The first and last points, and those where the direction changes. */
function corners(points: readonly [number, number][]): [number, number][] {
  const kept: [number, number][] = [];
  for (const point of points) {
    const [before, last] = kept.slice(-2);
    if (before && last) {
      const [toLast, toPoint] = [last, point].map(([x, y]) => [x - before[0], y - before[1]] as const);
      if (toLast![0] * toPoint![1] === toLast![1] * toPoint![0]) kept.pop();
    }
    kept.push(point);
  }
  return kept;
}

function thinned<T>(points: readonly T[], atMost: number): readonly T[] {
  if (points.length <= atMost) return points;
  const step = (points.length - 1) / (atMost - 1);
  return Array.from({ length: atMost }, (_, index) => points[Math.round(index * step)]!);
}
