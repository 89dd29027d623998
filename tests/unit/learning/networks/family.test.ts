import { beforeAll, describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../../../../shared/config.ts';
import type { Example, FitCheckpoint, TrainingContext } from '../../../../shared/learning/family.ts';
import { featureTable } from '../../../../shared/learning/features/sets.ts';
import { collapseWarnings } from '../../../../shared/learning/networks/collapse.ts';
import { cnn1, cnn2, crnn, mlp } from '../../../../shared/learning/networks/families.ts';
import { networkFamily } from '../../../../shared/learning/networks/family.ts';
import type { NetworkPreset } from '../../../../shared/learning/networks/presets.ts';
import { priorLogOdds } from '../../../../shared/learning/networks/training.ts';
import {
  type LoadedTensorFlow,
  loadTensorFlow,
  tensorflowEnvironment,
} from '../../../../shared/tensorflow/index.ts';
import { findReady } from '../../../../shared/tensorflow/load.ts';
import { tinyFit, tinySettings, tinyShape } from './tiny.ts';

vi.setConfig({ testTimeout: 300_000 });

Object.assign(process.env, tensorflowEnvironment('cpu'));
const { cacheDir } = parseConfig(process.env);
let loaded: LoadedTensorFlow;
beforeAll(async () => {
  const preference = findReady(cacheDir, 'cpu').binding === undefined ? 'wasm' : 'cpu';
  loaded = await loadTensorFlow({ preference, cacheDir });
});

async function contextOf(changes: Partial<TrainingContext> = {}): Promise<TrainingContext> {
  const { context, normalisation, source } = await tinyFit();
  return {
    ...{ ...context, source, preset: 'small', normalisation: async () => normalisation },
    ...{ tensorflow: async () => loaded, features: featureTable(source) },
    ...changes,
  };
}

const members: NetworkPreset = {
  ...tinySettings,
  ...tinyShape,
  epochs: 3,
  poolBands: 4,
  poolFrames: 2,
  members: 2,
};
const lines = { small: '', original: '' };
const ensemble = networkFamily('ensemble', '', { small: members, original: members }, lines);

describe.each([mlp, cnn1, cnn2, crnn])('$name', (family) => {
  test('trains its small preset, is loaded from what it stored, and tells the classes apart', async () => {
    const { tf } = loaded;
    const before = tf.memory().numTensors;
    const context = await contextOf();
    const outcome = await family.train(context);
    expect(outcome.topology).toMatchObject({ family: family.name, preset: 'small' });
    const stored = JSON.parse(JSON.stringify(outcome.topology));
    const predictor = await family.load({ topology: stored, weights: outcome.weights }, context.tensorflow);
    const judge = async (label: 0 | 1) => {
      const examples = context.train.filter((one) => one.label === label);
      const clips = await Promise.all(examples.map(({ index }) => context.source.read(index)));
      const judged = await predictor.predict(
        clips.map((clip) => ({ ...clip, embedding: null, facts: null })),
      );
      expect(judged).toHaveLength(examples.length);
      return judged.reduce((sum, one) => sum + one, 0) / judged.length;
    };
    expect(await judge(1)).toBeGreaterThan(await judge(0));
    predictor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('an ensemble of networks', () => {
  test('goes on from any checkpoint as if it had never stopped', async () => {
    const checkpoints: FitCheckpoint[] = [];
    const whole = await ensemble.train(await contextOf({ onCheckpoint: (one) => checkpoints.push(one) }));
    expect(checkpoints).toHaveLength(6);
    expect(whole.topology).toMatchObject({ fits: [{ epochs: 3 }, { epochs: 3 }] });
    for (const at of [1, 4]) {
      const checkpoint = structuredClone(checkpoints[at]!);
      const resumed = await ensemble.train(await contextOf({ checkpoint }));
      expect(Buffer.compare(resumed.weights, whole.weights)).toBe(0);
    }
  });
});

describe('classes of unequal size', () => {
  const few = (examples: readonly Example[]) =>
    examples.filter(({ label, index }) => label === 0 || index % 6 === 0);

  test('probabilities are as frequent as popular songs were in training', async () => {
    const context = await contextOf();
    const train = few(context.train);
    const share = train.filter(({ label }) => label === 1).length / train.length;
    expect(share).toBeLessThan(0.35);
    expect(1 / (1 + Math.exp(-priorLogOdds(train)))).toBeCloseTo(share, 10);
    const outcome = await crnn.train({ ...context, train });
    const predictor = await crnn.load(outcome, context.tensorflow);
    const clips = await Promise.all(train.map(({ index }) => context.source.read(index)));
    const judged = await predictor.predict(clips.map((clip) => ({ ...clip, embedding: null, facts: null })));
    predictor.dispose();
    expect(Math.abs(judged.reduce((sum, one) => sum + one, 0) / judged.length - share)).toBeLessThan(0.15);
  });
});

describe('collapseWarnings', () => {
  const warningsOf = async (probability: (example: Example) => number, logOdds = 0) => {
    const context = await contextOf();
    const { validation } = context;
    const dispose = vi.fn();
    const predict = async () => validation.map(probability);
    const warnings = await collapseWarnings({ predict, dispose }, logOdds, context);
    expect(dispose).toHaveBeenCalledOnce();
    return warnings;
  };

  test('says when all songs get nearly the same probability', async () => {
    expect(await warningsOf(({ index }) => 0.4 + 1e-4 * (index % 2))).toEqual([
      expect.stringMatching(/nearly the same probability/),
    ]);
  });

  test('says when all songs are on one side', async () => {
    const low = ({ index }: Example) => 0.1 + 0.005 * index;
    expect(await warningsOf(low)).toEqual([expect.stringMatching(/all 12 songs .* unpopular/)]);
    expect(await warningsOf((example) => 1 - low(example))).toEqual([expect.stringMatching(/to be popular/)]);
    // Where few were popular in training, low probabilities are as they should be.
    expect(await warningsOf(low, Math.log(0.3 / 0.7))).toEqual([]);
  });

  test('is silent when the network tells songs apart', async () => {
    expect(await warningsOf(({ label }) => (label === 1 ? 0.6 : 0.4))).toEqual([]);
  });
});
