import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancel } from '../../producers/cancel.ts';
import type { Session } from '../../producers/session.ts';
import { enqueueRun } from '../../producers/train.ts';
import { createLogger } from '../../shared/logging.ts';
import { onBothBackends, openBench, type QueueBench } from '../support/queue-backends.ts';

onBothBackends('cancelling what waits', (kind) => {
  let bench: QueueBench;
  let session: Pick<Session, 'database' | 'queues'>;
  let dataSetId: number;

  beforeAll(async () => {
    bench = await openBench(kind);
    session = { database: bench.database, queues: bench.queues };
    const { prisma } = bench.database;
    await prisma.spectrogramParameters.create({ data: { hash: '0123456789abcdef', parameters: {} } });
    const dataSet = await prisma.dataSet.create({
      data: {
        ...{ name: 'a', parametersHash: '0123456789abcdef', threshold: 50, thresholdRule: 'median', seed: 1 },
        ...{ testFraction: 0.15, holdoutFraction: 0.1, contentHash: 'x', counts: {}, normalisation: {} },
      },
    });
    dataSetId = dataSet.id;
  });

  afterAll(() => bench.close());

  async function newRun() {
    return bench.database.prisma.trainingRun.create({
      data: {
        dataSetId,
        options: {},
        models: { create: ['dummy', 'logistic'].map((name) => ({ name, dataSetId, options: {} })) },
      },
      include: { models: { orderBy: { id: 'asc' } } },
    });
  }

  const whole = () =>
    ({ ...session, config: bench.config, log: createLogger({ logLevel: 'silent' }, 'test') }) as Session;

  test('a run: its models leave the queue, and the run is finished, so that nobody waits for it', async () => {
    const run = await newRun();
    await enqueueRun(whole(), run.models);
    expect((await bench.queues.counts('train')).waiting).toBe(2);
    const said = await cancel(whole(), `run-${run.id}`);
    expect(said).toBe(run.models.map(({ id }) => `model-${id} is cancelled`).join('; '));
    expect((await bench.queues.counts('train')).waiting).toBe(0);
    const after = await bench.database.prisma.trainingRun.findUniqueOrThrow({
      where: { id: run.id },
      include: { models: true },
    });
    expect(after.models.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
    expect(after.finishedAt).not.toBeNull();
  });

  test('one model of a run: the others stay, and so does the run', async () => {
    const run = await newRun();
    await enqueueRun(whole(), run.models);
    await cancel(whole(), `model-${run.models[0]!.id}`);
    expect((await bench.queues.counts('train')).waiting).toBe(1);
    const after = await bench.database.prisma.trainingRun.findUniqueOrThrow({ where: { id: run.id } });
    expect(after.finishedAt).toBeNull();
    await cancel(whole(), `run-${run.id}`);
  });

  test('a batch: its scoring leaves the queue, and it is not cancelled twice', async () => {
    const { prisma } = bench.database;
    const { models } = await newRun();
    const batch = await prisma.scoreBatch.create({ data: { modelId: models[0]!.id } });
    await bench.queues.enqueue('score', [{ batchId: batch.id }]);
    expect(await cancel(whole(), `batch-${batch.id}`)).toBe(`batch-${batch.id} is cancelled`);
    expect((await bench.queues.counts('score')).waiting).toBe(0);
    expect((await prisma.scoreBatch.findUniqueOrThrow({ where: { id: batch.id } })).state).toBe('cancelled');
    expect(await cancel(whole(), `batch-${batch.id}`)).toBe(`batch-${batch.id} is cancelled already`);
  });
});
