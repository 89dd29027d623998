import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase, type Database } from '../../shared/database/index.ts';
import { settings, writeCatalogue } from '../support/catalogue.ts';
import {
  expectNoProcesses,
  hiphop,
  hiphopJson,
  killProcessesOf,
  processesOf,
  startHiphop,
} from '../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

interface Epoch {
  fold?: number;
  epoch?: number;
  epochs?: number;
}

// The worker's process is found through /proc.
describe.runIf(process.platform === 'linux')('a training that is interrupted (Linux)', () => {
  let folder: string;
  let dataDir: string;
  let server: TestDatabase;
  let database: Database;
  let environment: Record<string, string>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hiphop-training-'));
    dataDir = join(folder, 'data');
    server = await createTestDatabase();
    database = connectDatabase(server.url, { kind: 'external' });
    // WebAssembly is slow enough to be caught in the middle, everywhere.
    environment = { ...settings, DATA_DIR: dataDir, DATABASE_URL: server.url, TENSORFLOW: 'wasm' };
    const { manifest } = writeCatalogue(folder, 40);
    expect(await hiphopJson(['ingest', manifest, '--wait'], environment)).toMatchObject({ spectrograms: 40 });
  }, 180_000);

  afterAll(async () => {
    killProcessesOf(dataDir);
    await database?.close();
    await server?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const train = (...folds: string[]) =>
    startHiphop(
      ['train', '--models', 'crnn', '--preset', 'small', ...folds, '--wait', '--json'],
      environment,
      { timeoutMs: 240_000 },
    );

  /** Wait until the newest model has stored so many epochs; returns its id. */
  async function trainedFor(epochs: number, after: number): Promise<number> {
    return eventually(
      async () => {
        const model = await database.prisma.model.findFirst({
          where: { id: { gt: after }, state: 'training', checkpoint: { isNot: null } },
        });
        const { epoch } = (model?.progress ?? {}) as Epoch;
        return model && epoch && epoch >= epochs ? model.id : null;
      },
      { what: `epoch ${epochs}`, timeoutMs: 120_000, everyMs: 25 },
    );
  }

  test('cancel stops it: no champion, nothing is left of it in the queue, and it can be resumed', async () => {
    // Long enough that it is not done before a cancel has come from another process.
    const running = train('--cross-validate', '15');
    const id = await trainedFor(2, 0);
    const { cancelled } = await hiphopJson<{ cancelled: string[] }>(['cancel', `model-${id}`], environment);
    expect(cancelled).toEqual([`model-${id} is being stopped`]);
    const done = await running.finished;
    expect(done.status).toBe(1);
    expect(JSON.parse(done.stdout)).toMatchObject({
      models: [{ id: `model-${id}`, name: 'crnn', state: 'cancelled', error: 'cancelled' }],
      champion: null,
    });
    expect(await database.prisma.failure.count()).toBe(0);
    const again = await hiphop(['cancel', `model-${id}`], environment);
    expect(again).toMatchObject({ status: 0, stdout: `model-${id} is cancelled already\n` });
    await expectNoProcesses(dataDir);

    const cancelledAt = await database.prisma.model.findUniqueOrThrow({
      where: { id },
      include: { checkpoint: true },
    });
    expect(cancelledAt.checkpoint).not.toBeNull();
    const before = cancelledAt.progress as unknown as Required<Epoch>;
    expect(before.epoch).toBeGreaterThanOrEqual(2);
    // Whatever is told from here on, the worker tells that goes on.
    await database.prisma.$executeRaw`UPDATE models SET progress = NULL WHERE id = ${id}`;
    const resumed = startHiphop(['resume', `model-${id}`, '--wait', '--json'], environment, {
      timeoutMs: 240_000,
    });
    const first = await firstProgress(id);
    // It may have been stopped with a fold's last epoch.
    const inNextFold = first.fold === before.fold + 1;
    expect([before.fold, before.fold + 1], 'the fold that it goes on with').toContain(first.fold);
    expect(first.epoch, 'the first epoch after the resume').toBeGreaterThanOrEqual(
      inNextFold ? 1 : before.epoch,
    );
    expect(first.epoch).toBeLessThanOrEqual(inNextFold ? 2 : before.epoch + 2);
    await hiphopJson(['cancel', `model-${id}`], environment);
    const stopped = await resumed.finished;
    expect(stopped.status).toBe(1);
    expect(JSON.parse(stopped.stdout)).toMatchObject({
      model: `model-${id}`,
      said: `model-${id} goes on from its last epoch; run-1 is decided on already, so it will challenge the champion by itself`,
      models: [{ state: 'cancelled' }],
    });
    await expectNoProcesses(dataDir);
  }, 240_000);

  /** What is told first of a model whose progress was forgotten. */
  async function firstProgress(id: number): Promise<Required<Epoch>> {
    return eventually(
      async () => {
        const { progress } = await database.prisma.model.findUniqueOrThrow({ where: { id } });
        return progress as Required<Epoch> | null;
      },
      { what: 'the training to go on', timeoutMs: 90_000, everyMs: 25 },
    );
  }

  test('a worker that is killed in the middle costs at most an epoch', async () => {
    const newest = (await database.prisma.model.findFirst({ orderBy: { id: 'desc' } }))!.id;
    const running = train('--no-cross-validate');
    const id = await trainedFor(2, newest);
    const worker = processesOf(dataDir).find(({ command }) => /workers\/main\.js .*train/.test(command))!;
    process.kill(worker.pid, 'SIGKILL');
    await eventually(() => !processesOf(dataDir).some(({ command }) => command.includes('learner-process')), {
      what: 'the learner to end with its worker',
      timeoutMs: 15_000,
    });
    const { epoch: before } = (await database.prisma.model.findUniqueOrThrow({ where: { id } }))
      .progress as Epoch;
    expect(before).toBeGreaterThanOrEqual(2);
    // Whatever is told from here on, the next worker tells.
    await database.prisma.$executeRaw`UPDATE models SET progress = NULL WHERE id = ${id}`;
    const { epoch: first } = await firstProgress(id);
    expect(first, 'the first epoch after the kill').toBeGreaterThanOrEqual(before!);
    expect(first).toBeLessThanOrEqual(before! + 2);

    const done = await running.finished;
    expect(done.status).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({
      models: [{ id: `model-${id}`, name: 'crnn', parameters: expect.any(Number), crossValidation: null }],
    });
    const model = await database.prisma.model.findUniqueOrThrow({
      where: { id },
      include: { checkpoint: true },
    });
    expect(model).toMatchObject({ state: 'ready', checkpoint: null, failureReason: null });
    expect(await database.prisma.failure.count()).toBe(0);
  }, 300_000);
});
