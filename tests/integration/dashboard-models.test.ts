/** The leaderboard, comparisons, promotions and the catalogue's order, on a real server and rows made for them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { inTurn, pairedTest } from '../../dashboard/api/models/comparisons.ts';
import { CancelledError } from '../../shared/errors.ts';
import { normal, randomStream } from '../../shared/learning/random.ts';
import { finishTrainingRun } from '../../shared/registry/index.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';
import { type Placed, RegistryDesk } from '../support/registry.ts';

let bench: QueueBench;
let dashboard: TestDashboard;
let desk: RegistryDesk;
let tracks: Placed[];
let dataSet: number;

beforeAll(async () => {
  bench = await openBench('postgresql');
  desk = await RegistryDesk.on(bench.database);
  tracks = [];
  for (let i = 0; i < 40; i++) {
    const trackId = await desk.track({ artist: `Artist ${i >> 1}` });
    tracks.push({ trackId, split: 'holdout', group: i >> 1, popular: i % 2 === 0 });
  }
  dataSet = await desk.dataSet('first', tracks);
  dashboard = await startTestDashboard(bench, { REQUESTS_PER_MINUTE: '100000' });
});
afterAll(async () => {
  await dashboard?.close();
  await bench?.close();
});

async function get(path: string) {
  const { status, json } = await dashboard.ask('GET', `/api${path}`);
  expect([path, status, status === 200 ? '' : json.detail]).toEqual([path, 200, '']);
  return json;
}

async function post(path: string, body?: unknown, key?: string) {
  const { csrf } = await get('/me');
  const headers = { 'X-CSRF-Token': csrf, ...(key ? { 'Idempotency-Key': key } : {}) };
  return dashboard.ask('POST', `/api${path}`, { headers, ...(body === undefined ? {} : { body }) });
}

/** Probabilities that tell popular tracks apart by so many standard deviations. */
const said = (signal: number) => [
  {
    ...{ side: 'holdout' as const, of: tracks },
    probability: ({ trackId, popular }: Placed) =>
      1 / (1 + Math.exp(-normal(randomStream(7, trackId)) - (popular ? signal : 0))),
  },
];

describe('the leaderboard', () => {
  beforeEach(() => desk.clear());
  const idsOf = ({ models }: { models: { id: string }[] }) =>
    models.map(({ id }) => Number(id.replace('model-', '')));

  test('is ordered, filtered and cut by the server, with what has no figure last', async () => {
    const [a, b, c, d] = await desk.run(dataSet, [
      { holdout: 0.6, cross: 0.55 },
      { name: 'crnn', holdout: 0.9 },
      { name: 'crnn', holdout: 0.7 },
      { name: 'forest', state: 'failed', figures: false },
    ]);
    const ids = [a, b, c, d].map((model) => model!.id);
    const board = await get('/models');
    expect(idsOf(board)).toEqual([ids[1], ids[2], ids[0], ids[3]]);
    expect(board).toMatchObject({
      total: 4,
      offset: 0,
      limit: 50,
      choices: { names: ['crnn', 'forest', 'logistic'] },
    });
    // What is shown of a cross-validated model is measured out of fold.
    expect(board.models[2].figures).toMatchObject({ basis: 'out of fold, 5 folds', rocAuc: 0.55 });
    expect(JSON.stringify(board)).not.toContain('rocCurve');
    expect(idsOf(await get('/models?sort=auc'))).toEqual([ids[0], ids[2], ids[1], ids[3]]);
    expect(idsOf(await get('/models?name=crnn'))).toEqual([ids[1], ids[2]]);
    expect(idsOf(await get('/models?state=failed'))).toEqual([ids[3]]);
    expect(idsOf(await get('/models?dataSet=data-set-999'))).toEqual([]);
    expect(await get('/models?limit=1&offset=1')).toMatchObject({
      total: 4,
      models: [{ id: `model-${ids[2]}` }],
    });
    const runs = await get(`/training-runs?dataSet=data-set-${dataSet}`);
    expect(runs.items[0].models.map(({ rocAuc }: { rocAuc: number | null }) => rocAuc)).toEqual([
      0.55,
      0.9,
      0.7,
      null,
    ]);
    expect((await get('/training-runs?dataSet=data-set-999')).total).toBe(0);
  });

  test('tells of seeds only among models that differ in nothing else, each seed once', async () => {
    await desk.run(dataSet, [
      { holdout: 0.6, seed: 1 },
      { holdout: 0.8, seed: 2 },
      // The same seed again: its mean counts, neither twice nor instead.
      { holdout: 0.7, seed: 2 },
      { holdout: 0.9, seed: 3, features: ['audio', 'release'] },
      { holdout: 0.5, seed: 4, cross: 0.95 },
    ]);
    const { models } = await get('/models?sort=id');
    const group = { n: 2, mean: expect.closeTo(0.675), spread: expect.closeTo(Math.sqrt(2 * 0.075 ** 2)) };
    expect(models.map(({ seeds }: { seeds: unknown }) => seeds)).toEqual([group, group, group, null, null]);
    // Those on other pages count as well.
    expect((await get('/models?limit=1&sort=id')).models[0].seeds).toEqual(group);
  });

  test('null tests are hidden and counted', async () => {
    await desk.run(dataSet, [{ holdout: 0.6 }, { holdout: 0.9, shuffleLabels: true }]);
    expect(await get('/models')).toMatchObject({ total: 1, hiddenNullTests: 1 });
    expect(await get('/models?nullTests=true')).toMatchObject({ total: 2, hiddenNullTests: 0 });
  });
});

describe('a champion', () => {
  test('is promoted and rolled back once for each key, however often it is sent', async () => {
    await desk.clear();
    const models = await desk.run(dataSet, [{ holdout: 0.6 }, { holdout: 0.7 }, { holdout: 0.8 }]);
    const [first, second, third] = models.map(({ id }) => `model-${id}`);
    for (const [id, key] of [
      [first, 'a'],
      [second, 'b'],
      [second, 'b'],
      [third, 'c'],
    ] as const) {
      expect((await post(`/models/${id}/promote`, { reason: 'to try it' }, key)).status).toBe(200);
    }
    expect(await get('/promotions')).toMatchObject({ total: 3 });
    const reason = { reason: 'that was enough' };
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await post('/champion/rollback', reason, 'back'));
    expect(answers.map(({ json }) => json.model)).toEqual([second, second, second]);
    expect((await get('/models')).champion).toBe(second);
    // The same key with other words is another intention: the answer says what to do.
    const changed = await post('/champion/rollback', { reason: 'another reason' }, 'back');
    expect(changed.status).toBe(422);
    expect(changed.json.detail).toMatch(/was taken, .*look whether .* new Idempotency-Key/);
    expect((await get('/models')).champion).toBe(second);
  });

  test('is compared beside the server, once for all, and anew when it has judged more', async () => {
    await desk.clear();
    const [a, b] = await desk.run(dataSet, [
      { holdout: 0.6, said: said(0.2) },
      { holdout: 0.8, said: said(3) },
    ]);
    const path = `/models/compare?models=model-${a!.id},model-${b!.id}`;
    const { paired } = await get(path);
    expect(paired.comparisons).toMatchObject([{ basis: 'holdout', n: 40, beyondNoise: true }]);
    expect(paired.verdict).toContain(`model-${b!.id} (logistic) is better`);
    expect((await get(path)).paired).toEqual(paired);
    await desk.prisma.modelPrediction.deleteMany({
      where: { modelId: b!.id, trackId: { lt: tracks[20]!.trackId } },
    });
    expect((await get(path)).paired.comparisons).toMatchObject([{ n: 20 }]);
    const model = await get(`/models/model-${a!.id}`);
    const { truePositive, falsePositive, falseNegative, trueNegative } = model.confusion;
    expect(truePositive + falsePositive + falseNegative + trueNegative).toBe(40);
    expect(model.precisionRecall.at(-1)).toEqual([1, 0.5]);
  });
});

test('comparisons read nothing before their turn, and are given up when who asks has gone', async () => {
  await desk.clear();
  const [a, b] = await desk.run(dataSet, [
    { holdout: 0.6, said: said(0.2) },
    { holdout: 0.8, said: said(3) },
  ]);
  let end = () => {};
  const before = inTurn(() => new Promise<void>((resolve) => (end = resolve)));
  const read = vi.spyOn(desk.prisma, '$queryRaw');
  const leaving = new AbortController();
  const left = pairedTest(desk.session, a!.id, b!.id, leaving.signal);
  const stays = pairedTest(desk.session, a!.id, b!.id);
  setTimeout(() => leaving.abort(), 200);
  await expect(left).rejects.toThrow(CancelledError);
  expect(read).not.toHaveBeenCalled();
  end();
  await before;
  expect((await stays).comparisons).toMatchObject([{ basis: 'holdout', n: 40 }]);
  expect(read).toHaveBeenCalled();
  read.mockRestore();
});

describe('a cancelled training', () => {
  test('is put back into the queue once, and challenges by itself when its run is decided on', async () => {
    await desk.clear();
    const [holder, model] = await desk.run(dataSet, [
      { holdout: 0.6, said: said(0.2) },
      { state: 'cancelled', holdout: 0.8, said: said(3) },
    ]);
    await finishTrainingRun(desk.prisma, model!.id);
    expect((await get('/models')).champion).toBe(`model-${holder!.id}`);
    const id = `model-${model!.id}`;
    const resumed = await post(`/models/${id}/resume`, undefined, 'resume');
    expect([resumed.status, resumed.json.said]).toEqual([
      202,
      `${id} begins anew: it had kept no epoch; run-${model!.trainingRunId} is decided on already, so it will challenge the champion by itself`,
    ]);
    expect((await post(`/models/${id}/resume`, undefined, 'resume')).json).toEqual(resumed.json);
    expect((await post(`/models/${id}/resume`)).json.said).toBe(`${id} is under way already`);
    expect(await bench.queues.find('train', { modelId: model!.id })).toBeDefined();
    await bench.queues.remove('train', { modelId: model!.id });
    // As its worker ends, twice: somebody may say so again.
    await desk.prisma.model.update({
      where: { id: model!.id },
      data: { state: 'ready', finishedAt: new Date() },
    });
    for (let i = 0; i < 2; i++) await finishTrainingRun(desk.prisma, model!.id);
    expect((await get('/models')).champion).toBe(id);
    expect((await get('/promotions')).total).toBe(2);
    const run = await get(`/training-runs/run-${model!.trainingRunId}`);
    expect(run.later).toMatchObject([
      { model: id, reason: expect.stringContaining(`${id} (logistic) beats`) },
    ]);
    expect(run.decision).toContain('first champion');
    expect((await get(`/models/${id}`)).decision).toBe(run.later[0].reason);
    // What a person takes back afterwards stays taken back.
    await post('/champion/rollback', { reason: 'that was too soon' });
    await finishTrainingRun(desk.prisma, model!.id);
    expect((await get('/models')).champion).toBe(`model-${holder!.id}`);
    const trained = await post(`/models/${id}/resume`);
    expect([trained.status, trained.json.detail]).toEqual([422, `${id} is trained already`]);
  });
});

describe('tracks by popularity', () => {
  test('are all there: those of one instant once, those without a reading last', async () => {
    const ids = tracks.map(({ trackId }) => trackId);
    const at = new Date('2026-01-01');
    const rated = ids.slice(0, 30);
    // Two readings of one instant, the later row counts; and an older one that does not.
    await desk.prisma.popularityReading.createMany({
      data: rated.flatMap((trackId, index) => [
        ...[{ trackId, value: 99, origin: 'test', takenAt: at }],
        ...[{ trackId, value: index % 7, origin: 'test', takenAt: at }],
        ...[{ trackId, value: 50, origin: 'test', takenAt: new Date('2025-01-01') }],
      ]),
    });
    await desk.prisma.popularityReading.create({ data: { trackId: ids[35]!, rank: 5, origin: 'test' } });
    for (const [sort, sign] of [
      ['popularity', 1],
      ['-popularity', -1],
    ] as const) {
      const expected = [
        ...[...rated.keys()].sort((x, y) => sign * ((x % 7) - (y % 7)) || x - y).map((index) => ids[index]!),
        ...ids.slice(30),
      ].map((id) => `track-${id}`);
      const { total, items } = await get(`/tracks?sort=${sort}&limit=100`);
      expect(total).toBe(40);
      expect(items.map(({ id }: { id: string }) => id)).toEqual(expected);
      const paged = [];
      for (let offset = 0; offset < 40; offset += 7) {
        paged.push(...(await get(`/tracks?sort=${sort}&limit=7&offset=${offset}`)).items);
      }
      expect(paged.map(({ id }: { id: string }) => id)).toEqual(expected);
    }
    expect((await get('/tracks?popularityFrom=6')).items.map(({ id }: { id: string }) => id)).toEqual(
      [...rated.keys()].filter((index) => index % 7 === 6).map((index) => `track-${ids[index]}`),
    );
  });

  test('far into a long list they stand in the same order as at its beginning', async () => {
    const { pool } = desk.database;
    await pool.query(
      `INSERT INTO tracks (source, source_key, title) SELECT 'long', n::text, 'Long ' || n FROM generate_series(1, 5200) n`,
    );
    await pool.query(
      `INSERT INTO popularity_readings (track_id, value, origin) SELECT id, (source_key::int * 7919) % 100, 'test'
       FROM tracks WHERE source = 'long' AND source_key::int <= 5000`,
    );
    const { rows } = await pool.query<{ id: number }>(
      `SELECT t.id FROM tracks t LEFT JOIN popularity_readings r ON r.track_id = t.id WHERE source = 'long'
       ORDER BY r.value DESC NULLS LAST, t.id`,
    );
    const expected = rows.map(({ id }) => `track-${id}`);
    for (const offset of [0, 1_990, 2_400, 4_000, 4_980, 5_000, 5_190]) {
      const { items, total } = await get(`/tracks?source=long&sort=-popularity&limit=40&offset=${offset}`);
      expect(total).toBe(5_200);
      const here = items.map(({ id }: { id: string }) => id);
      expect([offset, here]).toEqual([offset, expected.slice(offset, offset + 40)]);
    }
  });

  test("a track's newest readings are told, oldest first", async () => {
    const trackId = tracks[39]!.trackId;
    await desk.prisma.popularityReading.createMany({
      data: Array.from({ length: 230 }, (_, index) => ({
        ...{ trackId, value: index % 100, origin: 'test', takenAt: new Date(Date.UTC(2026, 0, 1, index)) },
      })),
    });
    const { readings } = await get(`/tracks/track-${trackId}`);
    expect(readings).toHaveLength(200);
    expect(readings[0].at).toBe(new Date(Date.UTC(2026, 0, 1, 30)).toISOString());
    expect(readings.at(-1).at).toBe(new Date(Date.UTC(2026, 0, 1, 229)).toISOString());
  });
});
