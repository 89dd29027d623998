import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../../shared/config.ts';
import { loadTensorFlow, type TensorFlow, tensorflowEnvironment } from '../../../shared/tensorflow/index.ts';
import { findReady } from '../../../shared/tensorflow/load.ts';
import { trainTinyNetwork } from './tiny-network.mjs';

Object.assign(process.env, tensorflowEnvironment('cpu'));
const { cacheDir } = parseConfig(process.env);

let folder: string;
let tf: TensorFlow;
let tensors: number;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hiphop-wasm-'));
  const loaded = await loadTensorFlow({ preference: 'wasm', cacheDir: folder });
  expect(loaded).toMatchObject({ backend: 'wasm', version: '4.22.0' });
  tf = loaded.tf;
  tensors = tf.memory().numTensors;
});
afterEach(async () => {
  await tf.setBackend('wasm');
  expect(tf.memory().numTensors, 'no tensor is left over').toBe(tensors);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Numbers in [-1, 1), always the same: a linear congruential generator. */
function randomTensor(shape: number[], seed = 1): Tensor {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, next), shape);
}

type Operation = (...inputs: Tensor[]) => Tensor;

/** A scalar that depends on every output, each with another weight. */
const weighed = (y: Tensor): Tensor =>
  tf.sum(tf.mul(y, tf.reshape(tf.sin(tf.range(1, y.size + 1)), y.shape)));

function gradients(operation: Operation, ...inputs: Tensor[]): Float32Array[] {
  return tf.tidy(() => {
    const grads = tf.grads((...values) => weighed(operation(...values)) as never)(inputs);
    return grads.map((grad) => grad.dataSync<'float32'>().slice());
  });
}

/** The gradient by the difference quotient, in steps small enough and large enough for float32. */
function numericGradients(operation: Operation, ...inputs: Tensor[]): Float32Array[] {
  const step = 1e-2;
  return inputs.map((input, position) => {
    const values = input.dataSync<'float32'>();
    return values.map((value, index) => {
      const at = (moved: number): number =>
        tf.tidy(() => {
          const changed = tf.tensor(
            Float32Array.from(values, (old, i) => (i === index ? moved : old)),
            input.shape,
          );
          const all = inputs.map((other, i) => (i === position ? changed : other));
          return weighed(operation(...all)).dataSync<'float32'>()[0]!;
        });
      return (at(value + step) - at(value - step)) / (2 * step);
    });
  });
}

function expectClose(actual: Float32Array[], expected: Float32Array[], tolerance: number): void {
  expect(actual.map((values) => values.length)).toEqual(expected.map((values) => values.length));
  const distances = actual.flatMap((values, i) =>
    Array.from(values, (value, j) => Math.abs(value - expected[i]![j]!)),
  );
  expect(Math.max(...distances)).toBeLessThan(tolerance);
}

const convolution =
  (strides: [number, number], pad: 'same' | 'valid'): Operation =>
  (x, filter) =>
    tf.conv2d(x as Tensor4D, filter as Tensor4D, strides, pad);
const pooling =
  (kind: 'maxPool' | 'avgPool', size: number, strides: number, pad: 'same' | 'valid'): Operation =>
  (x) =>
    tf[kind](x as Tensor4D, size, strides, pad);

describe('gradients against the difference quotient', () => {
  test.each([
    [[1, 1], 'same', 3],
    [[2, 1], 'same', 3],
    [[2, 2], 'valid', 2],
    [[1, 1], 'valid', 1],
  ] as const)('conv2d, strides %j, padding %s, filter %d', (strides, pad, size) => {
    tf.tidy(() => {
      const inputs = [randomTensor([2, 5, 6, 2]), randomTensor([size, size, 2, 3], 2)];
      const operation = convolution([...strides], pad);
      expectClose(gradients(operation, ...inputs), numericGradients(operation, ...inputs), 5e-3);
    });
  });

  test.each([
    ['maxPool', 2, 2, 'valid'],
    ['maxPool', 3, 2, 'same'],
    ['avgPool', 2, 2, 'valid'],
    ['avgPool', 3, 2, 'same'],
  ] as const)('%s %d, stride %d, %s, of values below zero', (kind, size, strides, pad) => {
    tf.tidy(() => {
      // Values far apart, so that no step changes which is the greatest.
      const order = Array.from({ length: 60 }, (_, index) => -1 - ((index * 37) % 60));
      const input = tf.tensor4d(order, [1, 5, 6, 2]);
      const operation = pooling(kind, size, strides, pad);
      expectClose(gradients(operation, input), numericGradients(operation, input), 5e-3);
    });
  });
});

test('of equal values, the first of the window gets the gradient of max pooling', () => {
  tf.tidy(() => {
    const [gradient] = gradients(pooling('maxPool', 2, 2, 'valid'), tf.zeros([1, 2, 2, 1]));
    expect(Array.from(gradient!, (value) => value !== 0)).toEqual([true, false, false, false]);
  });
});

describe.skipIf(findReady(cacheDir, 'cpu').binding === undefined)('against native TensorFlow', () => {
  const strides = [1, 2, 3] as const;
  const pads = ['same', 'valid'] as const;
  const cases: [string, Operation, number[][]][] = strides.flatMap((stride) =>
    pads.flatMap((pad) => [
      [
        `conv2d ${stride} ${pad}`,
        convolution([stride, 1], pad),
        [
          [2, 9, 10, 3],
          [3, 3, 3, 2],
        ],
      ],
      [`maxPool ${stride} ${pad}`, pooling('maxPool', 3, stride, pad), [[2, 9, 10, 3]]],
      [`avgPool ${stride} ${pad}`, pooling('avgPool', 2, stride, pad), [[2, 9, 10, 3]]],
    ]),
  );
  test.each(cases)('%s', async (_name, operation, shapes) => {
    const run = () =>
      tf.tidy(() => gradients(operation, ...shapes.map((shape, i) => randomTensor(shape, i + 1))));
    const wasm = run();
    await loadTensorFlow({ preference: 'cpu', cacheDir });
    expectClose(wasm, run(), 1e-4);
  });

  test('a whole network trains alike', async () => {
    const wasm = trainTinyNetwork(tf, 8);
    const { backend } = await loadTensorFlow({ preference: 'cpu', cacheDir });
    expect(backend).toBe('tensorflow-cpu');
    const native = trainTinyNetwork(tf, 8);
    expectClose([Float32Array.from(wasm.losses)], [Float32Array.from(native.losses)], 1e-4);
  });
});

test('a whole network trains: no kernel is missing, its loss falls, and twice the same', () => {
  const first = trainTinyNetwork(tf, 20);
  expect(first.losses.at(-1)).toBeLessThan(0.5 * first.losses[0]!);
  expect(trainTinyNetwork(tf, 20).weights).toEqual(first.weights);
});
