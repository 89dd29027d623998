import { describe } from 'vitest';
import { type Config, parseConfig } from '../../shared/config.ts';
import { connectDatabase, type Database } from '../../shared/database/index.ts';
import { createLogger } from '../../shared/logging.ts';
import { openQueueBackend } from '../../shared/queues/backend.ts';
import { Queues } from '../../shared/queues/queues.ts';
import { stageNames } from '../../shared/stages.ts';
import { createTestDatabase } from './database.ts';
import { redisSkipped, startRedis } from './redis.ts';

export type BackendKind = 'postgresql' | 'redis';

/** A database and queues of one suite alone. */
export interface QueueBench {
  config: Config;
  database: Database;
  queues: Queues;
  /** What a worker or a command in a process of its own needs to find this bench. */
  environment: Record<string, string>;
  /** Empty the queues and the failures, so that a test never meets what another has left. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** The same tests on PostgreSQL and on Redis. */
export function onBothBackends(name: string, tests: (kind: BackendKind) => void): void {
  describe(`${name}, queues on PostgreSQL`, () => tests('postgresql'));
  if (redisSkipped) describe.skip(redisSkipped, () => tests('redis'));
  else describe(`${name}, queues on Redis`, () => tests('redis'));
}

export async function openBench(kind: BackendKind): Promise<QueueBench> {
  const [server, redis] = [await createTestDatabase(), kind === 'redis' ? await startRedis() : null];
  const environment = {
    DATABASE_URL: server.url,
    LOG_LEVEL: 'silent',
    ...(redis ? { REDIS_URL: redis.url } : {}),
  };
  const config = parseConfig(environment);
  const database = connectDatabase(server.url, { kind: 'external' });
  const queues = new Queues(await openQueueBackend(config, server.url));
  return {
    ...{ config, database, queues, environment },
    clear: async () => {
      for (const stage of stageNames) {
        const queue = queues.of(stage);
        await queue.removeRateLimitKey();
        await queue.obliterate({ force: true });
      }
      await database.prisma.failure.deleteMany();
    },
    close: async () => {
      await queues.close();
      await database.close();
      await redis?.stop();
      await server.drop();
    },
  };
}

export const silent = createLogger({ logLevel: 'silent' }, 'test');
