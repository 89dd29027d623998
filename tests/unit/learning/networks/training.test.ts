import { beforeAll, describe, expect, it, vi } from 'vitest';
import { PermanentError } from '../../../shared/errors.ts';
import { type CrnnShape, crnnNetwork } from '../../../shared/learning/crnn.ts';
import { chooseCrnnPreset, crnnPresets } from '../../../shared/learning/crnn-presets.ts';
import type { FitCheckpoint, TrainingContext } from '../../../shared/learning/family.ts';
import { gru } from '../../../shared/learning/gru.ts';
import { initialValues } from '../../../shared/learning/network.ts';
import { InputMaker } from '../../../shared/learning/network-input.ts';
import { predictBatch } from '../../../shared/learning/network-prediction.ts';
import { type TrainingSettings, trainNetwork } from '../../../shared/learning/network-training.ts';
import { fillDropout, randomStream } from '../../../shared/learning/random.ts';
import { statisticsTable } from '../../../shared/learning/statistics.ts';
import { encodeWeights, parametersOf } from '../../../shared/learning/weights.ts';
import { type LoadedTensorFlow, loadTensorFlow, type TensorFlow } from '../../../shared/tensorflow/index.ts';
import { kerasGru } from './keras-gru.ts';
import { bands, frames, plantedSet } from './planted.ts';

// Networks train on the slowest back end here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 300_000 });

let loaded: LoadedTensorFlow;
let tf: TensorFlow;
beforeAll(async () => {
  loaded = await loadTensorFlow({ preference: 'wasm', cacheDir: '' });
  tf = loaded.tf;
});

describe('gru', () => {
  const run = (mask: number[][] | null): number[] =>
    tf.tidy(() => {
      const weights = {
        kernel: tf.tensor2d(kerasGru.kernel),
        recurrentKernel: tf.tensor2d(kerasGru.recurrent),
        bias: tf.tensor2d(kerasGru.bias),
      };
      const x = tf.transpose(tf.tensor3d(kerasGru.x), [1, 0, 2]);
      const masks = mask?.map((step) => tf.tensor2d(step, [2, 1])) ?? null;
      const states = tf.transpose(tf.stack(gru(tf, x, weights, masks)), [1, 0, 2]);
      return [...states.dataSync()];
    });
  const close = (found: number[], wanted: number[][][]) => {
    for (const [i, value] of wanted.flat(2).entries()) expect(found[i]).toBeCloseTo(value, 5);
  };

  it("computes what Keras's does", () => close(run(null), kerasGru.states));
  it('holds its state where a step is masked', () =>
    close(
      run([
        [1, 1],
        [1, 1],
        [1, 0],
        [1, 0],
      ]),
      kerasGru.masked,
    ));
});

describe('crnnNetwork', () => {
  it("has the original's parameters", () => {
    expect(parametersOf(crnnNetwork(crnnPresets.original, 128, 1292).weights)).toBe(391_585);
  });

  it('refuses an input too small for its pools', () => {
    expect(() => crnnNetwork(crnnPresets.original, 64, 1292)).toThrow(/too small/);
  });

  it('gives a short clip the same logit however long the padding', async () => {
    const network = crnnNetwork(shape, 32, 64);
    const weights = network.weights.map((spec) =>
      tf.tensor(initialValues(spec, randomStream(spec.name)), [...spec.shape]),
    );
    const values = Array.from({ length: 32 }, () =>
      Array.from({ length: 64 }, () => Math.sin(randomStream(1).next())),
    );
    // 22 true frames end in the second of the steps of 16 frames.
    const logitOf = (total: number) => {
      const padded = values.map((row) => Array.from({ length: total }, (_, i) => [i < 22 ? row[i]! : 0]));
      return tf.tidy(() => network.forward(tf, weights, tf.tensor4d([padded]), [22], null).dataSync()[0]!);
    };
    expect(logitOf(64)).toBeCloseTo(logitOf(48), 6);
    tf.dispose(weights);
  });

  it('is chosen by back end and size', () => {
    expect(chooseCrnnPreset('auto', 'tensorflow-gpu', 5000)).toBe('original');
    expect(chooseCrnnPreset('auto', 'tensorflow-gpu', 100)).toBe('small');
    expect(chooseCrnnPreset('auto', 'wasm', 5000)).toBe('small');
    expect(chooseCrnnPreset('original', 'wasm', 10)).toBe('original');
  });
});

describe('initialValues', () => {
  it('draws orthogonal rows and Glorot limits', () => {
    const rows = initialValues({ name: '', shape: [3, 7], initial: 'orthogonal' }, randomStream(1));
    const dot = (a: number, b: number) =>
      Array.from({ length: 7 }, (_, i) => rows[a * 7 + i]! * rows[b * 7 + i]!).reduce((x, y) => x + y);
    expect(dot(0, 0)).toBeCloseTo(1, 6);
    expect(dot(0, 1)).toBeCloseTo(0, 6);
    expect(dot(1, 2)).toBeCloseTo(0, 6);
    const kernel = initialValues({ name: '', shape: [3, 3, 4, 5], initial: 'glorot' }, randomStream(1));
    const limit = Math.sqrt(6 / (9 * (4 + 5)));
    expect(Math.max(...kernel)).toBeLessThanOrEqual(limit);
    expect(Math.max(...kernel)).toBeGreaterThan(0.9 * limit);
    expect(Math.min(...kernel)).toBeLessThan(-0.9 * limit);
  });
});

describe('fillDropout', () => {
  it('keeps the mean and drops the wanted share', () => {
    const mask = new Float32Array(100_001);
    fillDropout(mask, 0.3, randomStream(1));
    expect(mask.filter((value) => value === 0).length / mask.length).toBeCloseTo(0.3, 2);
    expect(mask.reduce((sum, value) => sum + value) / mask.length).toBeCloseTo(1, 2);
  });
});

describe('InputMaker', () => {
  const normalisation = { mean: [-40, -40], deviation: [10, 20] };
  const clip = { levels: Uint8Array.of(255, 0, 255, 51, 255, 51), frames: 3 };

  it('averages normalised dB over true frames, and pads with 0', () => {
    const maker = new InputMaker({ bands: 2, frames: 6, poolBands: 2, poolFrames: 2 }, normalisation);
    const into = new Float32Array(4).fill(9);
    expect(maker.write(clip, 0, into, 1)).toBe(2);
    // (0 + 40) / 10, (-80 + 40) / 10; (-64 + 40) / 20, (0 + 40) / 20; then the single frame 3.
    expect(into[0]).toBe(9);
    expect(into[1]).toBeCloseTo((4 - 4 - 1.2 + 2) / 4, 5);
    expect(into[2]).toBeCloseTo((4 - 1.2) / 2, 5);
    expect(into[3]).toBe(0);
  });

  it('takes a stretch of a longer clip', () => {
    const maker = new InputMaker({ bands: 2, frames: 2, poolBands: 1, poolFrames: 1 }, normalisation);
    const into = new Float32Array(4);
    expect(maker.write(clip, 1, into, 0)).toBe(2);
    for (const [i, value] of [-4, 4, 2, -1.2].entries()) expect(into[i]).toBeCloseTo(value, 5);
  });

  it('refuses other bands', () => {
    expect(() => new InputMaker({ bands: 3, frames: 2, poolBands: 1, poolFrames: 1 }, normalisation)).toThrow(
      /do not fit/,
    );
  });
});

const shape: CrnnShape = {
  filters: [4, 4, 8, 8],
  pools: [
    [2, 2],
    [2, 2],
    [2, 2],
    [4, 2],
  ],
  recurrentUnits: 8,
  convolutionDropout: 0.1,
  recurrentDropout: 0.3,
};
const settings: TrainingSettings = {
  ...{
    batchSize: 8,
    epochs: 5,
    patience: 5,
    learningRate: 5e-3,
    warmUpEpochs: 1,
    weightDecay: 0.01,
    clipNorm: 1,
  },
  ...{ cropFrames: 160, maskBands: 4, maskFrames: 4 },
};
const input = { bands, frames, poolBands: 4, poolFrames: 2 };
const network = crnnNetwork(shape, 32, 100);

async function context(changes: Partial<TrainingContext> = {}): Promise<TrainingContext> {
  const set = await plantedSet(48);
  const examples = set.records.map(({ popularity, group }, index) => ({
    index,
    group,
    label: (popularity >= 50 ? 1 : 0) as 0 | 1,
  }));
  return {
    ...{
      source: set.source,
      statistics: statisticsTable(set.source),
      train: examples.slice(0, 36),
      validation: examples.slice(36),
    },
    ...{
      normalisation: async () => set.normalisation,
      preset: '',
      seed: 1,
      tensorflow: async () => loaded,
      turn: async () => {},
    },
    ...{ onEpoch: () => {}, checkpoint: null, onCheckpoint: () => {} },
    ...changes,
  };
}
const train = async (changes: Partial<TrainingContext> = {}, other: Partial<TrainingSettings> = {}) => {
  const c = await context(changes);
  return trainNetwork(tf, network, input, { ...settings, ...other }, await c.normalisation(), c);
};

describe('trainNetwork', () => {
  it('learns a planted rule, repeats to the bit, and leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    const tensorsAt: number[] = [];
    const a = await train(
      { onEpoch: () => tensorsAt.push(tf.memory().numTensors) },
      { epochs: 12, patience: 12 },
    );
    expect(new Set(tensorsAt).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
    expect(a.epochs.at(-1)!.trainLoss).toBeLessThan(0.8 * a.epochs[0]!.trainLoss);
    expect(Math.max(...a.epochs.map(({ testRocAuc }) => testRocAuc!))).toBeGreaterThan(0.9);
    const b = await train({}, { epochs: 12, patience: 12 });
    expect(b.weights).toEqual(a.weights);
    const c = await train({ seed: 2 }, { epochs: 1 });
    expect(c.weights).not.toEqual(a.weights);
  });

  it('goes on from a checkpoint as if it had never stopped', async () => {
    const checkpoints: FitCheckpoint[] = [];
    const whole = await train({ onCheckpoint: (checkpoint) => checkpoints.push(checkpoint) });
    expect(checkpoints).toHaveLength(5);
    const stored = structuredClone(checkpoints[1]!);
    const resumed = await train({
      checkpoint: { progress: JSON.parse(JSON.stringify(stored.progress)), bytes: stored.bytes },
    });
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.epochs.map(({ ms, ...rest }) => rest)).toEqual(
      whole.epochs.map(({ ms, ...rest }) => rest),
    );
  });

  it('starts over from a checkpoint of another network', async () => {
    const whole = await train({}, { epochs: 1 });
    const foreign = {
      progress: { step: 9, epochs: [], bestLoss: 0, bestEpoch: 3 },
      bytes: encodeWeights([]),
    };
    expect((await train({ checkpoint: foreign }, { epochs: 1 })).weights).toEqual(whole.weights);
  });

  it('stops early and keeps the best epoch', async () => {
    const stopped = await train({}, { epochs: 30, patience: 1, learningRate: 0.05, warmUpEpochs: 0 });
    expect(stopped.epochs.length).toBeLessThan(30);
    const best = stopped.epochs.reduce((a, b) => (b.testLoss! < a.testLoss! ? b : a));
    expect(stopped.epochs.length - best.epoch).toBe(1);
    const again = await train({}, { epochs: 30, patience: 1, learningRate: 0.05, warmUpEpochs: 0 });
    const { validation, source, normalisation } = await context();
    const weights = again.weights.map(({ shape, values }) => tf.tensor(values, [...shape]));
    const maker = new InputMaker(input, await normalisation());
    const spectrograms = await Promise.all(validation.map(({ index }) => source.read(index)));
    const probabilities = await predictBatch(tf, network, maker, weights, spectrograms);
    tf.dispose(weights);
    const loss =
      probabilities.reduce((sum, p, i) => sum - Math.log(validation[i]!.label ? p : 1 - p), 0) /
      validation.length;
    expect(loss).toBeCloseTo(best.testLoss!, 4);
  });

  it('stops with a reason when it diverges', async () => {
    const broken = train({
      normalisation: async () => ({
        mean: new Array(bands).fill(0),
        deviation: new Array(bands).fill(Number.NaN),
      }),
    });
    await expect(broken).rejects.toThrow(PermanentError);
    await expect(broken).rejects.toThrow(/diverged in epoch 1/);
  });
});
