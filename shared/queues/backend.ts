/** The one place that chooses what carries the queues: PostgreSQL, or Redis when REDIS_URL is set. */
import {
  createPostgresBackend,
  createRedisBackend,
  type Queue,
  type QueueOptions,
  runMigrations,
  type Worker,
  type WorkerOptions,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { reasonOf, UserError } from '../errors.ts';
import { startTracing, type Tracing } from '../metrics/tracing.ts';

export type { Job, Queue, Worker } from 'bullmq';

type Processor = ConstructorParameters<typeof Worker>[1];

export interface QueueBackend {
  kind: 'postgresql' | 'redis';
  queue: (name: string) => Queue;
  worker: (name: string, processor: Processor, options: Omit<WorkerOptions, 'connection'>) => Worker;
  /** Close what the back end itself holds open; queues and workers are closed by their owners. */
  close: () => Promise<void>;
}

/** Connections a queue or worker may hold to PostgreSQL; idle ones are given back after 10 s. */
const postgresConnections = 3;

/**
 * Open the back end of the queues and bring its tables up to date.
 * @throws UserError when Redis does not answer
 */
export async function openQueueBackend(
  config: { redisUrl: string | undefined; otlpEndpoint?: string | undefined },
  databaseUrl: string,
): Promise<QueueBackend> {
  const tracing = config.otlpEndpoint ? await startTracing(config.otlpEndpoint) : null;
  const backend = await (config.redisUrl
    ? openRedis(config.redisUrl, databaseUrl, tracing)
    : openPostgres(databaseUrl, tracing));
  return {
    ...backend,
    close: async () => {
      await backend.close();
      await tracing?.stop();
    },
  };
}

/** What queues and workers report to, where traces are collected. */
const reporting = (tracing: Tracing | null) => (tracing ? { telemetry: tracing.telemetry } : {});

async function openPostgres(connectionString: string, tracing: Tracing | null): Promise<QueueBackend> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await runMigrations(client, 'bullmq');
  } finally {
    await client.end();
  }
  const connection = { connectionString, schema: 'bullmq', max: postgresConnections };
  const shared = { connection, ...reporting(tracing) };
  const bound = withBackend(createPostgresBackend);
  return {
    kind: 'postgresql',
    // The classes differ from Redis's only in the type of their connection, which nobody else touches.
    queue: (name) => new bound.Queue(name, shared) as unknown as Queue,
    worker: (name, processor, options) =>
      new bound.Worker(name, processor as never, { ...(options as object), ...shared }) as unknown as Worker,
    close: async () => {},
  };
}

async function openRedis(url: string, databaseUrl: string, tracing: Tracing | null): Promise<QueueBackend> {
  await assertRedisAnswers(url);
  // BullMQ wants its commands to wait for Redis to come back rather than to fail.
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  connection.on('error', () => {}); // reconnects by itself; commands report what they miss
  const prefix = `hiphop-${await databaseIdentity(databaseUrl)}`;
  const shared: QueueOptions = { connection, prefix, ...reporting(tracing) };
  const bound = withBackend(createRedisBackend);
  return {
    kind: 'redis',
    queue: (name) => new bound.Queue(name, shared) as unknown as Queue,
    worker: (name, processor, options) =>
      new bound.Worker(name, processor as never, { ...options, ...shared }) as unknown as Worker,
    close: async () => {
      await connection.quit().catch(() => connection.disconnect());
    },
  };
}

async function assertRedisAnswers(url: string): Promise<void> {
  const probe = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    retryStrategy: () => null,
  });
  probe.on('error', () => {});
  try {
    await probe.connect();
    await probe.ping();
  } catch (error) {
    throw new UserError(
      `Redis at REDIS_URL (${new URL(url).host}) does not answer: ${reasonOf(error)}. ` +
        'Start it, or unset REDIS_URL to let PostgreSQL carry the queues.',
    );
  } finally {
    probe.disconnect();
  }
}

/**
 * Eight characters that tell one database from another, so that two of them sharing a Redis (or a
 * database made anew) never see each other's jobs: the random id of the first migration's row.
 */
async function databaseIdentity(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const found = await client.query<{ id: string }>(
      'SELECT id FROM _prisma_migrations ORDER BY started_at, id LIMIT 1',
    );
    return found.rows[0]?.id.slice(0, 8) ?? 'new';
  } finally {
    await client.end();
  }
}
