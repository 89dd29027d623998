/** Models as the API tells them. */
import type { DataSet, Model } from '../../../shared/database/generated/client.ts';
import { withoutFolders } from '../../../shared/failure-causes.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { type Evaluation, isNullTest, type ModelMetrics } from '../../../shared/registry/models.ts';
import type { EvaluationView, ModelRow } from './schemas.ts';

/** All but what is large: topology, holdout scores. */
export const modelColumns = {
  ...{ id: true, name: true, trainingRunId: true, dataSetId: true, state: true, failureReason: true },
  ...{ options: true, parameters: true, metrics: true, progress: true, backend: true, codeVersion: true },
  ...{ createdAt: true, startedAt: true, finishedAt: true, imported: true },
  dataSet: { select: { id: true, name: true } },
} as const;

export type ModelColumns = Omit<Model, 'topology' | 'holdoutScores' | 'cancelRequestedAt'> & {
  dataSet: Pick<DataSet, 'id' | 'name'>;
};

interface Options {
  preset?: string | null;
  seed?: number;
}

export const metricsOf = ({ metrics }: Pick<Model, 'metrics'>) => metrics as unknown as ModelMetrics | null;

export function evaluationView(basis: string, figures: Evaluation): EvaluationView {
  const { n, accuracy, rocAuc, rocAucCi95, logLoss, ece, eceByChance, top10, top20, decisionThreshold } =
    figures;
  const top = (one: Evaluation['top10']) =>
    one ? { n: one.n, precision: one.precision, ci95: one.ci95, baseRate: one.baseRate } : null;
  return {
    ...{
      basis,
      n,
      accuracy,
      rocAuc,
      rocAucCi95,
      logLoss,
      ece: ece ?? null,
      eceByChance: eceByChance ?? null,
    },
    ...{ top10: top(top10), top20: top(top20), decisionThreshold: decisionThreshold ?? null },
  };
}

/** The figures of the most songs: what the leaderboard shows. */
function mainFigures({ crossValidation, holdout }: ModelMetrics): EvaluationView {
  return crossValidation
    ? evaluationView(`out of fold, ${crossValidation.folds} folds`, crossValidation)
    : evaluationView('holdout', holdout);
}

/** All figures that there are, those with the most songs first. */
export function evaluationsOf(metrics: ModelMetrics): EvaluationView[] {
  const holdout = evaluationView('holdout', metrics.holdout);
  const main = metrics.crossValidation ? [mainFigures(metrics)] : [];
  return [...main, holdout, evaluationView('test split', metrics.test)];
}

/** The evaluation that the leaderboard shows; `mainFiguresSql` is the same in the database. */
export function mainEvaluation(metrics: ModelMetrics): Evaluation {
  return metrics.crossValidation ?? metrics.holdout;
}

/** How far a training is, without its curve. */
export function progressOf({ progress }: { progress: unknown }): ModelRow['progress'] {
  if (!progress) return null;
  const { phase, fold, folds, epoch, epochs } = progress as NonNullable<ModelRow['progress']>;
  return { phase, fold, folds, epoch, epochs };
}

export function modelRow(model: ModelColumns, championId: number | null): ModelRow {
  const metrics = metricsOf(model);
  const options = model.options as Options;
  const busy = model.state === 'training' || model.state === 'queued';
  return {
    ...{
      id: publicId('model', model.id),
      name: model.name,
      champion: model.id === championId,
      state: model.state,
    },
    error: model.failureReason && withoutFolders(model.failureReason),
    ...{ dataSet: model.dataSet.name, dataSetId: publicId('data-set', model.dataSetId) },
    ...{ run: publicId('run', model.trainingRunId), preset: metrics?.preset ?? options.preset ?? null },
    ...{ seed: options.seed ?? null, nullTest: isNullTest(model), parameters: model.parameters },
    ...{ backend: model.backend, figures: metrics && mainFigures(metrics) },
    trainSeconds:
      model.startedAt && model.finishedAt
        ? (model.finishedAt.getTime() - model.startedAt.getTime()) / 1000
        : null,
    ...{ createdAt: model.createdAt.toISOString(), finishedAt: model.finishedAt?.toISOString() ?? null },
    progress: busy ? progressOf(model) : null,
    seeds: null,
  };
}
