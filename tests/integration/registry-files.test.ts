import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { exportModel } from '../../producers/export.ts';
import { findDataSet, freeze } from '../../producers/freeze.ts';
import { importModel } from '../../producers/import.ts';
import { listModels, showModel } from '../../producers/models.ts';
import { PermanentError, UserError } from '../../shared/errors.ts';
import { publicId } from '../../shared/identifiers.ts';
import { RegistryDesk } from '../support/registry.ts';

let here: RegistryDesk;
let elsewhere: RegistryDesk;
let dataSet: number;
let folder: string;

const cut = { thresholdRule: 'median', testFraction: 0.2, holdoutFraction: 0.2, seed: 1 } as const;

beforeAll(async () => {
  here = await RegistryDesk.open();
  elsewhere = await RegistryDesk.open();
  for (const desk of [here, elsewhere]) await addTracks(desk, 0, 40);
  dataSet = (await freeze(here.session, { ...cut, keepHoldout: null })).dataSet.id;
});
afterAll(async () => {
  await here?.close();
  await elsewhere?.close();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hiphop-model-files-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await here.clear();
  await elsewhere.clear();
});

async function addTracks(desk: RegistryDesk, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    const trackId = await desk.track({ artist: `Artist ${i}` });
    await desk.prisma.popularityReading.create({
      data: { trackId, value: (i * 37) % 101, origin: 'manifest' },
    });
  }
}

async function exported(): Promise<{ file: string; model: string }> {
  const [model] = await here.run(dataSet, [{ cross: 0.7 }]);
  const file = join(folder, 'a.hiphop');
  const name = publicId('model', model!.id);
  expect(await exportModel(here.session, name, file)).toMatchObject({ model: name, file });
  return { file, model: name };
}

test('a model comes back as it was, once, with a data set that names what it was trained on', async () => {
  const { file, model } = await exported();
  expect(await importModel(here.session, file)).toMatchObject({ model, isNew: false });
  const both = await Promise.all([
    importModel(elsewhere.session, file),
    importModel(elsewhere.session, file),
  ]);
  expect(both.map(({ isNew }) => isNew).sort()).toEqual([false, true]);
  expect(both[0]!.model).toBe(both[1]!.model);

  const columns = { include: { weights: true, dataSet: { include: { parameters: true } } } } as const;
  const original = await here.prisma.model.findFirstOrThrow(columns);
  const copy = await elsewhere.prisma.model.findFirstOrThrow({ ...columns });
  for (const column of ['name', 'options', 'parameters', 'topology', 'metrics', 'holdoutScores'] as const) {
    expect(copy[column], column).toEqual(original[column]);
  }
  expect(Buffer.from(copy.weights!.bytes).equals(original.weights!.bytes)).toBe(true);
  const { id: _own, name, createdAt: _then, ...facts } = original.dataSet;
  expect(copy.dataSet).toMatchObject({ ...facts, name: `${name}-imported` });
  expect(copy.imported).toMatchObject({ model, dataset: name, exportedAt: expect.any(String) });
  expect(copy.state).toBe('ready');

  const shown = await showModel(elsewhere.prisma, both[0]!.model);
  expect(shown).toMatchObject({ imported: { model }, decision: null, promotions: [] });
  expect((await listModels(elsewhere.prisma)).champion).toBeNull();
});

test('a data set without tracks is neither trained on nor taken for a new one', async () => {
  const { file } = await exported();
  const { dataset } = await importModel(elsewhere.session, file);
  await expect(findDataSet(elsewhere.prisma, dataset)).rejects.toThrow('came with an imported model');
  const frozen = await freeze(elsewhere.session, { ...cut, keepHoldout: null });
  const imported = await elsewhere.prisma.dataSet.findUniqueOrThrow({ where: { name: dataset } });
  expect(frozen.dataSet.contentHash).toBe(imported.contentHash);
  expect(frozen).toMatchObject({ isNew: true });
  expect(await freeze(elsewhere.session, { ...cut, keepHoldout: null })).toMatchObject({
    ...{ isNew: false, dataSet: { id: frozen.dataSet.id } },
  });
});

test('a frozen data set keeps the sides of the one before where that is asked for', async () => {
  await addTracks(here, 40, 60);
  const sides = async (id: number) => {
    const rows = await here.prisma.dataSetTrack.findMany({ where: { dataSetId: id } });
    return new Map(rows.map(({ trackId, split }) => [trackId, split]));
  };
  const before = await sides(dataSet);
  const anew = await freeze(here.session, { ...cut, seed: 2, keepHoldout: null });
  const moved = [...(await sides(anew.dataSet.id))].filter(
    ([trackId, split]) => (before.get(trackId) ?? split) !== split,
  );
  expect(moved.length).toBeGreaterThan(0);
  const { name } = await here.prisma.dataSet.findUniqueOrThrow({ where: { id: dataSet } });
  const kept = await freeze(here.session, { ...cut, seed: 2, keepHoldout: name });
  const after = await sides(kept.dataSet.id);
  for (const [trackId, split] of before) expect(after.get(trackId)).toBe(split);
  expect(after.size).toBe(60);
  expect(await freeze(here.session, { ...cut, seed: 3, keepHoldout: 'latest' })).toMatchObject({
    ...{ isNew: false, dataSet: { id: kept.dataSet.id } },
  });
  await expect(freeze(here.session, { ...cut, keepHoldout: 'nothing' })).rejects.toThrow(UserError);
});

test('files that are no models are left alone, whichever way', async () => {
  const { file, model } = await exported();
  const song = join(folder, 'song.wav');
  writeFileSync(song, 'RIFF and so on');
  mkdirSync(join(folder, 'sub'));
  const damaged = readFileSync(file);
  damaged[damaged.length >> 1]! ^= 1;
  writeFileSync(join(folder, 'damaged'), damaged);
  for (const [name, words] of [
    ['damaged', 'is damaged'],
    ['song.wav', 'is not a model made by hiphop export'],
    ['nowhere', 'cannot be read'],
    ['sub', 'cannot be read'],
  ] as const) {
    const refused = importModel(elsewhere.session, join(folder, name));
    await expect(refused, name).rejects.toThrow(words);
    await expect(refused).rejects.toThrow(UserError);
  }
  for (const [name, words] of [
    ['song.wav', 'is no exported model'],
    ['sub', 'is no exported model'],
    [join('no', 'where'), 'cannot be written'],
  ] as const) {
    await expect(exportModel(here.session, model, join(folder, name)), name).rejects.toThrow(words);
  }
  expect(readFileSync(song, 'utf8')).toBe('RIFF and so on');
  await exportModel(here.session, model, file);
  expect(readdirSync(folder).sort()).toEqual(['a.hiphop', 'damaged', 'song.wav', 'sub']);
  expect(await elsewhere.prisma.model.count()).toBe(0);
});

test('a model that is not trained, or whose weights are damaged, is not exported', async () => {
  const [failed, broken] = await here.run(dataSet, [{ state: 'failed' }, {}]);
  await here.prisma.modelWeights.update({
    where: { modelId: broken!.id },
    data: { bytes: new Uint8Array(4) },
  });
  const file = join(folder, 'b.hiphop');
  await expect(exportModel(here.session, String(failed!.id), file)).rejects.toThrow('it is failed');
  await expect(exportModel(here.session, String(broken!.id), file)).rejects.toThrow(PermanentError);
  expect(readdirSync(folder)).toEqual([]);
});
