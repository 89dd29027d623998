/** Train: enqueue the models that were asked for on one frozen data set, and report how they did. */

import type { DataSet, Model, TrainingRun } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { modelFamilies, modelFamily } from '../shared/learning/families.ts';
import { findChampion, type ModelMetrics, selectionFigure, withoutCurves } from '../shared/registry/index.ts';
import type { ModelOptions } from '../shared/training-options.ts';
import type { Session } from './session.ts';

/** The back end of models that need no TensorFlow. */
const withoutTensorFlow = 'javascript';

export interface TrainRequest {
  models: string[];
  dataSet: DataSet;
  options: ModelOptions;
}

/**
 * Read a comma-separated list of model names.
 * @throws UserError that names what is unknown and lists what there is
 */
export function parseModelNames(list: string): string[] {
  const names = [...new Set(list.split(',').map((name) => name.trim()))].filter((name) => name !== '');
  const unknown = names.filter((name) => !Object.hasOwn(modelFamilies, name));
  if (unknown.length > 0 || names.length === 0) {
    const wrong = unknown.length > 0 ? `unknown model ${unknown.join(', ')}` : 'no model is named';
    throw new UserError(`${wrong}; the models are ${Object.keys(modelFamilies).join(', ')}`);
  }
  return names;
}

/** Put the models into the registry as queued and enqueue their training, in the order given. */
export async function train(
  session: Session,
  request: TrainRequest,
): Promise<TrainingRun & { models: Model[] }> {
  const { options, dataSet } = request;
  const run = await session.database.prisma.trainingRun.create({
    data: {
      dataSetId: dataSet.id,
      options,
      models: {
        create: request.models.map((name) => ({
          ...{ name, dataSetId: dataSet.id },
          options: { ...options, preset: presetFor(name, options.preset) },
        })),
      },
    },
    include: { models: { orderBy: { id: 'asc' } } },
  });
  await enqueueRun(session, run.models);
  return run;
}

/** The preset of a model among those that were asked for together: not each has each. */
function presetFor(name: string, asked: string | null): string | null {
  return asked !== null && Object.hasOwn(modelFamily(name).presets, asked) ? asked : null;
}

/**
 * Check a preset that is asked for several models at once.
 * @throws UserError when none of them has it
 */
export function checkPreset(models: readonly string[], asked: string | null): void {
  if (asked === null || models.some((name) => presetFor(name, asked) !== null)) return;
  const has = models.map((name) => `${name} has ${Object.keys(modelFamily(name).presets).join(', ')}`);
  throw new UserError(`no model has the preset ${asked}: ${has.join('; ')}`);
}

/** Enqueue those models of a run that are not finished. */
export async function enqueueRun(session: Session, models: readonly Model[]): Promise<void> {
  const unfinished = models.filter((model) => model.state === 'queued' || model.state === 'training');
  await session.queues.enqueue(
    'train',
    unfinished.map((model) => ({ modelId: model.id })),
  );
}

/** The answer of `hiphop train --json`. */
export async function describeRun(session: Session, trainingRunId: number) {
  const { prisma } = session.database;
  const run = await prisma.trainingRun.findUniqueOrThrow({
    where: { id: trainingRunId },
    include: { models: { orderBy: { id: 'asc' } }, dataSet: true },
  });
  const champion = await findChampion(prisma);
  const backends = run.models.flatMap((model) =>
    model.backend && model.backend !== withoutTensorFlow ? [model.backend] : [],
  );
  const yardstick = run.models.find((model) => model.name === 'logistic' && model.state === 'ready');
  return {
    run: publicId('run', run.id),
    dataset: run.dataSet.name,
    threshold: run.dataSet.threshold,
    backend: backends[0] ?? withoutTensorFlow,
    models: run.models.map((model) => describeModel(model, yardstick)),
    champion: champion ? publicId('model', champion.id) : null,
  };
}

function describeModel(model: Model, yardstick: Model | undefined) {
  const id = publicId('model', model.id);
  if (model.state !== 'ready') {
    return { id, name: model.name, state: model.state, error: model.failureReason ?? model.state };
  }
  const metrics = withoutCurves(model.metrics as unknown as ModelMetrics);
  const { holdout, test, crossValidation, trainMsPerSample, preset, warnings } = metrics;
  return {
    ...{ id, name: model.name, parameters: model.parameters, preset },
    ...{ holdout, test, crossValidation, trainMsPerSample },
    warnings: [...warnings, ...behindYardstick(model, yardstick)],
  };
}

/** A network that does no better than the linear model has learned nothing that it is needed for. */
function behindYardstick(model: Model, yardstick: Model | undefined): string[] {
  if (!yardstick || !modelFamily(model.name).needsTensorFlow) return [];
  const [own, linear] = [selectionFigure(model), selectionFigure(yardstick)];
  if (own.rocAuc === null || linear.rocAuc === null || own.rocAuc > linear.rocAuc) return [];
  return [
    `does no better than logistic (ROC-AUC ${own.rocAuc.toFixed(3)} against ${linear.rocAuc.toFixed(3)} by ${own.basis}): it has not learned what a network is needed for`,
  ];
}
