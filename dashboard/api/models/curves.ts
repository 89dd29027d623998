/** What is drawn of a model beside its figures, from what it said of songs that it never heard. */
import type { PrismaClient } from '../../../shared/database/generated/client.ts';
import type { Judged } from '../../../shared/learning/evaluation/index.ts';
import { judgedByBoth } from '../../../shared/registry/predictions.ts';
import type { ModelView } from './schemas.ts';

/** A curve has so many points at most. */
const mostPoints = 200;

export async function judgedOf(
  prisma: PrismaClient,
  model: { id: number; dataSetId: number },
  outOfFold: boolean,
): Promise<Judged[]> {
  const side = outOfFold ? 'out_of_fold' : 'holdout';
  return (await judgedByBoth(prisma, [model.id, model.id], model.dataSetId, side))[0];
}

/** Recall against precision, from the highest probability down; null where no song is popular. */
export function precisionRecall(judged: readonly Judged[]): ModelView['precisionRecall'] {
  const popular = judged.filter(({ label }) => label === 1).length;
  if (popular === 0) return null;
  const sorted = [...judged].sort((a, b) => b.probability - a.probability);
  const points: [number, number][] = [];
  let hits = 0;
  for (const [index, { label, probability }] of sorted.entries()) {
    hits += label;
    // Songs of one probability are taken together: nothing says which comes first.
    if (sorted[index + 1]?.probability === probability) continue;
    points.push([hits / popular, hits / (index + 1)]);
  }
  const step = Math.max(1, points.length / mostPoints);
  return Array.from({ length: Math.min(mostPoints, points.length) }, (_, i) => points[Math.floor(i * step)]!);
}

/** How often it decided right and wrong. */
export function confusionAt(judged: readonly Judged[], threshold: number): ModelView['confusion'] {
  if (judged.length === 0) return null;
  const count = (label: 0 | 1, said: boolean) =>
    judged.filter((song) => song.label === label && song.probability >= threshold === said).length;
  return {
    ...{ truePositive: count(1, true), falsePositive: count(0, true) },
    ...{ falseNegative: count(1, false), trueNegative: count(0, false) },
  };
}
