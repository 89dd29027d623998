/** What the registry keeps of a model's quality, and which models may compete for the championship. */
import type { Model, Prisma } from '../database/generated/client.ts';
import { publicId } from '../identifiers.ts';
import type { Metrics } from '../learning/evaluation/index.ts';
import type { Studies } from '../learning/studies.ts';

/** What can be read from: the client, or a transaction of it. */
export type Reader = Prisma.TransactionClient;

/**
 * The figures of an evaluation, as stored with a model. Null where a side holds one class alone; those
 * that came later are missing from models that were trained before.
 */
export type Evaluation = Pick<Metrics, EarlyFigure> & Partial<Metrics>;
type EarlyFigure = 'n' | 'accuracy' | 'rocAuc' | 'rocAucCi95' | 'logLoss' | 'brier';

export interface ModelMetrics {
  holdout: Evaluation;
  test: Evaluation;
  crossValidation: (Evaluation & { folds: number }) | null;
  /** What else the cross-validation says; missing from models that were trained before there was any. */
  studies?: Studies | null;
  trainMsPerSample: number;
  /** What `auto` chose. */
  preset: string;
  /** For people: such as a network that gives all songs the same probability. */
  warnings: string[];
}

/** A model in words, e.g. `model-3 (logistic)`. */
export function modelTitle({ id, name }: Pick<Model, 'id' | 'name'>): string {
  return `${publicId('model', id)} (${name})`;
}

/**
 * The figure that models of one run are chosen by: cross-validation where there is one (it has the most
 * songs), else the test split.
 */
export function selectionFigure(model: Pick<Model, 'metrics'>): Evaluation & { basis: string } {
  const metrics = model.metrics as unknown as ModelMetrics;
  return metrics.crossValidation
    ? { ...metrics.crossValidation, basis: `${metrics.crossValidation.folds}-fold cross-validation` }
    : { ...metrics.test, basis: 'the test split' };
}

/** Why a model may not be champion, whatever its figures; null: it may. */
export function unfitReason(model: Pick<Model, 'name' | 'state' | 'options'>): string | null {
  if (model.state !== 'ready') return `it is ${model.state}`;
  if (model.name === 'dummy') return 'it is the floor that models are held against';
  if (isNullTest(model)) return 'it was trained on permuted labels, as a null test';
  return null;
}

/** Whether a model was trained on permuted labels: it must not score songs. */
export function isNullTest({ options }: Pick<Model, 'options'>): boolean {
  return (options as { shuffleLabels?: boolean }).shuffleLabels === true;
}

/** The figures alone, where curves of hundreds of numbers would be in the way. */
export function withoutCurves(metrics: ModelMetrics): ModelMetrics {
  const figures = <E extends Evaluation>({ rocCurve, reliability, ...rest }: E) => rest as unknown as E;
  const { holdout, test, crossValidation } = metrics;
  return {
    ...metrics,
    holdout: figures(holdout),
    test: figures(test),
    crossValidation: crossValidation && figures(crossValidation),
  };
}
