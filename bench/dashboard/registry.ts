/** A made-up registry: runs, models with figures, curves and predictions, champions. */
import type { Prisma } from '../../shared/database/generated/client.ts';
import type { Database } from '../../shared/database/index.ts';
import { publicId } from '../../shared/identifiers.ts';
import { evaluate, type Judged } from '../../shared/learning/evaluation/index.ts';
import { normal, randomStream } from '../../shared/learning/random.ts';
import { promote, storePredictions } from '../../shared/registry/index.ts';

export interface RegistrySize {
  runs: number;
  models: number;
  /** Of each model that is ready, on each side that it has. */
  predictions: number;
}

const names = ['logistic', 'forest', 'musicnn', 'stack', 'crnn'] as const;
const epochs = 40;
/** Figures are measured for so many models; the others repeat them. */
const measured = 4;
/** About the topology of a network of some layers, in characters. */
const topologyLength = 20_000;

interface Track {
  trackId: number;
  group: number;
  popular: boolean;
}

/** Fill the registry of the data set 1. The last models are not trained: queued, training, failed, cancelled. */
export async function fillRegistry(database: Database, size: RegistrySize): Promise<void> {
  const { prisma } = database;
  const options = { preset: null, shuffleLabels: false, features: ['audio'], crossValidationFolds: 5 };
  for (let run = 0; run < size.runs; run++) {
    const finishedAt = run < size.runs - 1 ? new Date(Date.now() - (size.runs - run) * 3_600_000) : null;
    const decision = {
      outcome: 'kept',
      reason: 'the champion stays: not better beyond noise',
      candidates: [],
    };
    await prisma.trainingRun.create({
      data: { dataSetId: 1, options, finishedAt, ...(finishedAt ? { decision } : {}) },
    });
  }
  const tracks = await tracksOf(database, size.predictions);
  const said = Array.from({ length: measured }, (_, index) => hearing(tracks, 0.4 + 0.2 * index, index));
  const figures = said.map((judged, index) => evaluate(judged, index));
  for (let index = 0; index < size.models; index++) {
    const which = index % measured;
    const outOfFold = index % 2 === 0;
    const untrained = (['queued', 'training', 'failed', 'cancelled'] as const)[size.models - 1 - index];
    const progress = { phase: 'train', fold: 2, folds: 5, epoch: 7, epochs };
    const { id } = await prisma.model.create({
      data: {
        ...{ name: names[index % names.length]!, dataSetId: 1, trainingRunId: 1 + (index % size.runs) },
        ...{
          state: untrained ?? 'ready',
          parameters: 100_000,
          backend: 'tensorflow-cpu',
          codeVersion: '0.1.0',
        },
        options: { ...options, seed: index % 3, shuffleLabels: index % 10 === 9 },
        ...{ startedAt: new Date(Date.now() - 600_000), finishedAt: untrained ? null : new Date() },
        ...(untrained === 'training' ? { progress: { ...progress, curve: curve() } } : {}),
        ...(untrained === 'failed' ? { failureReason: 'the training ran out of memory' } : {}),
        ...(untrained ? {} : trained(figures[which]!, outOfFold)),
      },
    });
    if (untrained) continue;
    const sides = outOfFold ? (['out_of_fold', 'holdout'] as const) : (['holdout'] as const);
    const predictions = sides.flatMap((side) =>
      tracks.map(({ trackId, popular }, place) => ({
        ...{ trackId, popular, side, probability: said[which]![place]!.probability },
      })),
    );
    await storePredictions(prisma, id, predictions);
    if (index % 5 === 0) {
      const evidence = { before: null, comparisons: [] };
      await promote(prisma, id, {
        reason: `${publicId('model', id)} beats it`,
        promotedBy: 'bench',
        evidence,
      });
    }
  }
}

function trained(figures: ReturnType<typeof evaluate>, outOfFold: boolean) {
  const metrics = {
    ...{ holdout: figures, test: figures, crossValidation: outOfFold ? { ...figures, folds: 5 } : null },
    ...{ studies: null, trainMsPerSample: 2, preset: 'default', warnings: [], epochs: curve() },
  };
  const layers = 'dense 64 relu '.repeat(topologyLength / 14);
  return {
    metrics: metrics as unknown as Prisma.InputJsonValue,
    topology: { family: 'bench', layers },
    holdoutScores: Array.from({ length: 500 }, (_, index) => index / 500),
  };
}

const curve = () =>
  Array.from({ length: epochs }, (_, index) => ({
    ...{
      epoch: index + 1,
      trainLoss: 0.7 - index / 200,
      testLoss: 0.7 - index / 400,
      testRocAuc: 0.5 + index / 200,
    },
  }));

/** Of the holdout, which both sides of predictions may name. */
async function tracksOf({ pool }: Database, most: number): Promise<Track[]> {
  const { rows } = await pool.query<Track>(
    `SELECT track_id AS "trackId", "group", popular FROM data_set_tracks
     WHERE data_set_id = 1 AND split = 'holdout' ORDER BY track_id LIMIT $1`,
    [most],
  );
  return rows;
}

/** Probabilities that tell popular tracks apart by so many standard deviations. */
function hearing(tracks: readonly Track[], signal: number, seed: number): Judged[] {
  return tracks.map(({ trackId, group, popular }) => ({
    probability: 1 / (1 + Math.exp(-normal(randomStream(seed, trackId)) - (popular ? signal : -signal))),
    label: popular ? 1 : 0,
    group,
  }));
}
