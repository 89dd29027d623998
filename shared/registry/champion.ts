/** The champion is the model of the newest promotion: it scores until a challenger beats it. */
import type { Model, Prisma, Promotion } from '../database/generated/client.ts';
import { UserError } from '../errors.ts';
import type { ModelComparison } from './compare.ts';
import type { Reader } from './models.ts';

/** What a promotion was decided by, kept with it. */
export interface Evidence {
  /** Public id of the champion before; null: there was none. */
  readonly before: string | null;
  /** Of the champion before with the new one. */
  readonly comparisons: readonly ModelComparison[];
  /** Id of the promotion that this one takes back. */
  readonly takesBack?: number;
}

export async function findChampion(prisma: Reader): Promise<Model | null> {
  const newest = await newestPromotion(prisma);
  return newest?.model ?? null;
}

/** The champion's id alone, where its topology and figures would be in the way; null: there is none. */
export async function findChampionId(prisma: Reader): Promise<number | null> {
  const newest = await prisma.promotion.findFirst({ orderBy: { id: 'desc' }, select: { modelId: true } });
  return newest?.modelId ?? null;
}

/** The promotion that made the champion what it is. */
export function newestPromotion(prisma: Reader): Promise<(Promotion & { model: Model }) | null> {
  return prisma.promotion.findFirst({ orderBy: { id: 'desc' }, include: { model: true } });
}

/** Let changes of the champion take turns, until the end of the transaction. */
export async function lockChampion(transaction: Reader): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(801230078)`;
}

/** Make a model the champion. */
export function promote(
  transaction: Reader,
  modelId: number,
  { reason, promotedBy, evidence }: { reason: string; promotedBy: string; evidence: Evidence },
): Promise<Promotion> {
  return transaction.promotion.create({
    data: { modelId, reason, promotedBy, evidence: evidence as unknown as Prisma.InputJsonValue },
  });
}

/**
 * The promotions that hold, oldest first: the last is the champion's, the one before it what a rollback
 * goes back to. Those that were taken back are no part of it.
 */
export function standingPromotions<P extends Pick<Promotion, 'id' | 'modelId' | 'evidence'>>(
  inOrder: readonly P[],
): P[] {
  const standing: P[] = [];
  for (const promotion of inOrder) {
    const { takesBack } = (promotion.evidence ?? {}) as Partial<Evidence>;
    if (takesBack !== undefined) standing.pop();
    else if (standing.at(-1)?.modelId !== promotion.modelId) standing.push(promotion);
  }
  return standing;
}

/**
 * Find what a rollback would undo and what it would restore.
 * @throws UserError when there is no champion before
 */
export async function rollbackTarget(
  prisma: Reader,
): Promise<{ undone: Promotion & { model: Model }; restored: Promotion & { model: Model } }> {
  const all = await prisma.promotion.findMany({ orderBy: { id: 'asc' }, include: { model: true } });
  const [restored, undone] = standingPromotions(all).slice(-2);
  if (!undone || !restored) {
    throw new UserError(
      restored ? 'there was no champion before this one: nothing to go back to' : 'there is no champion yet',
    );
  }
  return { undone, restored };
}
