/**
 * Whether an explanation shows what a model has learned: of the same model with shuffled weights it must be
 * another one (J. Adebayo et al., "Sanity checks for saliency maps", 2018). A way of explaining that gives
 * both the same map shows the song, not the model.
 */
import type { Predictor } from '../family.ts';
import type { Mask } from './filling.ts';
import { type Grid, segmentCount } from './grid.ts';
import type { MaskedJudge } from './masked-judge.ts';

/**
 * Shuffled models that are asked. A single one is like the true one by luck now and then: what a linear model
 * says of the bands is eight numbers, and two orders of eight correlate by more than .5 in one of five cases.
 */
export const randomModels = 5;
/**
 * The mean size of the rank correlations that is still another map. Orders of eight bands that have nothing
 * to do with each other have .31 in the mean, five of them together more than .5 in one of 30 cases; the same
 * map has 1.
 */
export const mostAlike = 0.5;
/** The maps that are compared are coarser than the explanation, to bound their cost: columns of time. */
const mostColumns = 6;

export interface Sanity {
  /** Rank correlations (Spearman) of the model's map with that of each shuffled one, -1 to 1. */
  readonly correlations: readonly number[];
  /** The mean of their sizes, 0 to 1. */
  readonly alike: number;
  /** What `alike` must stay below. */
  readonly bound: number;
  readonly passed: boolean;
}

/**
 * Explain the song by shuffled models too, and compare the maps. All are made by taking one part at a time
 * away (occlusion), on a grid of at most six columns by the groups of bands: (1 + random models) x up to 49
 * questions, whatever the song's length.
 *
 * @param randomised loads the model with its weights shuffled by a seed
 */
export async function checkSanity(
  judge: MaskedJudge,
  randomised: (seed: number) => Promise<Predictor>,
  seed: number,
): Promise<Sanity> {
  const masks = coarseMasks(judge.grid);
  const own = await effectMap(judge, masks);
  const correlations: number[] = [];
  for (let model = 0; model < randomModels; model++) {
    const predictor = await randomised(seed + model);
    try {
      correlations.push(rankCorrelation(own, await effectMap(judge, masks, predictor)));
    } finally {
      predictor.dispose();
    }
  }
  const alike = correlations.reduce((sum, one) => sum + Math.abs(one), 0) / randomModels;
  return { correlations, alike, bound: mostAlike, passed: alike < mostAlike };
}

/** How far the log odds fall without each part. */
async function effectMap(judge: MaskedJudge, masks: readonly Mask[], predictor?: Predictor) {
  const [whole, ...without] = await judge.judge(masks, predictor);
  return without.map((logOdds) => whole! - logOdds);
}

/** Nothing, then each part alone: one group of bands in one column of neighbouring stretches. */
function coarseMasks(grid: Grid): Mask[] {
  const width = grid.stretches.length;
  const columns = Math.min(mostColumns, width);
  const cells = segmentCount(grid);
  const parts = grid.groups.flatMap((_, group) =>
    Array.from({ length: columns }, (_column, column) =>
      Uint8Array.from({ length: cells }, (_cell, segment) => {
        const at = Math.floor(((segment % width) * columns) / width);
        return Math.floor(segment / width) === group && at === column ? 1 : 0;
      }),
    ),
  );
  return [new Uint8Array(cells), ...parts];
}

/** Spearman's: the correlation of ranks, equal values sharing their mean rank; 0 where all are equal. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [first, second] = [centredRanks(a), centredRanks(b)];
  const product = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, index) => sum + value * y[index]!, 0);
  const size = Math.sqrt(product(first, first) * product(second, second));
  return size > 0 ? product(first, second) / size : 0;
}

function centredRanks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (values.length - 1) / 2;
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 - middle);
}
