import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { PermanentError } from '../errors.ts';
import type { TensorFlow } from '../tensorflow/index.ts';
import { type AdamState, adamStep, clipScale } from './adam.ts';
import type { EpochReport, FitCheckpoint, Json, TrainingContext } from './family.ts';
import { logLoss, rocAuc } from './metrics.ts';
import { type DropoutMask, initialValues, type Network } from './network.ts';
import { readBatch } from './network-batch.ts';
import { InputMaker, type InputShape } from './network-input.ts';
import { predictBatch } from './network-prediction.ts';
import type { Normalisation } from './normalisation.ts';
import { fillDropout, randomStream, shuffle } from './random.ts';
import { decodeWeights, encodeWeights, type NamedArray, sizeOf } from './weights.ts';

export interface TrainingSettings {
  readonly batchSize: number;
  /** At most this many epochs. */
  readonly epochs: number;
  /** Stop after this many epochs without a lower loss on the validation examples. */
  readonly patience: number;
  /** At its height; it rises over the first epochs and falls along half a cosine to the last. */
  readonly learningRate: number;
  readonly warmUpEpochs: number;
  readonly weightDecay: number;
  /** Joint length of the gradients at most. */
  readonly clipNorm: number;
  /** Frames of a random stretch that each clip is cut to while training; the whole when null. */
  readonly cropFrames: number | null;
  /** SpecAugment (Park et al. 2019, arXiv:1904.08779): bands and frames, after averaging, that one mask covers at most. */
  readonly maskBands: number;
  readonly maskFrames: number;
}

/** A fit in progress: all that an epoch changes. */
interface FitState {
  adam: AdamState;
  step: number;
  epochs: EpochReport[];
  best: Float32Array[];
  bestLoss: number;
  bestEpoch: number;
}

export interface TrainedNetwork {
  /** The best epoch's. */
  readonly weights: NamedArray[];
  readonly epochs: readonly EpochReport[];
}

/**
 * Train a network by Adam on the cross entropy, with early stopping on the validation examples.
 *
 * Everything drawn comes from the context's seed with epoch and batch in the stream's key, so a fit that
 * goes on from a checkpoint ends in the same weights as one that was never stopped. Spectrograms are
 * read batch by batch.
 *
 * @throws PermanentError when the loss or a gradient is no longer a number.
 * @throws CancelledError from the context's `turn`.
 */
export async function trainNetwork(
  tf: TensorFlow,
  network: Network,
  shape: InputShape,
  settings: TrainingSettings,
  normalisation: Normalisation,
  context: TrainingContext,
): Promise<TrainedNetwork> {
  const crop = { ...shape, frames: Math.min(shape.frames, settings.cropFrames ?? shape.frames) };
  const trainInput = new InputMaker(crop, normalisation);
  const wholeInput = new InputMaker(shape, normalisation);
  const { checkpoint, seed } = context;
  const resumed = checkpoint && restore(tf, network, checkpoint);
  const state = resumed ?? start(tf, network, seed);
  try {
    while (
      state.epochs.length < settings.epochs &&
      state.epochs.length - state.bestEpoch < settings.patience
    ) {
      const began = performance.now();
      const epoch = state.epochs.length + 1;
      const trainLoss = await runEpoch(tf, network, trainInput, settings, context, state, epoch);
      const test = await validate(tf, network, wholeInput, settings, context, state.adam.weights);
      const loss = test.testLoss ?? trainLoss;
      if (loss < state.bestLoss) {
        state.best = await download(state.adam.weights);
        state.bestLoss = loss;
        state.bestEpoch = epoch;
      }
      const report = { epoch, trainLoss, ...test, ms: performance.now() - began };
      state.epochs.push(report);
      context.onCheckpoint(await save(network, state));
      context.onEpoch(report, settings.epochs);
    }
    const weights = network.weights.map(({ name, shape }, i) => ({ name, shape, values: state.best[i]! }));
    return { weights, epochs: state.epochs };
  } finally {
    tf.dispose([state.adam.weights, state.adam.first, state.adam.second]);
  }
}

/** The learning rate of a step, as a fraction of its height. */
function schedule(settings: TrainingSettings, epoch: number): number {
  const { warmUpEpochs, epochs } = settings;
  if (epoch <= warmUpEpochs) return epoch / warmUpEpochs;
  return 0.5 * (1 + Math.cos((Math.PI * (epoch - warmUpEpochs - 1)) / Math.max(1, epochs - warmUpEpochs)));
}

async function runEpoch(
  tf: TensorFlow,
  network: Network,
  input: InputMaker,
  settings: TrainingSettings,
  { source, train, seed, turn }: TrainingContext,
  state: FitState,
  epoch: number,
): Promise<number> {
  const order = shuffle([...train], randomStream(seed, 'order', epoch));
  let total = 0;
  for (let from = 0; from < order.length; from += settings.batchSize) {
    await turn();
    const random = randomStream(seed, 'batch', epoch, from);
    const batch = await readBatch(
      source,
      order.slice(from, from + settings.batchSize),
      input,
      random,
      settings,
    );
    const masks: DropoutMask = (shape, rate) => {
      const values = new Float32Array(sizeOf(shape));
      fillDropout(values, rate, random);
      return tf.tensor(values, [...shape]);
    };
    const learningRate = settings.learningRate * schedule(settings, epoch);
    state.step++;
    const { losses, adam } = tf.tidy(() => {
      const x = tf.tensor4d(batch.values, batch.shape);
      const labels = tf.tensor1d(batch.labels, 'float32');
      const lossOf = (...weights: Tensor[]): Scalar =>
        tf.losses.sigmoidCrossEntropy(labels, network.forward(tf, weights, x, batch.frames, masks));
      const { value, grads } = tf.valueAndGrads(lossOf)(state.adam.weights);
      const { norm, scale } = clipScale(tf, grads, settings.clipNorm);
      const adam = adamStep(tf, state.adam, grads, scale, state.step, { ...settings, learningRate });
      return { losses: tf.stack([value, norm]), adam };
    });
    tf.dispose([state.adam.weights, state.adam.first, state.adam.second]);
    state.adam = adam;
    const [loss, norm] = await losses.data();
    losses.dispose();
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      throw new PermanentError(
        `training diverged in epoch ${epoch}: the loss is ${loss} and the gradient's length ${norm}; choose another seed or preset`,
      );
    }
    total += loss! * batch.labels.length;
  }
  return total / order.length;
}

async function validate(
  tf: TensorFlow,
  network: Network,
  input: InputMaker,
  { batchSize }: TrainingSettings,
  { source, validation, turn }: TrainingContext,
  weights: readonly Tensor[],
): Promise<{ testLoss: number | null; testRocAuc: number | null }> {
  if (validation.length === 0) return { testLoss: null, testRocAuc: null };
  const judged: { probability: number; label: 0 | 1 }[] = [];
  for (let from = 0; from < validation.length; from += batchSize) {
    await turn();
    const examples = validation.slice(from, from + batchSize);
    const spectrograms = await Promise.all(examples.map(({ index }) => source.read(index)));
    const probabilities = await predictBatch(tf, network, input, weights, spectrograms);
    judged.push(...examples.map(({ label }, i) => ({ label, probability: probabilities[i]! })));
  }
  const scores = judged.map(({ probability }) => probability);
  const labels = judged.map(({ label }) => label);
  return { testLoss: logLoss(judged), testRocAuc: rocAuc(scores, labels) };
}

async function download(tensors: readonly Tensor[]): Promise<Float32Array[]> {
  return Promise.all(tensors.map(async (tensor) => Float32Array.from(await tensor.data())));
}

function start(tf: TensorFlow, network: Network, seed: number): FitState {
  const values = network.weights.map((spec) => initialValues(spec, randomStream(seed, 'weights', spec.name)));
  const zeros = () => network.weights.map(({ shape }) => tf.zeros([...shape]));
  const weights = network.weights.map(({ shape }, i) => tf.tensor(values[i]!, [...shape]));
  const adam = { weights, first: zeros(), second: zeros() };
  return { adam, step: 0, epochs: [], best: values, bestLoss: Infinity, bestEpoch: 0 };
}

async function save(network: Network, state: FitState): Promise<FitCheckpoint> {
  const { adam, best, step, epochs, bestLoss, bestEpoch } = state;
  const parts = {
    weights: await download(adam.weights),
    first: await download(adam.first),
    second: await download(adam.second),
    best,
  };
  const arrays = Object.entries(parts).flatMap(([part, values]) =>
    network.weights.map(({ name, shape }, i) => ({ name: `${part}/${name}`, shape, values: values[i]! })),
  );
  const progress = { step, bestLoss, bestEpoch, epochs: [...epochs] as unknown as Json };
  return { progress, bytes: encodeWeights(arrays) };
}

/** Null when the checkpoint is of another network, as after a change of a preset. */
function restore(tf: TensorFlow, network: Network, { progress, bytes }: FitCheckpoint): FitState | null {
  const arrays = new Map(decodeWeights(bytes).map((array) => [array.name, array.values]));
  const named = (part: string) =>
    network.weights.map((spec) => ({ ...spec, values: arrays.get(`${part}/${spec.name}`) }));
  const parts = ['weights', 'first', 'second', 'best'].map(named);
  if (!parts.flat().every(({ values, shape }) => values?.length === sizeOf(shape))) return null;
  const tensors = (part: string) => named(part).map(({ values, shape }) => tf.tensor(values!, [...shape]));
  const adam = { weights: tensors('weights'), first: tensors('first'), second: tensors('second') };
  const { step, bestLoss, bestEpoch, epochs } = progress as unknown as Omit<FitState, 'adam' | 'best'>;
  const best = named('best').map(({ values }) => values!);
  return { adam, best, step, bestLoss, bestEpoch, epochs: [...epochs] };
}
