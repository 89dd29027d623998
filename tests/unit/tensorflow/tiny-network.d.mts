import type { TensorFlow } from '../../../shared/tensorflow/index.ts';

export interface NetworkSize {
  /** Of the input: mel bands, frames. */
  height: number;
  width: number;
  filters: number;
  /** Of the recurrent layer. */
  units: number;
  batch: number;
}

export interface Training {
  losses: number[];
  /** Every weight after the last step, one after the other. */
  weights: number[];
  /** Milliseconds of each step. */
  stepMs: number[];
}

export const TINY: NetworkSize;

/** Train a small convolutional recurrent network from fixed weights on made-up data. */
export function trainTinyNetwork(tf: TensorFlow, steps: number, size?: NetworkSize): Training;
