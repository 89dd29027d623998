/** The front's channels, of which only some are computed; the others are constant. */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../tensorflow/index.ts';
import type { PrunedLayer } from './pruning.ts';

/** Which channels are computed, by their numbers, and what the others are. */
export type KnownChannels = Pick<PrunedLayer, 'live' | 'constant'>;

/** The channels of layers one after the other. */
export function joinChannels(layers: readonly PrunedLayer[]): KnownChannels {
  let first = 0;
  const moved = layers.map(({ layer, live, constant }) => {
    const start = first;
    first += layer.outputs;
    return {
      live: live.map((channel) => start + channel),
      constant: constant.map(({ channel, value }) => ({ channel: start + channel, value })),
    };
  });
  return {
    live: moved.flatMap(({ live }) => live),
    constant: moved.flatMap(({ constant }) => constant),
  };
}

/** Puts the constants back between the channels that were computed. */
export class Completion {
  readonly #tf: TensorFlow;
  readonly #constants: Tensor2D;
  /** For each channel its place among the computed ones, followed by the constants. */
  readonly #places: Tensor1D;

  constructor(tf: TensorFlow, { live, constant }: KnownChannels) {
    const order = [...live, ...constant.map(({ channel }) => channel)];
    const places = new Int32Array(order.length);
    order.forEach((channel, place) => {
      places[channel] = place;
    });
    this.#tf = tf;
    this.#constants = tf.tensor2d([constant.map(({ value }) => value)]);
    this.#places = tf.tensor1d(places, 'int32');
  }

  /**
   * @param live shape [rows][computed channels]
   * @returns shape [rows][all channels]
   */
  run(live: Tensor2D): Tensor2D {
    const tf = this.#tf;
    const constants = tf.tile(this.#constants, [live.shape[0], 1]);
    return tf.gather(tf.concat([live, constants], 1), this.#places, 1);
  }
}
