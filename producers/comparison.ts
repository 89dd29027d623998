/** Compare two models on songs that both have judged unseen. */
import { UserError } from '../shared/errors.ts';
import {
  type Bootstrap,
  compareModels,
  isBeyondNoise,
  isComparison,
  type ModelComparison,
  modelTitle,
  type NoComparison,
  signed,
} from '../shared/registry/index.ts';
import { findReadyModel } from './models.ts';
import type { Session } from './session.ts';

/**
 * Compare two models.
 * @throws UserError when one is missing, not trained, or they are one and the same
 */
export async function compare(session: Session, first: string, second: string, bootstrap?: Bootstrap) {
  const { prisma } = session.database;
  const a = await findReadyModel(prisma, first, 'be compared');
  const b = await findReadyModel(prisma, second, 'be compared');
  if (a.id === b.id) throw new UserError('name two models: one compared with itself says nothing');
  const comparisons = await compareModels(prisma, a, b, bootstrap);
  return {
    a: modelTitle(a),
    b: modelTitle(b),
    comparisons: comparisons.map((found) => ({
      ...found,
      beyondNoise: isComparison(found) && isBeyondNoise(found),
    })),
    verdict: verdictOf(modelTitle(a), modelTitle(b), comparisons),
  };
}

export type Comparison = Awaited<ReturnType<typeof compare>>;

/** One sentence, by the most songs that both have judged unseen. */
function verdictOf(a: string, b: string, found: readonly (ModelComparison | NoComparison)[]): string {
  const best = found
    .filter(isComparison)
    .reduce<ModelComparison | null>(
      (most, comparison) => (most === null || comparison.n > most.n ? comparison : most),
      null,
    );
  if (!best) {
    const why =
      found.flatMap((one) => (isComparison(one) ? [] : [one.reason])).join('; ') ||
      'there are no songs that both have judged unseen';
    return `${a} and ${b} cannot be compared: ${why}`;
  }
  const { difference, ci95, n, basis } = best;
  const figures = `ROC-AUC ${signed(difference)} [${ci95.map(signed).join(' to ')}] on ${n} songs (${basis})`;
  if (!isBeyondNoise(best)) return `no difference beyond noise between ${a} and ${b}: ${figures}`;
  return `${difference > 0 ? b : a} is better than ${difference > 0 ? a : b} beyond noise: ${figures}`;
}
