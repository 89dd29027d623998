import type { Scalar, Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { type CompiledFunction, compileFunction, type TensorFlow } from '../../tensorflow/index.ts';
import { type AdamState, adamRates, adamStep, clipScale } from './adam.ts';
import type { Batch } from './batch.ts';
import { dropoutMasks } from './dropout.ts';
import type { Network } from './network.ts';

export interface StepSettings {
  /** Joint length of the gradients at most. */
  readonly clipNorm: number;
  /** Decoupled decay of kernels, per unit of learning rate. */
  readonly weightDecay: number;
}

/** What one step says. */
export interface StepReport {
  /** Mean cross entropy of the batch in nats, examples weighed by their weights. */
  readonly loss: number;
  /** Joint length of the gradients before clipping. */
  readonly norm: number;
}

/** One step of training as one call of TensorFlow where the back end can, from batch to new weights. */
export class TrainingStep {
  readonly #tf: TensorFlow;
  readonly #settings: StepSettings;
  readonly #function: CompiledFunction;

  constructor(tf: TensorFlow, network: Network, settings: StepSettings) {
    this.#tf = tf;
    this.#settings = settings;
    this.#function = compileFunction(tf, (inputs) => stepOf(tf, network, settings, inputs));
  }

  /**
   * Take one step.
   *
   * @param step 1 for the first.
   * @param seed two integers of 32 bits that the dropout masks are drawn from.
   * @param state is disposed; what is returned is the caller's.
   */
  async run(
    batch: Batch,
    state: AdamState,
    step: number,
    learningRate: number,
    seed: readonly [number, number],
  ): Promise<{ report: StepReport; state: AdamState }> {
    const tf = this.#tf;
    const { rate, kept } = adamRates(step, learningRate, this.#settings.weightDecay);
    const given = [
      tf.tensor4d(batch.values, batch.shape),
      tf.tensor1d(batch.frames, 'float32'),
      tf.tensor1d(batch.labels, 'float32'),
      tf.tensor1d(batch.weights, 'float32'),
      tf.tensor1d([...seed], 'int32'),
      tf.scalar(rate),
      tf.scalar(kept),
    ];
    const old = [...state.weights, ...state.first, ...state.second];
    const [losses, ...rest] = this.#function.run([...given, ...old]);
    tf.dispose([given, old]);
    const [loss, norm] = await losses!.data();
    losses!.dispose();
    const [weights, first, second] = inThree(rest);
    return { report: { loss: loss!, norm: norm! }, state: { weights, first, second } };
  }

  /** Whether each new shape of a batch costs a trace. */
  get compiles(): boolean {
    return this.#function.compiles;
  }

  dispose(): void {
    this.#function.dispose();
  }
}

function inThree(tensors: readonly Tensor[]): [Tensor[], Tensor[], Tensor[]] {
  const count = tensors.length / 3;
  return [tensors.slice(0, count), tensors.slice(count, 2 * count), tensors.slice(2 * count)];
}

/** The step as a function of tensors; the inputs' order is that of `TrainingStep.run`. */
function stepOf(
  tf: TensorFlow,
  network: Network,
  { clipNorm }: StepSettings,
  inputs: readonly Tensor[],
): Tensor[] {
  const [x, frames, labels, exampleWeights, seed, rate, kept, ...rest] = inputs as [
    Tensor4D,
    Tensor1D,
    Tensor1D,
    Tensor1D,
    Tensor1D,
    Scalar,
    Scalar,
    ...Tensor[],
  ];
  const [weights, first, second] = inThree(rest);
  const masks = dropoutMasks(tf, seed);
  const lossOf = (...tensors: Tensor[]): Scalar => {
    const logits = network.forward(tf, tensors, x, frames, masks);
    return weighedCrossEntropy(tf, logits, labels, exampleWeights);
  };
  const { value, grads } = tf.valueAndGrads(lossOf)(weights);
  const { norm, scale } = clipScale(tf, grads, clipNorm);
  const state = adamStep(tf, { weights, first, second }, grads, scale, { rate, kept });
  return [tf.stack([value, norm]), ...state.weights, ...state.first, ...state.second];
}

/** Mean of log(1 + exp(logit)) - label * logit, which is the cross entropy. */
function weighedCrossEntropy(tf: TensorFlow, logits: Tensor1D, labels: Tensor1D, weights: Tensor1D): Scalar {
  const losses = tf.sub(tf.softplus(logits), tf.mul(logits, labels));
  return tf.div(tf.sum(tf.mul(losses, weights)), tf.sum(weights));
}
