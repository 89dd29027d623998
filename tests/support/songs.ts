/** Models that no training made, and songs as the stages leave them. */
import { createHash } from 'node:crypto';
import { parametersHash, spectrogramParameters } from '../../shared/audio/parameters.ts';
import type { Model, PrismaClient, SongState, Track } from '../../shared/database/generated/client.ts';
import { uploadLocation } from '../../shared/database/uploads.ts';
import { encodeWeights } from '../../shared/learning/weights.ts';

const parameters = spectrogramParameters();
export const songParameters = parametersHash(parameters);

/** A model that can judge songs. @param given.champion promoted, so that it judges new batches */
export async function givenModel(
  prisma: PrismaClient,
  { champion = false, shuffleLabels = false }: { champion?: boolean; shuffleLabels?: boolean } = {},
): Promise<Model> {
  const hash = songParameters;
  const stored = { hash, parameters: { ...parameters } };
  await prisma.spectrogramParameters.upsert({ where: { hash }, create: stored, update: {} });
  const name = `data set ${await prisma.dataSet.count()}`;
  const tracks = [await givenTrack(prisma, 'a popular one'), await givenTrack(prisma, 'another')];
  const dataSet = await prisma.dataSet.create({
    data: {
      ...{ name, parametersHash: hash, threshold: 50, thresholdRule: 'median', seed: 1, contentHash: name },
      ...{ testFraction: 0.1, holdoutFraction: 0.1, counts: {}, normalisation: {} },
      tracks: {
        create: tracks.map(({ id, contentHash }, index) => ({
          ...{ trackId: id, contentHash: contentHash!, parametersHash: hash, split: 'train', group: index },
          ...{ popularity: 80 - 60 * index, popular: index === 0 },
        })),
      },
    },
  });
  const figures = { n: 50, accuracy: 0.5, logLoss: 0.7, brier: 0.2, rocAuc: 0.7, rocAucCi95: [0.6, 0.8] };
  const bytes = new Uint8Array(encodeWeights([{ name: 'share', shape: [1], values: Float32Array.of(0.5) }]));
  const run = await prisma.trainingRun.create({ data: { dataSetId: dataSet.id, options: {} } });
  const model = await prisma.model.create({
    data: {
      ...{ name: 'logistic', state: 'ready', trainingRunId: run.id, dataSetId: dataSet.id, parameters: 1 },
      options: { shuffleLabels, features: ['audio'], preset: null, seed: 1 },
      metrics: {
        ...{ holdout: figures, test: figures, crossValidation: null },
        ...{ trainMsPerSample: 1, preset: 'default', warnings: [] },
      },
      ...{ topology: { family: 'logistic' }, holdoutScores: [0.2, 0.4, 0.6] },
      weights: { create: { bytes, sha256: createHash('sha256').update(bytes).digest('hex') } },
    },
  });
  if (champion) {
    await prisma.promotion.create({ data: { modelId: model.id, reason: 'a test', promotedBy: 'a test' } });
  }
  return model;
}

/** A track of the catalogue, decoded. */
async function givenTrack(prisma: PrismaClient, title: string): Promise<Track> {
  const contentHash = createHash('sha256').update(title).digest('hex');
  await givenSpectrogram(prisma, contentHash);
  const key = { source: 'folder', sourceKey: title };
  return prisma.track.upsert({
    where: { source_sourceKey: key },
    create: { ...key, title, state: 'ready', contentHash },
    update: {},
  });
}

/** A spectrogram of audio that nobody decoded. */
export async function givenSpectrogram(prisma: PrismaClient, contentHash: string): Promise<void> {
  const key = { contentHash, parametersHash: songParameters };
  await prisma.spectrogram.upsert({
    where: { contentHash_parametersHash: key },
    create: {
      ...key,
      ...{ bands: 128, frames: 2, maxDb: 0, levels: new Uint8Array(256).fill(100), audioHash: contentHash },
      ...{ durationSeconds: 30, excerptStartSeconds: 0, warnings: [] },
    },
    update: {},
  });
}

/** A song of a batch, as far as `state` says; decoded, judged and explained where it says so. */
export async function givenSong(
  prisma: PrismaClient,
  batchId: number,
  { file, state, explained = false }: { file: string; state: SongState; explained?: boolean },
): Promise<number> {
  const contentHash = createHash('sha256').update(file).digest('hex');
  if (state === 'ready' || state === 'scored') await givenSpectrogram(prisma, contentHash);
  const { id } = await prisma.song.create({
    data: {
      ...{ batchId, file, title: file, state, contentHash, location: uploadLocation(contentHash) },
      ...(state === 'scored' ? { score: { create: { probability: 0.5, percentile: 50, rank: 1 } } } : {}),
      ...(explained ? { explanation: { create: { content: {}, picture: new Uint8Array([1]) } } } : {}),
    },
  });
  return id;
}

/** As if the stages had made something of what was uploaded. */
export async function judged(prisma: PrismaClient, songId: number): Promise<string> {
  const { contentHash } = await prisma.song.findUniqueOrThrow({ where: { id: songId } });
  await givenSpectrogram(prisma, contentHash!);
  await prisma.song.update({
    where: { id: songId },
    data: { state: 'scored', score: { create: { probability: 0.5, percentile: 50, rank: 1 } } },
  });
  return contentHash!;
}
