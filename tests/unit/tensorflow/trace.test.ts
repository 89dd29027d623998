import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../../../shared/config.ts';
import {
  compileFunction,
  dropoutMask,
  loadTensorFlow,
  type TensorFlow,
  tensorflowEnvironment,
} from '../../../shared/tensorflow/index.ts';
import { findReady } from '../../../shared/tensorflow/load.ts';
import type { NativeBackend } from '../../../shared/tensorflow/native.ts';

Object.assign(process.env, tensorflowEnvironment('cpu'));
const { cacheDir } = parseConfig(process.env);
const isNative = findReady(cacheDir, 'cpu').binding !== undefined;

let tf: TensorFlow;

const numbers = (tensor: Tensor): number[] => [...tensor.dataSync<'float32'>()];

describe.skipIf(!isNative)('compileFunction on native TensorFlow', () => {
  let tensors: number;
  let held: number;
  const binding = () => {
    const backend = tf.backend() as unknown as NativeBackend;
    return backend.binding as NativeBackend['binding'] & { getNumOfTensors(): number };
  };
  beforeAll(async () => {
    tf = (await loadTensorFlow({ preference: 'cpu', cacheDir })).tf;
  });
  beforeEach(() => {
    tensors = tf.memory().numTensors;
    held = binding().getNumOfTensors();
  });
  afterEach(() => {
    expect(tf.memory().numTensors, 'tensors of tfjs that are left over').toBe(tensors);
    expect(binding().getNumOfTensors(), 'tensors of TensorFlow that are left over').toBe(held);
  });

  /** A convolution with its loss and gradients: strings, lists, shapes and constants among its attributes. */
  const convolve = ([x, filter, target]: readonly Tensor[]): Tensor[] => {
    const { value, grads } = tf.valueAndGrads((kernel) => {
      const pooled = tf.maxPool(
        tf.elu(tf.conv2d(x as Tensor4D, kernel as Tensor4D, 1, 'same')),
        2,
        2,
        'valid',
      );
      const flat = tf.reshape(tf.transpose(pooled, [0, 3, 1, 2]), [x!.shape[0]!, -1]);
      const [first, rest] = tf.split(flat, [1, flat.shape[1]! - 1], 1);
      const logits = tf.sub(tf.squeeze(first!, [1]), tf.mean(rest!, 1));
      return tf.sum(tf.square(tf.sub(tf.sigmoid(logits), target!)));
    })([filter!]);
    return [value, ...grads, tf.scalar(7)];
  };
  const inputs = (batch: number): Tensor[] => [
    tf.reshape(tf.sin(tf.range(0, batch * 48)), [batch, 4, 6, 2]),
    tf.reshape(tf.cos(tf.range(0, 54)), [3, 3, 2, 3]),
    tf.range(0, batch),
  ];

  test('gives what the same operations give one by one, for each shape of inputs', () => {
    const compiled = compileFunction(tf, convolve);
    expect(compiled.compiles).toBe(true);
    tf.tidy(() => {
      for (const batch of [2, 3, 2]) {
        const given = inputs(batch);
        const [eager, traced] = [convolve(given), compiled.run(given)];
        expect(traced.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
          eager.map(({ shape, dtype }) => ({ shape, dtype })),
        );
        for (const [i, tensor] of traced.entries()) {
          const wanted = numbers(eager[i]!);
          for (const [j, value] of numbers(tensor).entries()) expect(value).toBeCloseTo(wanted[j]!, 5);
        }
      }
    });
    compiled.dispose();
  });

  test('takes what varies from its inputs, not from the call that was traced', () => {
    const compiled = compileFunction(tf, ([a, b]) => [tf.add(a!, tf.mul(b!, 2)), a!]);
    tf.tidy(() => {
      const run = (a: number, b: number) => compiled.run([tf.scalar(a), tf.scalar(b)]).map(numbers);
      expect(run(1, 2)).toEqual([[5], [1]]);
      expect(run(10, 20)).toEqual([[50], [10]]);
    });
    compiled.dispose();
  });

  test('refuses to read values, and tensors that are not inputs', () => {
    const outside = tf.tidy(() => tf.square(tf.scalar(3)));
    tf.tidy(() => {
      const reading = compileFunction(tf, ([x]) => [tf.mul(x!, tf.square(x!).dataSync()[0]!)]);
      expect(() => reading.run([tf.scalar(2)])).toThrow(/cannot read the values/);
      const captive = compileFunction(tf, ([x]) => [tf.mul(x!, outside)]);
      expect(() => captive.run([tf.scalar(2)])).toThrow(/not among its inputs/);
      // The back end is as it was.
      expect(numbers(tf.square(outside))).toEqual([81]);
    });
    tf.dispose(outside);
  });

  test('takes its functions out of TensorFlow when it is disposed of', () => {
    const backend = tf.backend() as unknown as NativeBackend;
    const executed = vi.spyOn(backend, 'executeMultipleOutputs');
    const compiled = compileFunction(tf, ([x]) => [tf.square(x!)]);
    tf.tidy(() => {
      const x = tf.scalar(3);
      expect(numbers(compiled.run([x])[0]!)).toEqual([9]);
      const name = executed.mock.calls[0]![0];
      expect(numbers(backend.executeMultipleOutputs(name, [], [x], 1)[0]!)).toEqual([9]);
      compiled.dispose();
      expect(() => backend.executeMultipleOutputs(name, [], [x], 1)).toThrow(name);
      // It can be made again.
      expect(numbers(compiled.run([x])[0]!)).toEqual([9]);
    });
    compiled.dispose();
    executed.mockRestore();
  });

  test('draws the same dropout mask from the same seed, compiled or not', () => {
    const draw = ([seed]: readonly Tensor[]) => [dropoutMask(tf, seed as Tensor1D, [100, 1000], 0.3)];
    const compiled = compileFunction(tf, draw);
    tf.tidy(() => {
      const seed = (...words: number[]) => [tf.tensor1d(words, 'int32')];
      const mask = numbers(compiled.run(seed(1, -2))[0]!);
      expect(numbers(draw(seed(1, -2))[0]!)).toEqual(mask);
      expect(numbers(compiled.run(seed(1, 2))[0]!)).not.toEqual(mask);
      expectMask(mask, 0.3);
    });
    compiled.dispose();
  });
});

function expectMask(mask: readonly number[], rate: number): void {
  expect(mask.filter((value) => value === 0).length / mask.length).toBeCloseTo(rate, 2);
  expect(mask.reduce((sum, value) => sum + value) / mask.length).toBeCloseTo(1, 2);
}

describe('on WebAssembly', () => {
  beforeAll(async () => {
    tf = (await loadTensorFlow({ preference: 'wasm', cacheDir })).tf;
  });

  test('a function runs as it is', () => {
    const compiled = compileFunction(tf, ([x]) => [tf.mul(tf.square(x!), 2)]);
    expect(compiled.compiles).toBe(false);
    tf.tidy(() => {
      expect(numbers(compiled.run([tf.scalar(3)])[0]!)).toEqual([18]);
    });
    compiled.dispose();
  });

  test('a dropout mask comes from its seed', () => {
    const draw = (...seed: number[]) =>
      tf.tidy(() => numbers(dropoutMask(tf, tf.tensor1d(seed, 'int32'), [100_001], 0.3)));
    const mask = draw(1, -2);
    expect(draw(1, -2)).toEqual(mask);
    expect(draw(1, 2)).not.toEqual(mask);
    expectMask(mask, 0.3);
  });
});
