import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../../../../shared/config.ts';
import { PermanentError } from '../../../../shared/errors.ts';
import type { FitCheckpoint } from '../../../../shared/learning/family.ts';
import { readAll } from '../../../../shared/learning/networks/batch.ts';
import { InputMaker } from '../../../../shared/learning/networks/input.ts';
import { buildNetwork } from '../../../../shared/learning/networks/layers.ts';
import { NetworkPrediction } from '../../../../shared/learning/networks/prediction.ts';
import {
  type FitContext,
  priorLogOdds,
  type TrainingSettings,
  trainNetwork,
} from '../../../../shared/learning/networks/training.ts';
import type { Normalisation } from '../../../../shared/learning/normalisation.ts';
import { sigmoid } from '../../../../shared/learning/sigmoid.ts';
import { encodeWeights } from '../../../../shared/learning/weights.ts';
import {
  loadTensorFlow,
  type TensorFlow,
  tensorflowEnvironment,
} from '../../../../shared/tensorflow/index.ts';
import { findReady } from '../../../../shared/tensorflow/load.ts';
import { bands, frames } from '../planted.ts';
import { tinyFit, tinySettings, tinyShape } from './tiny.ts';

// Networks train on the slowest back end here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 300_000 });

Object.assign(process.env, tensorflowEnvironment('cpu'));
const { cacheDir } = parseConfig(process.env);
const isNative = findReady(cacheDir, 'cpu').binding !== undefined;
const backends = isNative ? (['wasm', 'cpu'] as const) : (['wasm'] as const);

let tf: TensorFlow;
const input = { bands, frames, poolBands: 4, poolFrames: 2 };
const network = buildNetwork(tinyShape, 32, 100);

async function train(
  changes: Partial<FitContext> = {},
  settings: Partial<TrainingSettings> = {},
  other?: Normalisation,
) {
  const { context, normalisation } = await tinyFit(changes);
  const own = { ...tinySettings, ...settings };
  return trainNetwork(tf, network, input, own, other ?? normalisation, context);
}

describe.each(backends)('trainNetwork on %s', (preference) => {
  beforeAll(async () => {
    tf = (await loadTensorFlow({ preference, cacheDir })).tf;
  });

  it('learns a planted rule, repeats to the bit, and leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    const tensorsAt: number[] = [];
    const a = await train(
      { onEpoch: () => tensorsAt.push(tf.memory().numTensors) },
      { epochs: 12, patience: 12 },
    );
    expect(new Set(tensorsAt).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
    expect(a.epochs.at(-1)!.trainLoss).toBeLessThan(0.9 * a.epochs[0]!.trainLoss);
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
    const { context, normalisation } = await tinyFit();
    const { validation, source } = context;
    const weights = again.weights.map(({ shape, values }) => tf.tensor(values, [...shape]));
    const prediction = new NetworkPrediction(tf, network, new InputMaker(input, normalisation));
    const logits = await prediction.run(weights, await readAll(source, validation));
    tf.dispose(weights);
    prediction.dispose();
    const probabilities = logits.map((logit) => sigmoid(logit + priorLogOdds(context.train)));
    const loss =
      probabilities.reduce((sum, p, i) => sum - Math.log(validation[i]!.label ? p : 1 - p), 0) /
      validation.length;
    expect(loss).toBeCloseTo(best.testLoss!, 4);
  });

  it('stops with a reason when it diverges', async () => {
    const broken = train(
      {},
      {},
      {
        mean: new Array(bands).fill(0),
        deviation: new Array(bands).fill(Number.NaN),
      },
    );
    await expect(broken).rejects.toThrow(PermanentError);
    await expect(broken).rejects.toThrow(/diverged in epoch 1/);
  });
});
