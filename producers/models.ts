/** The registry as people and programs see it. */
import type {
  DataSet,
  Model,
  PrismaClient,
  Promotion,
  TrainingRun,
} from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { parsePublicId, publicId } from '../shared/identifiers.ts';
import { modelFamilies } from '../shared/learning/families.ts';
import {
  type Decision,
  type Evidence,
  findChampion,
  type ModelMetrics,
  withoutCurves,
} from '../shared/registry/index.ts';

/**
 * Find a model by its public id.
 * @throws UserError when there is none
 */
export async function findModel(prisma: PrismaClient, text: string): Promise<Model> {
  const { id } = parsePublicId(text, ['model']);
  const model = await prisma.model.findUnique({ where: { id } });
  if (!model) throw new UserError(`there is no ${publicId('model', id)}; hiphop models lists what there is`);
  return model;
}

/**
 * The same of a model that is trained.
 * @param deed what it is wanted for, e.g. `be champion`.
 * @throws UserError when it is not
 */
export async function findReadyModel(prisma: PrismaClient, text: string, deed: string): Promise<Model> {
  const model = await findModel(prisma, text);
  if (model.state === 'ready') return model;
  throw new UserError(`${publicId('model', model.id)} cannot ${deed}: it is ${model.state}`);
}

/** The answer of `hiphop models --json`. */
export async function listModels(prisma: PrismaClient) {
  const champion = await findChampion(prisma);
  const models = await prisma.model.findMany({ orderBy: { id: 'asc' }, include: { dataSet: true } });
  return {
    champion: champion ? publicId('model', champion.id) : null,
    models: models.map((model) => {
      const { metrics, ...row } = describe(model, champion);
      return { ...row, metrics: metrics && withoutCurves(metrics) };
    }),
  };
}

export type ListedModel = Awaited<ReturnType<typeof listModels>>['models'][number];

/** The answer of `hiphop models show --json`: everything about one model but its weights. */
export async function showModel(prisma: PrismaClient, text: string) {
  const { id } = await findModel(prisma, text);
  const champion = await findChampion(prisma);
  const model = await prisma.model.findUniqueOrThrow({
    where: { id },
    include: { dataSet: true, trainingRun: true, promotions: { orderBy: { id: 'asc' } } },
  });
  return {
    ...describe(model, champion),
    description: descriptionOf(model.name),
    run: publicId('run', model.trainingRunId),
    decision: model.trainingRun.decision as unknown as Decision | null,
    promotions: model.promotions.map(describePromotion),
  };
}

export type ShownModel = Awaited<ReturnType<typeof showModel>>;

function describe(model: Model & { dataSet: DataSet; trainingRun?: TrainingRun }, champion: Model | null) {
  return {
    id: publicId('model', model.id),
    name: model.name,
    champion: model.id === champion?.id,
    state: model.state,
    error: model.failureReason,
    dataset: model.dataSet.name,
    parameters: model.parameters,
    backend: model.backend,
    codeVersion: model.codeVersion,
    options: model.options,
    imported: model.imported,
    metrics: model.metrics as unknown as ModelMetrics | null,
    startedAt: model.startedAt,
    finishedAt: model.finishedAt,
  };
}

function describePromotion({ promotedAt, promotedBy, reason, evidence }: Promotion) {
  return { promotedAt, promotedBy, reason, evidence: evidence as unknown as Evidence | null };
}

function descriptionOf(name: string): string | null {
  return Object.hasOwn(modelFamilies, name)
    ? modelFamilies[name as keyof typeof modelFamilies].description
    : null;
}
