/**
 * Stage train: train one model on a frozen data set, evaluate it and put it into the registry.
 * The computing is done by the learner, a process of its own; this side moves rows.
 */
import { createHash } from 'node:crypto';
import { codeVersion } from '../shared/code-version.ts';
import { cacheDataSet } from '../shared/data-sets/cache.ts';
import type {
  Checkpoint as CheckpointRow,
  DataSet,
  Model,
  Prisma,
  SpectrogramParameters,
} from '../shared/database/generated/client.ts';
import { CancelledError } from '../shared/errors.ts';
import { resolveFailures } from '../shared/failures.ts';
import { publicId } from '../shared/identifiers.ts';
import type { TrainCheckpoint, TrainProgress, TrainResult, TrainTask } from '../shared/learning/task.ts';
import { recorder } from '../shared/metrics/recorder.ts';
import { finishTrainingRun, type StoredPrediction, storePredictions } from '../shared/registry/index.ts';
import type { TrainPayload } from '../shared/stages.ts';
import type { ModelOptions } from '../shared/training-options.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';
import { judgeChampion } from './judge-champion.ts';

/** How often a running training looks whether somebody cancelled it, in milliseconds. */
const cancelPollMs = 1_000;

type ModelRow = Model & {
  dataSet: DataSet & { parameters: SpectrogramParameters };
  checkpoint: CheckpointRow | null;
};

export function buildTrain(services: Services): Handler<'train'> {
  return {
    stage: 'train',
    run: (payload, context) => train(payload, context, services),
    fail: async ({ modelId }, reason) => {
      const { prisma } = services.database;
      if ((await prisma.model.count({ where: { id: modelId } })) === 0) return null;
      // What is trained stays so, whatever went wrong after.
      await prisma.model.updateMany({
        where: { id: modelId, state: { not: 'ready' } },
        data: { state: 'failed', failureReason: reason, finishedAt: new Date() },
      });
      await finishTrainingRun(prisma, modelId);
      return { subject: { subject: publicId('model', modelId), modelId } };
    },
  };
}

async function train({ modelId }: TrainPayload, context: JobContext, services: Services): Promise<Outcome> {
  const { prisma } = services.database;
  const model = await prisma.model.findUnique({
    where: { id: modelId },
    include: { dataSet: { include: { parameters: true } }, checkpoint: true },
  });
  if (!model) return { outcome: 'skipped', why: 'its row is gone' };
  if (model.state === 'ready') {
    // A worker may have died between the two.
    await conclude(model, context, services);
    return { outcome: 'skipped', why: 'it is trained' };
  }
  if (model.cancelRequestedAt) {
    await markCancelled(services, modelId);
    return { outcome: 'skipped', why: 'it was cancelled' };
  }
  await prisma.model.update({
    where: { id: modelId },
    data: { state: 'training', startedAt: model.startedAt ?? new Date(), failureReason: null },
  });

  const cancel = watchForCancel(services, modelId);
  let stored: Promise<void> = Promise.resolve();
  try {
    const task = await learningTask(model, context, services);
    let epochBegan = performance.now();
    /** Of the fit under way, for who watches it: an epoch that does not come after the one before begins another. */
    let curve: TrainProgress[] = [];
    const result = await services.trainer().train(task, {
      signal: AbortSignal.any([context.signal, cancel.signal]),
      onProgress: (progress) => {
        const seconds = (performance.now() - epochBegan) / 1_000;
        epochBegan = performance.now();
        recorder.observe('hiphop_training_epoch_duration_seconds', { model: model.name }, seconds);
        curve = progress.epoch > (curve.at(-1)?.epoch ?? 0) ? [...curve, progress] : [progress];
        const points = curve.map(({ epoch, trainLoss, testLoss, testRocAuc }) => ({
          ...{ epoch, trainLoss, testLoss, testRocAuc },
        }));
        const shown = [
          prisma.model.update({
            where: { id: modelId },
            data: { progress: { ...progress, curve: points } },
          }),
          context.progress(progress),
        ];
        // An epoch that could not be shown is no reason to stop; the next one shows.
        Promise.all(shown).catch((error) => context.log.debug({ err: error }, 'progress was not stored'));
      },
      onCheckpoint: (checkpoint) => {
        stored = storeCheckpoint(prisma, modelId, checkpoint);
        return stored;
      },
    });
    await storeResult(services, model, result);
  } catch (error) {
    if (!cancel.signal.aborted || context.signal.aborted) throw error;
    // Whoever resumes it goes on from the last epoch.
    await stored.catch(() => {});
    await markCancelled(services, modelId);
    throw new CancelledError(`${publicId('model', modelId)} was cancelled`);
  } finally {
    cancel.stop();
  }
  await conclude(model, context, services);
  return { outcome: 'done' };
}

/** What follows when a model is trained and stored. */
async function conclude({ id, dataSetId }: ModelRow, context: JobContext, services: Services): Promise<void> {
  await judgeChampion(dataSetId, context, services);
  await finishTrainingRun(services.database.prisma, id);
}

async function learningTask(model: ModelRow, context: JobContext, services: Services): Promise<TrainTask> {
  const { config, database } = services;
  const { dataSet, checkpoint } = model;
  const options = model.options as unknown as ModelOptions;
  const features = options.features ?? ['audio'];
  const cached = await cacheDataSet(database, dataSet, features, config.dataDir, context.log);
  return {
    model: model.name,
    preset: options.preset,
    seed: options.seed,
    shuffleLabels: options.shuffleLabels,
    crossValidationFolds: options.crossValidationFolds,
    ...cached,
    threshold: dataSet.threshold,
    thresholdRule: dataSet.thresholdRule === 'median' ? 'median' : Number(dataSet.thresholdRule),
    normalisation: dataSet.normalisation as unknown as TrainTask['normalisation'],
    checkpoint: checkpoint && {
      progress: checkpoint.progress as TrainCheckpoint['progress'],
      bytes: checkpoint.bytes,
    },
  };
}

async function storeCheckpoint(
  prisma: Services['database']['prisma'],
  modelId: number,
  checkpoint: TrainCheckpoint,
): Promise<void> {
  const data = {
    progress: checkpoint.progress as unknown as Prisma.InputJsonValue,
    bytes: new Uint8Array(checkpoint.bytes),
  };
  await prisma.checkpoint.upsert({ where: { modelId }, create: { modelId, ...data }, update: data });
}

/** Storing a large network and what it said of a large catalogue may take this long, in milliseconds. */
const storeTimeoutMs = 300_000;

async function storeResult(services: Services, model: ModelRow, result: TrainResult): Promise<void> {
  const { prisma } = services.database;
  const json = (value: unknown) => value as Prisma.InputJsonValue;
  const bytes = new Uint8Array(result.weights);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const predictions = await predictionsOf(prisma, model.dataSetId, result);
  const store = async (transaction: Prisma.TransactionClient) => {
    await transaction.modelWeights.upsert({
      where: { modelId: model.id },
      create: { modelId: model.id, bytes, sha256 },
      update: { bytes, sha256 },
    });
    await transaction.modelPrediction.deleteMany({ where: { modelId: model.id } });
    await storePredictions(transaction, model.id, predictions);
    await transaction.model.update({
      where: { id: model.id },
      data: {
        state: 'ready',
        parameters: result.parameters,
        topology: json(result.topology),
        metrics: json({ ...result.metrics, preset: result.preset, warnings: result.warnings }),
        holdoutScores: json(result.holdoutScores),
        backend: result.backend,
        codeVersion: codeVersion(),
        finishedAt: new Date(),
      },
    });
    await transaction.checkpoint.deleteMany({ where: { modelId: model.id } });
    await resolveFailures(transaction, { modelId: model.id });
  };
  await prisma.$transaction(store, { timeout: storeTimeoutMs });
}

/** The predictions of a result by track: their index is a place in the data set, which is in the order of track ids. */
async function predictionsOf(
  prisma: Services['database']['prisma'],
  dataSetId: number,
  { predictions }: TrainResult,
): Promise<StoredPrediction[]> {
  const tracks = await prisma.dataSetTrack.findMany({
    where: { dataSetId },
    orderBy: { trackId: 'asc' },
    select: { trackId: true },
  });
  return predictions.map(({ index, side, probability, label }) => ({
    ...{ trackId: tracks[index]!.trackId, side, probability },
    popular: label === 1,
  }));
}

/** A cancel is a mark on the model's row, so that it reaches the training on whichever machine it runs. */
function watchForCancel(services: Services, modelId: number): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const timer = setInterval(async () => {
    const row = await services.database.prisma.model
      .findUnique({ where: { id: modelId }, select: { cancelRequestedAt: true } })
      .catch(() => undefined); // a database that is away for a moment cancels nothing
    if (row === null || row?.cancelRequestedAt) controller.abort();
  }, cancelPollMs);
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}

/** Its checkpoint stays, for who resumes it. */
async function markCancelled(services: Services, modelId: number): Promise<void> {
  await services.database.prisma.model.updateMany({
    where: { id: modelId },
    data: { state: 'cancelled', finishedAt: new Date() },
  });
  await finishTrainingRun(services.database.prisma, modelId);
}
