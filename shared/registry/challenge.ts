/** After a training run: its best model challenges the champion. */
import type { Model, Prisma, PrismaClient, TrainingRun } from '../database/generated/client.ts';
import { publicId } from '../identifiers.ts';
import { findChampion, lockChampion, promote } from './champion.ts';
import { compareForPromotion, isComparison } from './compare.ts';
import { bestOf, type Contender, type Decision, decide, type LateDecision } from './decide.ts';
import { type Reader, selectionFigure, unfitReason } from './models.ts';

/**
 * After a model of a run has ended, in whatever way: when it was the last, let the best of the run
 * challenge the champion and close the run with the decision, once. A model that is trained after that
 * (it was cancelled and resumed, or failed and was retried) challenges by itself, once too.
 */
export async function finishTrainingRun(prisma: PrismaClient, modelId: number): Promise<void> {
  const model = await prisma.model.findUnique({ where: { id: modelId }, include: { trainingRun: true } });
  if (!model) return;
  if (awaitsOwnDecision(model, model.trainingRun)) return challengeLate(prisma, model);
  const { trainingRunId } = model;
  const unfinished = { trainingRunId, state: { in: ['queued' as const, 'training' as const] } };
  while ((await prisma.model.count({ where: unfinished })) === 0) {
    const champion = await findChampion(prisma);
    const models = await prisma.model.findMany({ where: { trainingRunId }, orderBy: { id: 'asc' } });
    const challenge = await weigh(prisma, models, champion);
    const close = async (transaction: Reader) => {
      const { count } = await transaction.trainingRun.updateMany({
        where: { id: trainingRunId, finishedAt: null },
        data: { finishedAt: new Date(), decision: asJson(challenge.decision) },
      });
      return count === 1;
    };
    if (await settle(prisma, champion, challenge, close)) return;
  }
}

const asJson = (decision: Decision) => decision as unknown as Prisma.InputJsonValue;

/** Whether a model was trained after its run had been decided on, and nothing is decided on it yet. */
export function awaitsOwnDecision(model: Model, run: TrainingRun): boolean {
  if (model.state !== 'ready' || !model.finishedAt || !run.finishedAt) return false;
  return model.finishedAt > run.finishedAt && !isDecided(run, model.id);
}

function isDecided({ decision }: Pick<TrainingRun, 'decision'>, modelId: number): boolean {
  const { later = [] } = (decision ?? {}) as Partial<Decision>;
  return later.some(({ challenger }) => challenger === publicId('model', modelId));
}

/** The same for one model alone: what was decided on its fellows stands, and so does what people did since. */
async function challengeLate(prisma: PrismaClient, model: Model): Promise<void> {
  const { id, trainingRunId } = model;
  let settled = false;
  while (!settled) {
    const champion = await findChampion(prisma);
    const challenge = await weigh(prisma, [model], champion);
    const own: LateDecision = { ...challenge.decision, challenger: publicId('model', id) };
    settled = await settle(prisma, champion, challenge, async (transaction) => {
      const run = await transaction.trainingRun.findUniqueOrThrow({ where: { id: trainingRunId } });
      if (isDecided(run, id)) return false;
      const decision = run.decision as unknown as Decision;
      await transaction.trainingRun.update({
        where: { id: trainingRunId },
        data: { decision: asJson({ ...decision, later: [...(decision.later ?? []), own] }) },
      });
      return true;
    });
  }
}

interface Challenge {
  readonly challenger: Contender | null;
  readonly decision: Decision;
}

async function weigh(
  prisma: PrismaClient,
  models: readonly Model[],
  champion: Model | null,
): Promise<Challenge> {
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

/**
 * Returns false when another became champion in the meantime: then the decision is out of date.
 * @param keep keeps the decision; false: there is one already.
 */
function settle(
  prisma: PrismaClient,
  before: Model | null,
  { challenger, decision }: Challenge,
  keep: (transaction: Reader) => Promise<boolean>,
): Promise<boolean> {
  return prisma.$transaction(async (transaction) => {
    await lockChampion(transaction);
    const champion = await findChampion(transaction);
    if (champion?.id !== before?.id) return false;
    const { outcome, comparison, reason } = decision;
    if ((await keep(transaction)) && challenger && (outcome === 'first' || outcome === 'promoted')) {
      const comparisons = comparison && isComparison(comparison) ? [comparison] : [];
      await promote(transaction, challenger.id, {
        ...{ reason, promotedBy: 'training run' },
        evidence: { before: before && publicId('model', before.id), comparisons },
      });
    }
    return true;
  });
}
