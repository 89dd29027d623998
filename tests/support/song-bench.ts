/** What tests of batches work with: a database and queues, a model that judges, what a command has open. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Session } from '../../producers/session.ts';
import type { Model } from '../../shared/database/generated/client.ts';
import { type BackendKind, openBench, type QueueBench, silent } from './queue-backends.ts';
import { givenModel } from './songs.ts';

export interface SongBench {
  readonly bench: QueueBench;
  readonly model: Model;
  readonly session: Session;
}

/** There from `beforeAll` on; no job, failure or batch is left when a test begins. */
export function useSongBench(kind: BackendKind): SongBench {
  let bench: QueueBench;
  let model: Model;
  let session: Session;
  beforeAll(async () => {
    bench = await openBench(kind);
    model = await givenModel(bench.database.prisma);
    const { database, queues, config } = bench;
    session = { database, queues, config, log: silent } as Session;
  });
  beforeEach(async () => {
    await bench.clear();
    await bench.database.prisma.failure.deleteMany();
    await bench.database.prisma.scoreBatch.deleteMany();
  });
  afterAll(() => bench?.close());
  return {
    get bench() {
      return bench;
    },
    get model() {
      return model;
    },
    get session() {
      return session;
    },
  };
}
