import { type FitState, startFit } from '../../shared/learning/networks/fit-state.ts';
import { InputMaker } from '../../shared/learning/networks/input.ts';
import { buildNetwork, type NetworkShape } from '../../shared/learning/networks/layers.ts';
import { NetworkPrediction } from '../../shared/learning/networks/prediction.ts';
import { crnnPresets } from '../../shared/learning/networks/presets.ts';
import { Fit } from '../../shared/learning/networks/training.ts';
import { memorySource, type Spectrogram } from '../../shared/learning/spectrograms.ts';
import type { TensorFlow } from '../../shared/tensorflow/index.ts';
import type { Took } from '../python-peer.ts';
import { measured } from './rounds.ts';

/** A network and data to train it on: the convolutional recurrent network on spectrograms of noise. */
export interface Setting {
  readonly bands: number;
  readonly frames: number;
  /** Of the first convolution; the others have twice as many. */
  readonly filters: number;
  readonly samples: number;
}

/** The convolutional recurrent network, its pools as high as the bands allow. */
function shapeOf({ bands, filters }: Setting): NetworkShape {
  let high = bands;
  const convolutions = [2, 4, 4, 4].map((pool, layer) => {
    const own = Math.min(pool, high);
    high = Math.floor(high / own);
    return {
      filters: layer === 0 ? filters : 2 * filters,
      kernel: [3, 3] as const,
      pool: [own, 2] as const,
    };
  });
  return { ...crnnPresets.original, convolutions };
}

function noise({ bands, frames, samples }: Setting): Spectrogram[] {
  return Array.from({ length: samples }, (_, sample) => ({
    frames,
    levels: Uint8Array.from({ length: bands * frames }, (_, cell) => (cell * 37 + sample * 101) ** 2 % 251),
  }));
}

/** This project's network in training: whole epochs as the product runs them. */
export class OwnNetwork {
  readonly #samples: number;
  readonly #fit: Fit;
  readonly #state: FitState;
  readonly #prediction: NetworkPrediction;
  readonly #spectrograms: readonly Spectrogram[];
  readonly #tf: TensorFlow;

  constructor(tf: TensorFlow, setting: Setting) {
    const { bands, frames, samples } = setting;
    const network = buildNetwork(shapeOf(setting), bands, frames);
    const input = { bands, frames, poolBands: 1, poolFrames: 1 };
    const normalisation = {
      mean: new Array<number>(bands).fill(-40),
      deviation: new Array<number>(bands).fill(20),
    };
    this.#tf = tf;
    this.#samples = samples;
    this.#spectrograms = noise(setting);
    const train = this.#spectrograms.map((_, index) => {
      return { index, group: index, label: (index % 2) as 0 | 1 };
    });
    this.#fit = new Fit(tf, network, input, crnnPresets.original, normalisation, {
      ...{ source: memorySource(this.#spectrograms, { bands, frames }), train, validation: [], seed: 1 },
      ...{ checkpoint: null, onCheckpoint: () => {}, turn: async () => {}, onEpoch: () => {} },
    });
    this.#state = startFit(tf, network, 1);
    this.#prediction = new NetworkPrediction(tf, network, new InputMaker(input, normalisation));
  }

  /** Train one epoch. */
  train(): Promise<Took> {
    return measured(this.#samples, async () => {
      await this.#fit.runEpoch(this.#state, 4);
    });
  }

  /** Judge all samples. */
  predict(): Promise<Took> {
    const { batchSize } = crnnPresets.original;
    return measured(this.#samples, async () => {
      for (let from = 0; from < this.#samples; from += batchSize) {
        const batch = this.#spectrograms.slice(from, from + batchSize);
        await this.#prediction.run(this.#state.adam.weights, batch);
      }
    });
  }

  dispose(): void {
    const { weights, first, second } = this.#state.adam;
    this.#tf.dispose([weights, first, second]);
    this.#fit.dispose();
    this.#prediction.dispose();
  }
}
