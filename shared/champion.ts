/** The champion is the model of the newest promotion: it scores until a challenger beats it. */
import type { Model, PrismaClient } from './database/generated/client.ts';
import { publicId } from './identifiers.ts';

export async function findChampion(prisma: PrismaClient): Promise<Model | null> {
  const newest = await prisma.promotion.findFirst({ orderBy: { id: 'desc' }, include: { model: true } });
  return newest?.model ?? null;
}

/** The figures of a model's evaluation, as stored with it. Null where a split holds one class alone. */
export interface Evaluation {
  n: number;
  accuracy: number | null;
  rocAuc: number | null;
  rocAucCi95: [number, number] | null;
  logLoss: number | null;
  brier: number | null;
}

export interface ModelMetrics {
  holdout: Evaluation;
  test: Evaluation;
  crossValidation: (Evaluation & { folds: number }) | null;
  trainMsPerSample: number;
  /** What `auto` chose. */
  preset: string;
  /** For people: such as a network that gives all songs the same probability. */
  warnings: string[];
}

/**
 * After a model of a run has ended, in whatever way: when it was the last, close the run and let its
 * models challenge the champion, once.
 */
export async function finishTrainingRun(prisma: PrismaClient, modelId: number): Promise<void> {
  const model = await prisma.model.findUnique({ where: { id: modelId } });
  if (!model) return;
  const { trainingRunId } = model;
  const left = await prisma.model.count({
    where: { trainingRunId, state: { in: ['queued', 'training'] } },
  });
  if (left > 0) return;
  const { count } = await prisma.trainingRun.updateMany({
    where: { id: trainingRunId, finishedAt: null },
    data: { finishedAt: new Date() },
  });
  if (count === 1) await challengeChampion(prisma, trainingRunId);
}

/**
 * Let the models of a finished training run challenge the champion.
 *
 * The majority dummy and models trained on permuted labels never take part. On the champion's own data
 * set the better figure wins. Figures of different data sets cannot be compared that finely: there the
 * newer model wins unless it is clearly worse, below the champion's 95 % interval.
 * @returns the champion after the challenge
 */
export async function challengeChampion(prisma: PrismaClient, trainingRunId: number): Promise<Model | null> {
  const finished = await prisma.model.findMany({ where: { trainingRunId, state: 'ready' } });
  const champion = await findChampion(prisma);
  const best = finished
    .filter(
      (model) => model.name !== 'dummy' && !(model.options as { shuffleLabels?: boolean }).shuffleLabels,
    )
    .map((model) => ({ model, figure: selectionFigure(model).rocAuc ?? 0 }))
    .sort((a, b) => b.figure - a.figure)[0];
  if (!best || best.figure <= 0.5) return champion;

  const shown = (model: Model) => {
    const { rocAuc, basis } = selectionFigure(model);
    return `${publicId('model', model.id)} (${model.name}) ${rocAuc?.toFixed(3)} by ${basis}`;
  };
  let reason = `first champion: ROC-AUC ${shown(best.model)}`;
  if (champion) {
    const sameDataSet = champion.dataSetId === best.model.dataSetId;
    const { rocAuc, rocAucCi95 } = selectionFigure(champion);
    const bar = sameDataSet ? rocAuc : (rocAucCi95?.[0] ?? rocAuc);
    if (bar !== null && best.figure <= bar) return champion;
    reason = sameDataSet
      ? `ROC-AUC ${shown(best.model)} beats ${shown(champion)} on the same data set`
      : `ROC-AUC ${shown(best.model)} on a newer data set is not clearly worse than ${shown(champion)}`;
  }
  await prisma.promotion.create({ data: { modelId: best.model.id, reason, promotedBy: 'training run' } });
  return best.model;
}

/**
 * The figure that models are chosen by: cross-validation where there is one (it has the most songs),
 * else the test split. Never the holdout, which is kept for the final word.
 */
export function selectionFigure(model: Model): Evaluation & { basis: string } {
  const metrics = model.metrics as unknown as ModelMetrics;
  return metrics.crossValidation
    ? { ...metrics.crossValidation, basis: `${metrics.crossValidation.folds}-fold cross-validation` }
    : { ...metrics.test, basis: 'the test split' };
}
