import { beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../../../shared/config.ts';
import type { Batch } from '../../../../shared/learning/networks/batch.ts';
import { download, startFit } from '../../../../shared/learning/networks/fit-state.ts';
import { buildNetwork, type NetworkShape } from '../../../../shared/learning/networks/layers.ts';
import { TrainingStep } from '../../../../shared/learning/networks/step.ts';
import {
  loadTensorFlow,
  type TensorFlow,
  tensorflowEnvironment,
} from '../../../../shared/tensorflow/index.ts';
import { findReady } from '../../../../shared/tensorflow/load.ts';
import { tinyShape } from './tiny.ts';

Object.assign(process.env, tensorflowEnvironment('cpu'));
const { cacheDir } = parseConfig(process.env);
const isNative = findReady(cacheDir, 'cpu').binding !== undefined;

const still: NetworkShape = { ...tinyShape, convolutionDropout: 0, recurrentDropout: 0 };
const dense: NetworkShape = { ...still, activation: 'relu', recurrentUnits: [], denseUnits: [6, 5] };

/** Examples with some of weight 0 that hold something else on each call. */
function batchOf(filling: number): Batch {
  const cells = 32 * 64;
  const values = Float32Array.from({ length: 6 * cells }, (_, i) => Math.sin(i * i * 0.001));
  values.fill(filling, 4 * cells);
  return {
    ...{ values, shape: [6, 32, 64, 1], frames: [64, 64, 20, 64, 1 + filling, 64] },
    ...{ labels: [0, 1, 1, 0, 1, 0], weights: [1, 2, 1, 0.5, 0, 0] },
  };
}

/** Losses of two steps and the weights after them. */
async function twoSteps(tf: TensorFlow, shape: NetworkShape, filling = 0) {
  const network = buildNetwork(shape, 32, 64);
  const step = new TrainingStep(tf, network, { clipNorm: 1, weightDecay: 0.1 });
  let { adam } = startFit(tf, network, 1);
  const losses: number[] = [];
  for (const number of [1, 2]) {
    const done = await step.run(batchOf(filling), adam, number, 1e-2, [number, 7]);
    adam = done.state;
    losses.push(done.report.loss, done.report.norm);
  }
  const weights = await download(adam.weights);
  tf.dispose([adam.weights, adam.first, adam.second]);
  step.dispose();
  return { losses, weights };
}

function expectClose(a: Awaited<ReturnType<typeof twoSteps>>, b: typeof a, digits: number): void {
  for (const [i, loss] of a.losses.entries()) expect(loss).toBeCloseTo(b.losses[i]!, digits);
  for (const [i, array] of a.weights.entries()) {
    for (const [j, value] of array.entries()) expect(value).toBeCloseTo(b.weights[i]![j]!, digits);
  }
}

const backends = isNative ? (['wasm', 'cpu'] as const) : (['wasm'] as const);
describe.each(backends)('a training step on %s', (preference) => {
  let tf: TensorFlow;
  beforeAll(async () => {
    tf = (await loadTensorFlow({ preference, cacheDir })).tf;
  });

  test('takes nothing from examples of weight 0', async () => {
    expectClose(await twoSteps(tf, still), await twoSteps(tf, still, 5), 6);
  });

  test('repeats, dropout and all', async () => {
    expect(await twoSteps(tf, tinyShape)).toEqual(await twoSteps(tf, tinyShape));
  });
});

test.skipIf(!isNative).each([
  ['recurrent', still],
  ['dense', dense],
])('compiled by native TensorFlow it is what WebAssembly takes op by op: %s', async (_, shape) => {
  const { tf } = await loadTensorFlow({ preference: 'wasm', cacheDir });
  const wasm = await twoSteps(tf, shape);
  await loadTensorFlow({ preference: 'cpu', cacheDir });
  expectClose(await twoSteps(tf, shape), wasm, 3);
});
