import { hasEmbedding } from '../shared/database/embeddings.ts';
import { aliveWorkers } from '../shared/heartbeat.ts';
import { findTagger, taggerName } from '../shared/tagger/provision.ts';
import type { Services } from './handler.ts';

/** How long it is believed that somebody can embed, or nobody can, in milliseconds. */
const rememberMs = 5_000;

/** Says whether audio that has been fetched is to be embedded before its spectrogram is made. */
export class EmbeddingRoute {
  readonly #services: Services;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #available: Promise<boolean> = Promise.resolve(false);

  constructor(services: Services) {
    this.#services = services;
  }

  /** Whether this content has no embedding and somebody is at work who can make it. */
  async wants(contentHash: string): Promise<boolean> {
    if (!(await this.#isAvailable())) return false;
    return !(await hasEmbedding(this.#services.database.pool, contentHash, taggerName));
  }

  #isAvailable(): Promise<boolean> {
    if (performance.now() - this.#lookedAt > rememberMs) {
      this.#lookedAt = performance.now();
      this.#available = this.#look();
    }
    return this.#available;
  }

  async #look(): Promise<boolean> {
    const { config, stages, database } = this.#services;
    if (config.tagger === 'off') return false;
    if (stages.includes('embedding')) return findTagger(config.cacheDir) !== undefined;
    // Whether the worker of another machine has the tagger shows when it is there: it hands on if not.
    return (await aliveWorkers(database.prisma)).some((worker) => worker.stages.includes('embedding'));
  }
}
