/** Train: enqueue the models that were asked for on one frozen data set, and report how they did. */
import type { DataSet, Model, TrainingRun } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { modelFamilies, modelFamily } from '../shared/learning/families.ts';
import {
  compareForPromotion,
  type Decision,
  findChampion,
  isComparison,
  type ModelComparison,
  type ModelMetrics,
  signed,
  withoutCurves,
} from '../shared/registry/index.ts';
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

export type TrainAnswer = Awaited<ReturnType<typeof describeRun>>;

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
    models: await Promise.all(run.models.map((model) => describeModel(session, model, yardstick))),
    champion: champion ? publicId('model', champion.id) : null,
    /** How it came to be champion, or why it stays; null while models are under way. */
    decision: (run.decision as unknown as Decision | null)?.reason ?? null,
  };
}

async function describeModel(session: Session, model: Model, yardstick: Model | undefined) {
  const id = publicId('model', model.id);
  if (model.state !== 'ready') {
    return { id, name: model.name, state: model.state, error: model.failureReason ?? model.state };
  }
  const metrics = withoutCurves(model.metrics as unknown as ModelMetrics);
  const { holdout, test, crossValidation, studies, trainMsPerSample, preset, warnings } = metrics;
  const against = await againstYardstick(session, model, yardstick);
  return {
    ...{ id, name: model.name, parameters: model.parameters, preset },
    ...{ holdout, test, crossValidation, studies, trainMsPerSample },
    againstLogistic: against,
    warnings: [...warnings, ...behindYardstick(model, against)],
  };
}

/** The paired comparison with the linear model of the same run; null where there is none. */
async function againstYardstick(
  session: Session,
  model: Model,
  yardstick: Model | undefined,
): Promise<ModelComparison | null> {
  if (!yardstick || model.id === yardstick.id) return null;
  const found = await compareForPromotion(session.database.prisma, yardstick, model);
  return isComparison(found) ? found : null;
}

/** A network that is not clearly better than the linear model has learned nothing that it is needed for. */
function behindYardstick(model: Model, against: ModelComparison | null): string[] {
  if (!against || !modelFamily(model.name).needsTensorFlow || against.ci95[0] > 0) return [];
  const [linear, own] = against.rocAuc;
  const interval = `${signed(against.difference)} [${signed(against.ci95[0])} to ${signed(against.ci95[1])}]`;
  return [
    `is not better than logistic beyond noise (ROC-AUC ${own.toFixed(3)} against ${linear.toFixed(3)} ${against.basis} on ${against.n} tracks, difference ${interval}): it has not learned what a network is needed for`,
  ];
}
