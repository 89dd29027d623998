import { beforeAll, describe, expect, it, vi } from 'vitest';
import { CancelledError, UserError } from '../../../shared/errors.ts';
import { modelFamilies } from '../../../shared/learning/families.ts';
import type { TrainCheckpoint, TrainProgress, TrainTask } from '../../../shared/learning/task.ts';
import { runTrainTask, type TrainEnvironment } from '../../../shared/learning/train-task.ts';
import { type LoadedTensorFlow, loadTensorFlow } from '../../../shared/tensorflow/index.ts';
import { plantedSet, taskOn } from './planted.ts';

// Networks train on the slowest back end here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 300_000 });

let loaded: LoadedTensorFlow;
beforeAll(async () => {
  loaded = await loadTensorFlow({ preference: 'wasm', cacheDir: '' });
});

const environment = (changes: Partial<TrainEnvironment> = {}): TrainEnvironment => ({
  ...{ tensorflow: async () => loaded, turn: async () => {}, onProgress: () => {}, onCheckpoint: () => {} },
  ...changes,
});

async function run(count: number, changes: Partial<TrainTask>, hooks: Partial<TrainEnvironment> = {}) {
  const set = await plantedSet(count);
  return { set, result: await runTrainTask(taskOn(set, changes), set.source, environment(hooks)) };
}

describe('runTrainTask', () => {
  it('finds a planted rule by logistic regression', async () => {
    const { set, result } = await run(80, { model: 'logistic', crossValidationFolds: 5 });
    expect(result).toMatchObject({ parameters: 385, backend: 'javascript', preset: 'default', warnings: [] });
    expect(result.metrics.holdout.n).toBe(20);
    expect(result.metrics.holdout.rocAuc).toBeGreaterThan(0.85);
    expect(result.metrics.crossValidation).toMatchObject({ folds: 5, n: 80 });
    expect(result.metrics.crossValidation!.rocAuc).toBeGreaterThan(0.85);
    expect(result.holdoutScores).toEqual([...result.holdoutScores].sort((a, b) => a - b));
    const predictor = await modelFamilies.logistic.load(result, async () => loaded);
    const holdout = set.spectrograms.filter((_, i) => set.records[i]!.split === 'holdout');
    expect((await predictor.predict(holdout)).sort((a, b) => a - b)).toEqual(result.holdoutScores);
  });

  it('finds nothing when labels are shuffled', async () => {
    const areas: number[] = [];
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { result } = await run(120, {
        model: 'logistic',
        crossValidationFolds: 5,
        shuffleLabels: true,
        seed,
      });
      areas.push(result.metrics.crossValidation!.rocAuc!);
    }
    expect(Math.abs(areas.reduce((a, b) => a + b) / areas.length - 0.5)).toBeLessThan(0.08);
  });

  it('tells what it said of each track unseen, and studies what it hangs on', async () => {
    const { set, result } = await run(80, { model: 'logistic', crossValidationFolds: 5 });
    const of = (side: string) => result.predictions.filter((one) => one.side === side);
    expect(of('out_of_fold').map(({ index }) => index)).toEqual([...set.records.keys()]);
    const holdout = [...set.records.keys()].filter((i) => set.records[i]!.split === 'holdout');
    expect(of('holdout').map(({ index }) => index)).toEqual(holdout);
    expect(
      of('holdout')
        .map(({ probability }) => probability)
        .sort((a, b) => a - b),
    ).toEqual(result.holdoutScores);
    const { learningCurve, confounds, leaveOneSourceOut } = result.metrics.studies!;
    expect(learningCurve.map(({ n }) => n)).toEqual([80, 80, 80]);
    const tracks = learningCurve.map((point) => point.tracks);
    expect(tracks).toEqual([...tracks].sort((a, b) => a - b));
    expect(learningCurve.at(-1)!.rocAuc).toBe(result.metrics.crossValidation!.rocAuc);
    expect([confounds, leaveOneSourceOut]).toEqual([[], null]);
  });

  it('warns where the source explains the label better than the sound does', async () => {
    const set = await plantedSet(120);
    const records = set.records.map((record, i) => ({
      ...record,
      source: record.popularity > 50 ? (i % 12 === 0 ? 'b' : 'a') : i % 12 === 0 ? 'a' : 'b',
      popularity: record.popularity,
    }));
    // The sound says nothing: clips are dealt to other records.
    const source = { ...set.source, read: (index: number) => set.source.read((index + 37) % 120) };
    const task = taskOn({ ...set, records }, { model: 'logistic', crossValidationFolds: 4 });
    const { metrics, warnings } = await runTrainTask(task, source, environment());
    const [bySource] = metrics.studies!.confounds;
    expect(bySource).toMatchObject({ by: 'source' });
    expect(bySource!.rocAuc).toBeGreaterThan(0.75);
    expect(metrics.studies!.leaveOneSourceOut).toMatchObject({ sources: 2 });
    expect(warnings).toContainEqual(expect.stringContaining('the source explains popularity better'));
  });

  it('gives the floor by dummy, out of fold too', async () => {
    const { result } = await run(80, { model: 'dummy', crossValidationFolds: 5 });
    expect(result.metrics.holdout.rocAuc).toBe(0.5);
    expect(result.metrics.test.brier).toBeCloseTo(0.25, 1);
    expect(result.parameters).toBe(1);
  });

  it('finds a planted rule by crnn, says how far it is, and loads what it made', async () => {
    const seen: TrainProgress[] = [];
    const { set, result } = await run(
      64,
      { model: 'crnn', preset: 'small' },
      { onProgress: (p) => seen.push(p) },
    );
    expect(result).toMatchObject({ backend: 'wasm', preset: 'small' });
    expect(result.metrics.holdout.rocAuc).toBeGreaterThan(0.8);
    expect(result.metrics.trainMsPerSample).toBeGreaterThan(0);
    expect(seen.map(({ epoch }) => epoch)).toEqual(result.metrics.epochs.map(({ epoch }) => epoch));
    expect(seen[0]).toMatchObject({ phase: 'final', fold: null, folds: null });
    const predictor = await modelFamilies.crnn.load(structuredClone(result), async () => loaded);
    const holdout = set.spectrograms.filter((_, i) => set.records[i]!.split === 'holdout');
    expect((await predictor.predict(holdout)).sort((a, b) => a - b)).toEqual(result.holdoutScores);
    predictor.dispose();
  });

  it.each(['crnn', 'logistic'])(
    'goes on from any checkpoint of %s, in folds and in the final fit, to the same result',
    async (model) => {
      const checkpoints: TrainCheckpoint[] = [];
      const changes = { model, crossValidationFolds: 2 };
      const before = loaded.tf.memory().numTensors;
      const { set, result } = await run(16, changes, {
        onCheckpoint: (checkpoint) => checkpoints.push(checkpoint),
      });
      expect(loaded.tf.memory().numTensors).toBe(before);
      const places = model === 'crnn' ? [5, checkpoints.length - 2] : [0, 1];
      for (const place of places) {
        const checkpoint = {
          ...checkpoints[place]!,
          progress: JSON.parse(JSON.stringify(checkpoints[place]!.progress)),
        };
        const seen: TrainProgress[] = [];
        const resumed = await runTrainTask(
          taskOn(set, { ...changes, checkpoint }),
          set.source,
          environment({ onProgress: (p) => seen.push(p) }),
        );
        expect(resumed.weights).toEqual(result.weights);
        expect(resumed.holdoutScores).toEqual(result.holdoutScores);
        expect(resumed.metrics.crossValidation).toEqual(result.metrics.crossValidation);
        if (model === 'crnn')
          expect(seen).toHaveLength(
            checkpoints.filter(({ bytes }) => bytes.length > 0).length -
              checkpoints.slice(0, place + 1).filter(({ bytes }) => bytes.length > 0).length,
          );
      }
    },
  );

  it('stops when told to', async () => {
    let turns = 0;
    const turn = async () => {
      if (++turns > 20) throw new CancelledError('enough');
    };
    await expect(run(40, { model: 'logistic', crossValidationFolds: 5 }, { turn })).rejects.toThrow(
      CancelledError,
    );
  });

  it('has no AUC, and says why, when the holdout is empty or of one class', async () => {
    const set = await plantedSet(40);
    const records = set.records.map((record) => ({
      ...record,
      split: record.split === 'holdout' ? ('train' as const) : record.split,
    }));
    const { metrics } = await runTrainTask(taskOn({ ...set, records }, {}), set.source, environment());
    expect(metrics.holdout).toMatchObject({
      n: 0,
      rocAuc: null,
      reason: expect.stringContaining('no tracks'),
    });
    expect(metrics.crossValidation).toBeNull();
  });

  it('refuses models, presets and folds that there are not', async () => {
    await expect(run(40, { model: 'oracle' })).rejects.toThrow(
      /no model 'oracle': choose from dummy, logistic, forest/,
    );
    await expect(run(40, { preset: 'huge' })).rejects.toThrow(/no preset 'huge'/);
    await expect(run(40, { crossValidationFolds: 30 })).rejects.toThrow(UserError);
    await expect(run(40, { model: 'toString' })).rejects.toThrow(UserError);
  });
});
