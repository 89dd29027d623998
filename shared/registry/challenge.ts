/** After a training run: its best model challenges the champion. */
import type { Model, Prisma, PrismaClient } from '../database/generated/client.ts';
import { publicId } from '../identifiers.ts';
import { findChampion, lockChampion, promote } from './champion.ts';
import { compareForPromotion, isComparison } from './compare.ts';
import { bestOf, type Contender, type Decision, decide } from './decide.ts';
import { selectionFigure, unfitReason } from './models.ts';

/**
 * After a model of a run has ended, in whatever way: when it was the last, let the best of the run
 * challenge the champion and close the run with the decision, once.
 */
export async function finishTrainingRun(prisma: PrismaClient, modelId: number): Promise<void> {
  const model = await prisma.model.findUnique({ where: { id: modelId } });
  if (!model) return;
  const { trainingRunId } = model;
  const unfinished = { trainingRunId, state: { in: ['queued' as const, 'training' as const] } };
  while ((await prisma.model.count({ where: unfinished })) === 0) {
    const champion = await findChampion(prisma);
    const challenge = await weigh(prisma, trainingRunId, champion);
    if (await settle(prisma, trainingRunId, champion, challenge)) return;
  }
}

interface Challenge {
  readonly challenger: Contender | null;
  readonly decision: Decision;
}

async function weigh(
  prisma: PrismaClient,
  trainingRunId: number,
  champion: Model | null,
): Promise<Challenge> {
  const models = await prisma.model.findMany({ where: { trainingRunId }, orderBy: { id: 'asc' } });
  const contenders = models.map(contenderOf);
  const holder = champion && unfitReason(champion) === null ? contenderOf(champion) : null;
  const challenger = bestOf(contenders);
  const comparison = challenger && holder ? await compareForPromotion(prisma, holder, challenger) : null;
  return { challenger, decision: decide(contenders, holder, comparison) };
}

function contenderOf(model: Model): Contender {
  const { id, name, dataSetId } = model;
  const unfit = unfitReason(model);
  const { rocAuc, rocAucCi95, basis } = model.metrics
    ? selectionFigure(model)
    : { rocAuc: null, rocAucCi95: null, basis: '' };
  return { id, name, dataSetId, rocAuc, rocAucCi95, basis, unfit };
}

/** Returns false when another became champion in the meantime: then the decision is out of date. */
function settle(
  prisma: PrismaClient,
  trainingRunId: number,
  before: Model | null,
  { challenger, decision }: Challenge,
): Promise<boolean> {
  return prisma.$transaction(async (transaction) => {
    await lockChampion(transaction);
    const champion = await findChampion(transaction);
    if (champion?.id !== before?.id) return false;
    const { count } = await transaction.trainingRun.updateMany({
      where: { id: trainingRunId, finishedAt: null },
      data: { finishedAt: new Date(), decision: decision as unknown as Prisma.InputJsonValue },
    });
    const { outcome, comparison, reason } = decision;
    if (count === 1 && challenger && (outcome === 'first' || outcome === 'promoted')) {
      const comparisons = comparison && isComparison(comparison) ? [comparison] : [];
      await promote(transaction, challenger.id, {
        ...{ reason, promotedBy: 'training run' },
        evidence: { before: before && publicId('model', before.id), comparisons },
      });
    }
    return true;
  });
}
