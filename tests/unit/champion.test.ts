import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { challengeChampion, findChampion } from '../../shared/champion.ts';
import { connectDatabase, type Database } from '../../shared/database/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let server: TestDatabase;
let database: Database;
let dataSets: [number, number];

beforeAll(async () => {
  server = await createTestDatabase();
  database = connectDatabase(server.url);
  await database.prisma.spectrogramParameters.create({ data: { hash: 'h', parameters: {} } });
  const dataSet = async (name: string) =>
    (
      await database.prisma.dataSet.create({
        data: {
          ...{
            name,
            parametersHash: 'h',
            threshold: 50,
            thresholdRule: 'median',
            seed: 1,
            contentHash: name,
          },
          ...{ testFraction: 0.1, holdoutFraction: 0.1, counts: {}, normalisation: {} },
        },
      })
    ).id;
  dataSets = [await dataSet('first'), await dataSet('second')];
});
afterAll(async () => {
  await database?.close();
  await server?.drop();
});
beforeEach(async () => {
  await database.prisma.promotion.deleteMany();
  await database.prisma.model.deleteMany();
  await database.prisma.trainingRun.deleteMany();
});

interface Given {
  name?: string;
  state?: 'ready' | 'failed';
  shuffleLabels?: boolean;
  test?: number | null;
  holdout?: number;
  /** ROC-AUC by cross-validation, and the lower end of its interval. */
  cross?: [number, number];
}

/** A finished training run; returns its id and those of its models. */
async function run(dataSet: 0 | 1, models: Given[]): Promise<{ id: number; models: number[] }> {
  const figures = (rocAuc: number | null, least?: number) => ({
    ...{ n: 50, accuracy: 0.5, logLoss: 0.7, brier: 0.2, rocAuc },
    rocAucCi95: rocAuc === null ? null : [least ?? rocAuc - 0.1, rocAuc + 0.1],
  });
  const dataSetId = dataSets[dataSet];
  const { id } = await database.prisma.trainingRun.create({ data: { dataSetId, options: {} } });
  const ids: number[] = [];
  for (const { name = 'logistic', state = 'ready', shuffleLabels = false, test, holdout, cross } of models) {
    const metrics = {
      ...{ holdout: figures(holdout ?? 0.5), test: figures(test === undefined ? 0.7 : test) },
      crossValidation: cross ? { ...figures(...cross), folds: 5 } : null,
    };
    const data = { name, state, trainingRunId: id, dataSetId, options: { shuffleLabels }, metrics };
    ids.push((await database.prisma.model.create({ data })).id);
  }
  return { id, models: ids };
}

const champion = async () => (await findChampion(database.prisma))?.id ?? null;

test('the first champion is the best of its run, by cross-validation before the test split', async () => {
  const { id, models } = await run(0, [
    { test: 0.9, cross: [0.6, 0.5] },
    { name: 'crnn', cross: [0.65, 0.5] },
  ]);
  expect((await challengeChampion(database.prisma, id))?.id).toBe(models[1]);
  expect(await champion()).toBe(models[1]);
  const promotion = await database.prisma.promotion.findFirstOrThrow();
  expect(promotion.reason).toMatch(/^first champion: .*\(crnn\) 0\.650 by 5-fold cross-validation$/);
});

test('the holdout never chooses', async () => {
  const { id, models } = await run(0, [
    { test: 0.7, holdout: 0.6 },
    { test: 0.6, holdout: 0.99 },
  ]);
  await challengeChampion(database.prisma, id);
  expect(await champion()).toBe(models[0]);
});

test.each<[string, Given]>([
  ['the majority dummy', { name: 'dummy', test: 0.9 }],
  ['a model of permuted labels', { shuffleLabels: true, test: 0.9 }],
  ['a model that failed', { state: 'failed', test: 0.9 }],
  ['a model no better than chance', { test: 0.5 }],
  ['a model that could not be measured', { test: null }],
])('%s never becomes champion', async (_what, given) => {
  const { id } = await run(0, [given]);
  expect(await challengeChampion(database.prisma, id)).toBeNull();
  expect(await champion()).toBeNull();
});

test('on the same data set only a better figure wins', async () => {
  const first = await run(0, [{ test: 0.8 }]);
  await challengeChampion(database.prisma, first.id);
  for (const equalOrWorse of [0.8, 0.79]) {
    const { id } = await run(0, [{ test: equalOrWorse }]);
    expect((await challengeChampion(database.prisma, id))?.id).toBe(first.models[0]);
  }
  const better = await run(0, [{ test: 0.81 }]);
  await challengeChampion(database.prisma, better.id);
  expect(await champion()).toBe(better.models[0]);
  expect((await database.prisma.promotion.findFirst({ orderBy: { id: 'desc' } }))?.reason).toContain('beats');
});

test('on a newer data set the newer model wins unless it is clearly worse', async () => {
  const first = await run(0, [{ cross: [0.8, 0.72] }]);
  await challengeChampion(database.prisma, first.id);
  const clearlyWorse = await run(1, [{ cross: [0.71, 0.6] }]);
  await challengeChampion(database.prisma, clearlyWorse.id);
  expect(await champion()).toBe(first.models[0]);
  const notClearlyWorse = await run(1, [{ cross: [0.73, 0.6] }]);
  await challengeChampion(database.prisma, notClearlyWorse.id);
  expect(await champion()).toBe(notClearlyWorse.models[0]);
});
