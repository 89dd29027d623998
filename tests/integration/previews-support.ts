import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parametersHash, spectrogramParameters } from '../../shared/audio/parameters.ts';
import { type Config, parseConfig } from '../../shared/config.ts';
import type { Prisma, Track } from '../../shared/database/generated/client.ts';
import type { AudioPayload, LookupPayload, StageName } from '../../shared/stages.ts';
import { buildEmbedding } from '../../workers/embedding.ts';
import type { HandlerBuilder, JobContext, Services } from '../../workers/handler.ts';
import { buildLookup } from '../../workers/lookup.ts';
import { buildPreview } from '../../workers/preview.ts';
import { buildSpectrogram } from '../../workers/spectrogram.ts';
import { startWorkers, type Workforce } from '../../workers/workforce.ts';
import { clip, settings } from '../support/catalogue.ts';
import { eventually } from '../support/eventually.ts';
import { type BackendKind, openBench, type QueueBench, silent } from '../support/queue-backends.ts';
import { standIns } from '../support/stand-ins.ts';

const audioStages = ['lookup', 'preview', 'embedding', 'spectrogram'] as const;
type AudioStage = (typeof audioStages)[number];

export type Answer = (response: ServerResponse, request: IncomingMessage, time: number) => void;

/** The world outside: a server that answers each path as a test says, and good audio otherwise. */
export interface World {
  origin: string;
  /** How often each path was asked for, query included. */
  asked: Map<string, number>;
  /** By path without query. */
  answers: Map<string, Answer>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const asked = new Map<string, number>();
  const answers = new Map<string, Answer>();
  const server = createServer((request, response) => {
    const path = request.url!;
    const time = (asked.get(path) ?? 0) + 1;
    asked.set(path, time);
    const answer = answers.get(path.split('?')[0]!);
    if (answer) answer(response, request, time);
    else response.end(soundOf(path));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ asked, answers },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Audio that is another for every path. */
export function soundOf(path: string): Buffer {
  return clip(
    'bass',
    [...path].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_000, 7),
  );
}

/** A database, queues, a world outside, and what tests of previews do with them. */
export class PreviewBench {
  readonly queue: QueueBench;
  readonly world: World;
  readonly config: Config;
  readonly parametersHash: string;
  readonly #workforces: Workforce[] = [];
  #tracks = 0;

  private constructor(queue: QueueBench, world: World, hash: string, more: Record<string, string>) {
    this.queue = queue;
    this.world = world;
    const DATA_DIR = mkdtempSync(join(tmpdir(), 'hiphop-previews-'));
    const own = { DATA_DIR, SIMULATOR_URL: world.origin };
    this.config = parseConfig({ ...queue.environment, ...settings, ...own, ...more });
    this.parametersHash = hash;
  }

  /** @param more settings for the workers */
  static async open(kind: BackendKind, more: Record<string, string> = {}): Promise<PreviewBench> {
    const queue = await openBench(kind);
    const parameters = spectrogramParameters({ seconds: Number(settings.AUDIO_SECONDS) });
    const hash = parametersHash(parameters);
    await queue.database.prisma.spectrogramParameters.create({
      data: { hash, parameters: { ...parameters } },
    });
    return new PreviewBench(queue, await openWorld(), hash, more);
  }

  get prisma() {
    return this.queue.database.prisma;
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.#workforces.splice(0).map((workforce) => workforce.close()));
  }

  async clear(): Promise<void> {
    await this.stopWorkers();
    await this.queue.clear();
    await this.prisma.track.deleteMany();
    await this.prisma.crawl.deleteMany();
    await this.prisma.preview.deleteMany();
    await this.prisma.spectrogram.deleteMany();
    await this.prisma.embedding.deleteMany();
    // What a test let break off must not be gone on with by the next.
    rmSync(join(this.config.dataDir, 'downloads'), { recursive: true, force: true });
    this.world.asked.clear();
    this.world.answers.clear();
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.queue.close();
    rmSync(this.config.dataDir, { recursive: true, force: true });
  }

  address(path: string): string {
    return `${this.world.origin}${path}`;
  }

  async crawl(state: 'running' | 'done' | 'cancelled' = 'running'): Promise<number> {
    const data = { source: 'spotify', query: {}, parametersHash: this.parametersHash, state };
    return (await this.prisma.crawl.create({ data })).id;
  }

  async track(
    crawlIds: readonly number[],
    data: Partial<Prisma.TrackUncheckedCreateInput> & { path?: string } = {},
  ): Promise<number> {
    const { path, ...more } = data;
    const number = ++this.#tracks;
    const track = await this.prisma.track.create({
      data: {
        ...{ source: 'spotify', sourceKey: `key-${number}`, title: `Track ${number}`, state: 'queued' },
        location: path === undefined ? null : this.address(path),
        ...more,
        crawls: { create: crawlIds.map((crawlId) => ({ crawlId })) },
      },
    });
    return track.id;
  }

  /** A data set of these tracks, which must be ready. */
  async dataSet(trackIds: readonly number[] = []) {
    const { parametersHash } = this;
    const tracks = (await this.tracks(trackIds)).map(({ id, contentHash }) => ({
      ...{ trackId: id, contentHash: contentHash!, parametersHash },
      ...{ popularity: 1, popular: true, split: 'train' as const, group: 1 },
    }));
    return this.prisma.dataSet.create({
      data: {
        ...{ name: `set ${++this.#tracks}`, parametersHash, contentHash: '' },
        ...{ threshold: 0, thresholdRule: '0', seed: 1, testFraction: 0, holdoutFraction: 0 },
        ...{ counts: {}, normalisation: {}, tracks: { createMany: { data: tracks } } },
      },
    });
  }

  /** A song of a batch of its own, whose model cannot score. */
  async song(location: string): Promise<number> {
    const dataSet = await this.dataSet();
    const run = await this.prisma.trainingRun.create({ data: { dataSetId: dataSet.id, options: {} } });
    const model = await this.prisma.model.create({
      data: { name: 'dummy', trainingRunId: run.id, dataSetId: dataSet.id, options: {} },
    });
    const batch = await this.prisma.scoreBatch.create({
      data: { modelId: model.id, songs: { create: { file: 'song', location } } },
      include: { songs: true },
    });
    return batch.songs[0]!.id;
  }

  async tracks(ids: readonly number[]): Promise<Track[]> {
    const rows = await this.prisma.track.findMany({ where: { id: { in: [...ids] } } });
    return ids.map((id) => rows.find((row) => row.id === id)!);
  }

  payload(id: number): AudioPayload {
    return { kind: 'track', id, parametersHash: this.parametersHash };
  }

  async enqueue(ids: readonly number[]): Promise<void> {
    await this.queue.queues.enqueue(
      'preview',
      ids.map((id) => this.payload(id)),
    );
  }

  async work(
    only: (AudioStage | 'score')[] = ['preview', 'spectrogram', 'lookup'],
    replaced: Partial<Record<StageName, HandlerBuilder>> = {},
  ): Promise<void> {
    const builders = {
      ...standIns({}),
      ...{ preview: buildPreview, spectrogram: buildSpectrogram, lookup: buildLookup },
      ...{ embedding: buildEmbedding, ...replaced },
    };
    this.#workforces.push(await startWorkers(this.config, silent, only, builders));
  }

  /** Until no job is left. */
  async drained(): Promise<void> {
    let quiet = 0;
    await eventually(
      async () => {
        const counts = await Promise.all(audioStages.map((stage) => this.queue.queues.counts(stage)));
        const left = counts.reduce(
          (sum, { waiting, active, delayed }) => sum + waiting + active + delayed,
          0,
        );
        // Between the end of a job and the start of what follows nothing may be counted.
        quiet = left === 0 ? quiet + 1 : 0;
        return quiet >= 3;
      },
      { what: 'the queues to be empty', timeoutMs: 50_000 },
    );
  }

  /** What a worker process has, to run a handler by hand. */
  services(): Services {
    const none = () => {
      throw new Error('not in this test');
    };
    const { database, queues } = this.queue;
    return {
      ...{ config: this.config, stages: ['preview'], database, queues },
      ...{ spectrograms: none, tagger: none, trainer: none, judge: none },
    };
  }

  runPreview(id: number, handler = buildPreview(this.services())) {
    return handler.run(this.payload(id), context());
  }

  runLookup(payload: LookupPayload, handler = buildLookup(this.services())) {
    return handler.run(payload, context());
  }
}

export function context(signal = new AbortController().signal): JobContext {
  return { jobId: 'by-hand', log: silent, signal, progress: async () => {} };
}
