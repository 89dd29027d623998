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

  test('cancel stops it: no champion, no checkpoint, and nothing is left of it in the queue', async () => {
    // Long enough that it is not done before a cancel has come from another process.
    const running = train('--cross-validate', '15');
    const id = await trainedFor(1, 0);
    const { cancelled } = await hiphopJson<{ cancelled: string[] }>(['cancel', `model-${id}`], environment);
    expect(cancelled).toEqual([`model-${id} is being stopped`]);
    const done = await running.finished;
    expect(done.status).toBe(1);
    expect(JSON.parse(done.stdout)).toMatchObject({
      models: [{ id: `model-${id}`, name: 'crnn', state: 'cancelled', error: 'cancelled' }],
      champion: null,
    });
    expect(await database.prisma.checkpoint.count()).toBe(0);
    expect(await database.prisma.failure.count()).toBe(0);
    const again = await hiphop(['cancel', `model-${id}`], environment);
    expect(again).toMatchObject({ status: 0, stdout: `model-${id} is cancelled already\n` });
    await expectNoProcesses(dataDir);
  }, 240_000);

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
    const first = await eventually(
      async () => {
        const { progress } = await database.prisma.model.findUniqueOrThrow({ where: { id } });
        return (progress as Epoch | null)?.epoch;
      },
      { what: 'the next worker to go on', timeoutMs: 90_000, everyMs: 25 },
    );
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
