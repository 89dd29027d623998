/** Everything about one model but its weights. */
import type { Session } from '../../../producers/session.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { modelFamilies } from '../../../shared/learning/families.ts';
import type { DataSetCounts } from '../../../shared/learning/freeze.ts';
import { type Decision, findChampionId } from '../../../shared/registry/index.ts';
import { notFound } from '../problem.ts';
import { drawnOf } from './curves.ts';
import { evaluationsOf, mainEvaluation, metricsOf, modelColumns, modelRow } from './describe.ts';
import { promotionView } from './promotion-view.ts';
import type { ModelView } from './schemas.ts';

export async function describeModel({ database }: Session, id: number): Promise<ModelView> {
  const { prisma } = database;
  const model = await prisma.model.findUnique({
    where: { id },
    select: {
      ...modelColumns,
      topology: true,
      dataSet: true,
      trainingRun: { select: { decision: true } },
      promotions: { orderBy: { id: 'asc' } },
    },
  });
  if (!model) return notFound(publicId('model', id));
  const champion = await findChampionId(prisma);
  const metrics = metricsOf(model);
  const main = metrics && mainEvaluation(metrics);
  const drawn =
    main &&
    (await drawnOf(database, {
      ...{ id, dataSetId: model.dataSetId, outOfFold: Boolean(metrics.crossValidation) },
      threshold: main.decisionThreshold ?? 0.5,
    }));
  const live = (model.progress as { curve?: ModelView['epochs'] } | null)?.curve ?? [];
  const epochs = (metrics as { epochs?: ModelView['epochs'] } | null)?.epochs ?? live;
  const studies = metrics?.studies;
  return {
    ...modelRow(model, champion),
    description: Object.hasOwn(modelFamilies, model.name)
      ? modelFamilies[model.name as keyof typeof modelFamilies].description
      : null,
    ...{ codeVersion: model.codeVersion, options: model.options as Record<string, unknown> },
    imported: model.imported as Record<string, unknown> | null,
    evaluations: metrics ? evaluationsOf(metrics) : [],
    epochs: epochs.map(({ epoch, trainLoss, testLoss, testRocAuc }) => ({
      ...{ epoch, trainLoss, testLoss, testRocAuc },
    })),
    rocCurve: main?.rocCurve?.map(([x, y]): [number, number] => [x, y]) ?? null,
    precisionRecall: drawn?.precisionRecall ?? null,
    reliability: [...(main?.reliability ?? [])].map(({ n, meanProbability, popular, ci95 }) => ({
      ...{ n, meanProbability, popular, ci95 },
    })),
    confusion: drawn?.confusion ?? null,
    counts: model.dataSet.counts as unknown as DataSetCounts & Record<string, unknown>,
    studies: studies
      ? {
          learningCurve: [...studies.learningCurve],
          byYear: studies.byYear.map((row) => ({ ...row })),
          bySource: studies.bySource.map((row) => ({ ...row })),
          confounds: [...studies.confounds],
        }
      : null,
    warnings: [...(metrics?.warnings ?? [])],
    decision: decisionOn(publicId('model', id), model.trainingRun.decision as unknown as Decision | null),
    promotions: model.promotions.map((row) => promotionView({ ...row, model })),
    topology: model.topology,
  };
}

/** Its run's decision, or its own where it ended after its run. */
function decisionOn(id: string, decision: Decision | null): string | null {
  const own = decision?.later?.find(({ challenger }) => challenger === id);
  return (own ?? decision)?.reason ?? null;
}
