import { beforeAll, describe, expect, it } from 'vitest';
import { cnn1, cnn2, crnn, mlp } from '../../../../shared/learning/networks/families.ts';
import { gru } from '../../../../shared/learning/networks/gru.ts';
import { InputMaker, pooledShape } from '../../../../shared/learning/networks/input.ts';
import { buildNetwork } from '../../../../shared/learning/networks/layers.ts';
import { initialValues } from '../../../../shared/learning/networks/network.ts';
import {
  choosePreset,
  cnn1Presets,
  cnn2Presets,
  crnnPresets,
  mlpPresets,
} from '../../../../shared/learning/networks/presets.ts';
import { randomStream } from '../../../../shared/learning/random.ts';
import { parametersOf } from '../../../../shared/learning/weights.ts';
import { loadTensorFlow, type TensorFlow } from '../../../../shared/tensorflow/index.ts';
import { kerasGru } from './keras-gru.ts';
import { tinyShape } from './tiny.ts';

let tf: TensorFlow;
beforeAll(async () => {
  tf = (await loadTensorFlow({ preference: 'wasm', cacheDir: '' })).tf;
});

describe('gru', () => {
  const run = (mask: number[][]): number[] =>
    tf.tidy(() => {
      const weights = {
        kernel: tf.tensor2d(kerasGru.kernel),
        recurrentKernel: tf.tensor2d(kerasGru.recurrent),
        bias: tf.tensor2d(kerasGru.bias),
      };
      const x = tf.transpose(tf.tensor3d(kerasGru.x), [1, 0, 2]);
      const masks = mask.map((step) => tf.tensor2d(step, [2, 1]));
      const states = tf.transpose(tf.stack(gru(tf, x, weights, masks)), [1, 0, 2]);
      return [...states.dataSync()];
    });
  const close = (found: number[], wanted: number[][][]) => {
    for (const [i, value] of wanted.flat(2).entries()) expect(found[i]).toBeCloseTo(value, 5);
  };

  it("computes what Keras's does", () => close(run(new Array(4).fill([1, 1])), kerasGru.states));
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

describe('buildNetwork', () => {
  it.each([
    ['mlp', mlpPresets, 21_176_577],
    ['cnn1', cnn1Presets, 2_727_041],
    ['cnn2', cnn2Presets, 2_831_137],
    ['crnn', crnnPresets, 391_585],
  ] as const)("%s has the original's parameters, and its small preset few", (_, presets, parameters) => {
    expect(parametersOf(buildNetwork(presets.original, 128, 1292).weights)).toBe(parameters);
    const { poolBands, poolFrames } = presets.small;
    const small = pooledShape({ bands: 128, frames: 1292, poolBands, poolFrames });
    expect(parametersOf(buildNetwork(presets.small, ...small).weights)).toBeLessThan(200_000);
  });

  it.each([mlp, cnn1, cnn2, crnn])('$name says where it comes from and what it scored there', (family) => {
    expect(family.description).toMatch(/the original had it; there .*\.\d{3} accuracy and \.\d{3} ROC-AUC/);
    expect(Object.keys(family.presets)).toEqual(['auto', 'small', 'original']);
  });

  it('refuses an input too small for its pools', () => {
    expect(() => buildNetwork(crnnPresets.original, 64, 1292)).toThrow(/too small/);
  });

  it('gives a short clip the same logit however long the padding', async () => {
    const network = buildNetwork(tinyShape, 32, 64);
    const weights = network.weights.map((spec) =>
      tf.tensor(initialValues(spec, randomStream(spec.name)), [...spec.shape]),
    );
    const values = Array.from({ length: 32 }, () =>
      Array.from({ length: 64 }, () => Math.sin(randomStream(1).next())),
    );
    // 22 true frames end in the second of the steps of 16 frames.
    const logitOf = (total: number) => {
      const padded = values.map((row) => Array.from({ length: total }, (_, i) => [i < 22 ? row[i]! : 0]));
      return tf.tidy(
        () => network.forward(tf, weights, tf.tensor4d([padded]), tf.tensor1d([22]), null).dataSync()[0]!,
      );
    };
    expect(logitOf(64)).toBeCloseTo(logitOf(48), 6);
    tf.dispose(weights);
  });

  it('is chosen by back end and size', () => {
    expect(choosePreset('auto', 'tensorflow-gpu', 5000)).toBe('original');
    expect(choosePreset('auto', 'tensorflow-gpu', 100)).toBe('small');
    expect(choosePreset('auto', 'wasm', 5000)).toBe('small');
    expect(choosePreset('original', 'wasm', 10)).toBe('original');
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
