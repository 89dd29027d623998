import type { Tensor } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../../tensorflow/index.ts';
import type { EpochReport, FitCheckpoint, Json } from '../family.ts';
import { randomStream } from '../random.ts';
import { decodeWeights, encodeWeights, sizeOf } from '../weights.ts';
import type { AdamState } from './adam.ts';
import { initialValues, type Network } from './network.ts';

/** A fit in progress: all that an epoch changes. */
export interface FitState {
  adam: AdamState;
  step: number;
  epochs: EpochReport[];
  /** The best epoch's weights. */
  best: Float32Array[];
  bestLoss: number;
  bestEpoch: number;
}

/** Copy tensors' values. */
export function download(tensors: readonly Tensor[]): Promise<Float32Array[]> {
  return Promise.all(tensors.map(async (tensor) => Float32Array.from(await tensor.data())));
}

/** Begin a fit with weights drawn from the seed. */
export function startFit(tf: TensorFlow, network: Network, seed: number): FitState {
  const values = network.weights.map((spec) => initialValues(spec, randomStream(seed, 'weights', spec.name)));
  const zeros = () => network.weights.map(({ shape }) => tf.zeros([...shape]));
  const weights = network.weights.map(({ shape }, i) => tf.tensor(values[i]!, [...shape]));
  const adam = { weights, first: zeros(), second: zeros() };
  return { adam, step: 0, epochs: [], best: values, bestLoss: Infinity, bestEpoch: 0 };
}

export async function saveFit(network: Network, state: FitState): Promise<FitCheckpoint> {
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

/** Go on from a checkpoint; null when it is of another network, as after a change of a preset. */
export function restoreFit(
  tf: TensorFlow,
  network: Network,
  { progress, bytes }: FitCheckpoint,
): FitState | null {
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
