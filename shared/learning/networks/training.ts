import { PermanentError } from '../../errors.ts';
import type { TensorFlow } from '../../tensorflow/index.ts';
import { logLoss, rocAuc } from '../evaluation/index.ts';
import type { EpochReport, Example, TrainingContext } from '../family.ts';
import type { Normalisation } from '../normalisation.ts';
import { randomStream, shuffle } from '../random.ts';
import { sigmoid } from '../sigmoid.ts';
import type { SpectrogramSource } from '../spectrograms.ts';
import { type NamedArray, parametersOf } from '../weights.ts';
import { type MaskLimits, makeBatch, readAhead } from './batch.ts';
import { download, type FitState, restoreFit, saveFit, startFit } from './fit-state.ts';
import { InputMaker, type InputShape } from './input.ts';
import type { Network } from './network.ts';
import { NetworkPrediction } from './prediction.ts';
import { type StepSettings, TrainingStep } from './step.ts';

export interface TrainingSettings extends StepSettings, MaskLimits {
  readonly batchSize: number;
  /** At most this many epochs. */
  readonly epochs: number;
  /** Stop after this many epochs without a lower loss on the validation examples. */
  readonly patience: number;
  /** At its height; it rises over the first epochs and falls along half a cosine to the last. */
  readonly learningRate: number;
  readonly warmUpEpochs: number;
  /** Frames of a random stretch that each clip is cut to while training; the whole when null. */
  readonly cropFrames: number | null;
}

/** What a fit needs of the training that it is part of. */
export interface FitContext
  extends Pick<
    TrainingContext,
    'train' | 'validation' | 'seed' | 'turn' | 'onEpoch' | 'checkpoint' | 'onCheckpoint'
  > {
  readonly source: SpectrogramSource;
}

/**
 * Networks of more parameters are not saved while they train: their checkpoints, four values a parameter after each
 * epoch, would be hundreds of megabytes, and such wide ones (the original's perceptron) train fast.
 */
const mostSavedParameters = 4_000_000;

export interface TrainedNetwork {
  /** The best epoch's. */
  readonly weights: NamedArray[];
  readonly epochs: readonly EpochReport[];
  readonly bestEpoch: number;
}

/**
 * Train a network by Adam on the cross entropy, both classes counting the same, with early stopping on
 * the validation examples.
 *
 * Everything drawn comes from the context's seed with epoch and batch in the stream's key, so a fit that
 * goes on from a checkpoint ends in the same weights as one that was never stopped. Spectrograms are
 * read batch by batch, one batch ahead. A very large network has no checkpoints.
 *
 * @param normalisation of the input, fitted on the train examples.
 * @throws PermanentError when the loss or a gradient is no longer a number.
 * @throws CancelledError from the context's `turn`.
 */
export async function trainNetwork(
  tf: TensorFlow,
  network: Network,
  shape: InputShape,
  settings: TrainingSettings,
  normalisation: Normalisation,
  context: FitContext,
): Promise<TrainedNetwork> {
  const { checkpoint, seed } = context;
  const isSaved = parametersOf(network.weights) <= mostSavedParameters;
  const fit = new Fit(tf, network, shape, settings, normalisation, context);
  const state = (checkpoint && restoreFit(tf, network, checkpoint)) ?? startFit(tf, network, seed);
  try {
    while (
      state.epochs.length < settings.epochs &&
      state.epochs.length - state.bestEpoch < settings.patience
    ) {
      const began = performance.now();
      const epoch = state.epochs.length + 1;
      const trainLoss = await fit.runEpoch(state, epoch);
      const test = await fit.validate(state);
      const loss = test.testLoss ?? trainLoss;
      if (loss < state.bestLoss) {
        state.best = await download(state.adam.weights);
        state.bestLoss = loss;
        state.bestEpoch = epoch;
      }
      const report = { epoch, trainLoss, ...test, ms: performance.now() - began };
      state.epochs.push(report);
      if (isSaved) context.onCheckpoint(await saveFit(network, state));
      context.onEpoch(report, settings.epochs);
    }
    const weights = network.weights.map(({ name, shape }, i) => ({ name, shape, values: state.best[i]! }));
    return { weights, epochs: state.epochs, bestEpoch: state.bestEpoch };
  } finally {
    fit.dispose();
    tf.dispose([state.adam.weights, state.adam.first, state.adam.second]);
  }
}

/** The learning rate of an epoch, as a fraction of its height. */
function schedule({ warmUpEpochs, epochs }: TrainingSettings, epoch: number): number {
  if (epoch <= warmUpEpochs) return epoch / warmUpEpochs;
  return 0.5 * (1 + Math.cos((Math.PI * (epoch - warmUpEpochs - 1)) / Math.max(1, epochs - warmUpEpochs)));
}

/** The log odds of being popular among examples: what a network trained on balanced classes leaves out. */
export function priorLogOdds(examples: readonly Example[]): number {
  const popular = examples.filter(({ label }) => label === 1).length;
  const others = examples.length - popular;
  return popular > 0 && others > 0 ? Math.log(popular / others) : 0;
}

/** A fit, epoch by epoch: what `trainNetwork` repeats until it is enough. */
export class Fit {
  readonly #settings: TrainingSettings;
  readonly #context: FitContext;
  readonly #input: InputMaker;
  readonly #step: TrainingStep;
  readonly #prediction: NetworkPrediction;
  readonly #logOdds: number;
  readonly #weights: readonly [number, number];

  constructor(
    tf: TensorFlow,
    network: Network,
    shape: InputShape,
    settings: TrainingSettings,
    normalisation: Normalisation,
    context: FitContext,
  ) {
    const frames = Math.min(shape.frames, settings.cropFrames ?? shape.frames);
    this.#settings = settings;
    this.#context = context;
    this.#input = new InputMaker({ ...shape, frames }, normalisation);
    this.#step = new TrainingStep(tf, network, settings);
    this.#prediction = new NetworkPrediction(tf, network, new InputMaker(shape, normalisation));
    this.#logOdds = priorLogOdds(context.train);
    const share = sigmoid(this.#logOdds);
    this.#weights = [0.5 / (1 - share), 0.5 / share];
  }

  /** @returns the mean loss, both classes counting the same. */
  async runEpoch(state: FitState, epoch: number): Promise<number> {
    const settings = this.#settings;
    const { source, train, seed, turn } = this.#context;
    const order = shuffle([...train], randomStream(seed, 'order', epoch));
    const size = Math.min(settings.batchSize, order.length);
    const learningRate = settings.learningRate * schedule(settings, epoch);
    let total = 0;
    let counted = 0;
    for await (const { from, examples, spectrograms } of readAhead(source, order, size)) {
      await turn();
      const random = randomStream(seed, 'batch', epoch, from);
      const batch = makeBatch(examples, spectrograms, {
        size: this.#step.compiles ? size : examples.length,
        ...{ input: this.#input, random, limits: settings },
        weightOf: ({ label }) => this.#weights[label],
      });
      const dropoutSeed = [random.next(), random.next()] as const;
      const done = await this.#step.run(batch, state.adam, ++state.step, learningRate, dropoutSeed);
      state.adam = done.state;
      const { loss, norm } = done.report;
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
        throw new PermanentError(
          `training diverged in epoch ${epoch}: the loss is ${loss} and the gradient's length ${norm}; choose another seed or preset`,
        );
      }
      const weight = batch.weights.reduce((sum, one) => sum + one, 0);
      total += loss * weight;
      counted += weight;
    }
    return total / counted;
  }

  /** Judge the validation examples, their classes as frequent as they are in training. */
  async validate({ adam }: FitState): Promise<{ testLoss: number | null; testRocAuc: number | null }> {
    const { source, validation, turn } = this.#context;
    if (validation.length === 0) return { testLoss: null, testRocAuc: null };
    const judged: { probability: number; label: 0 | 1 }[] = [];
    for await (const part of readAhead(source, validation, this.#settings.batchSize)) {
      await turn();
      const logits = await this.#prediction.run(adam.weights, part.spectrograms);
      judged.push(
        ...part.examples.map(({ label }, i) => ({
          ...{ label, probability: sigmoid(logits[i]! + this.#logOdds) },
        })),
      );
    }
    const scores = judged.map(({ probability }) => probability);
    const labels = judged.map(({ label }) => label);
    return { testLoss: logLoss(judged), testRocAuc: rocAuc(scores, labels) };
  }

  dispose(): void {
    this.#step.dispose();
    this.#prediction.dispose();
  }
}
