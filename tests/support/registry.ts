import { createHash } from 'node:crypto';
import type { Session } from '../../producers/session.ts';
import { parametersHash, spectrogramParameters } from '../../shared/audio/parameters.ts';
import type { Model, PredictionSide, Split } from '../../shared/database/generated/client.ts';
import { connectDatabase, type Database } from '../../shared/database/index.ts';
import { encodeWeights } from '../../shared/learning/weights.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

const parameters = spectrogramParameters();
const parametersOf = parametersHash(parameters);

export interface Placed {
  trackId: number;
  split: Split;
  group: number;
  popular: boolean;
}

export interface GivenModel {
  name?: string;
  state?: 'ready' | 'failed' | 'queued' | 'cancelled';
  shuffleLabels?: boolean;
  seed?: number;
  /** False: it was never measured. */
  figures?: false;
  features?: string[];
  test?: number | null;
  holdout?: number;
  /** ROC-AUC by cross-validation. */
  cross?: number;
  /** What it said of tracks. */
  said?: {
    side: PredictionSide;
    of: readonly Placed[];
    probability: (track: Placed) => number;
    /** Where it is not the data set's label. */
    popular?: (track: Placed) => boolean;
  }[];
}

/** A registry on a database of its own, with tracks, data sets and models that no training made. */
export class RegistryDesk {
  readonly #server: TestDatabase | null;
  readonly database: Database;
  /** Enough of a session for what asks only the database. */
  readonly session: Session;

  static async open(): Promise<RegistryDesk> {
    const server = await createTestDatabase();
    return RegistryDesk.#prepared(new RegistryDesk(server, connectDatabase(server.url)));
  }

  /** The same on a database that somebody else closes. */
  static on(database: Database): Promise<RegistryDesk> {
    return RegistryDesk.#prepared(new RegistryDesk(null, database));
  }

  static async #prepared(desk: RegistryDesk): Promise<RegistryDesk> {
    await desk.prisma.spectrogramParameters.create({
      data: { hash: parametersOf, parameters: { ...parameters } },
    });
    return desk;
  }

  private constructor(server: TestDatabase | null, database: Database) {
    this.#server = server;
    this.database = database;
    this.session = { database, config: { audio: parameters } } as unknown as Session;
  }

  get prisma() {
    return this.database.prisma;
  }

  async close(): Promise<void> {
    if (!this.#server) return;
    await this.database.close();
    await this.#server.drop();
  }

  /** Forget all models. */
  async clear(): Promise<void> {
    await this.prisma.promotion.deleteMany();
    await this.prisma.model.deleteMany();
    await this.prisma.trainingRun.deleteMany();
  }

  /** A track with a spectrogram; returns its id. */
  async track({ artist, sound }: { artist: string; sound?: string }): Promise<number> {
    const number = (await this.prisma.track.count()) + 1;
    const contentHash = `content ${number}`;
    await this.prisma.spectrogram.create({
      data: {
        ...{ contentHash, parametersHash: parametersOf, bands: 128, frames: 1, maxDb: 0 },
        ...{ levels: new Uint8Array(128).fill(number % 200), audioHash: sound ?? contentHash, warnings: [] },
        ...{ durationSeconds: 30, excerptStartSeconds: 0 },
      },
    });
    const who = { source: 'folder', sourceKey: artist, name: artist, key: artist };
    const row = await this.prisma.artist.upsert({
      where: { source_sourceKey: { source: 'folder', sourceKey: artist } },
      create: who,
      update: {},
    });
    const track = await this.prisma.track.create({
      data: {
        ...{
          source: 'folder',
          sourceKey: String(number),
          title: `Song ${number}`,
          state: 'ready',
          contentHash,
        },
        artists: { create: { artistId: row.id, position: 0 } },
      },
    });
    return track.id;
  }

  async dataSet(name: string, tracks: readonly Placed[]): Promise<number> {
    const rows = await this.prisma.track.findMany({ select: { id: true, contentHash: true } });
    const hashOf = new Map(rows.map((row) => [row.id, row.contentHash!]));
    const data = {
      ...{ name, parametersHash: parametersOf, threshold: 50, thresholdRule: 'median', seed: 1 },
      contentHash: createHash('sha256').update(name).digest('hex'),
      ...{ testFraction: 0.1, holdoutFraction: 0.1, counts: { tracks: tracks.length }, normalisation: {} },
    };
    // A data set takes no more tracks once its transaction has ended.
    return this.prisma.$transaction(async (transaction) => {
      const { id } = await transaction.dataSet.create({ data });
      await transaction.dataSetTrack.createMany({
        data: tracks.map((track) => ({
          ...{ dataSetId: id, parametersHash: parametersOf, popularity: track.popular ? 80 : 20, ...track },
          contentHash: hashOf.get(track.trackId)!,
        })),
      });
      return id;
    });
  }

  /** A training run with models that have ended as given; it is not finished yet. */
  async run(dataSetId: number, given: readonly GivenModel[]): Promise<Model[]> {
    const { id } = await this.prisma.trainingRun.create({ data: { dataSetId, options: {} } });
    const models: Model[] = [];
    for (const one of given) models.push(await this.#model(id, dataSetId, one));
    return models;
  }

  async #model(trainingRunId: number, dataSetId: number, given: GivenModel): Promise<Model> {
    const { name = 'logistic', state = 'ready', shuffleLabels = false, said = [] } = given;
    const { features = ['audio'], seed = 1 } = given;
    const figures = (rocAuc: number | null) => ({
      ...{ n: 50, accuracy: 0.5, logLoss: 0.7, brier: 0.2, rocAuc },
      rocAucCi95: rocAuc === null ? null : [rocAuc - 0.1, rocAuc + 0.1],
    });
    const bytes = new Uint8Array(
      encodeWeights([{ name: 'share', shape: [1], values: Float32Array.of(Math.random()) }]),
    );
    return this.prisma.model.create({
      data: {
        ...{
          name,
          state,
          trainingRunId,
          dataSetId,
          options: { shuffleLabels, features, preset: null, seed },
        },
        ...(given.figures === false
          ? {}
          : {
              metrics: {
                ...{
                  holdout: figures(given.holdout ?? 0.5),
                  trainMsPerSample: 1,
                  preset: 'default',
                  warnings: [],
                },
                test: figures(given.test === undefined ? 0.7 : given.test),
                crossValidation: given.cross === undefined ? null : { ...figures(given.cross), folds: 5 },
              },
            }),
        ...{ parameters: 1, topology: { family: name }, holdoutScores: [0.2, 0.4, 0.6] },
        weights: { create: { bytes, sha256: createHash('sha256').update(bytes).digest('hex') } },
        predictions: {
          create: said.flatMap(({ side, of, probability, popular }) =>
            of.map((track) => ({
              ...{ side, trackId: track.trackId, popular: popular?.(track) ?? track.popular },
              probability: probability(track),
            })),
          ),
        },
      },
    });
  }

  async decision(model: Model) {
    const run = await this.prisma.trainingRun.findUniqueOrThrow({ where: { id: model.trainingRunId } });
    return { finished: run.finishedAt !== null, decision: run.decision as Record<string, unknown> | null };
  }
}
