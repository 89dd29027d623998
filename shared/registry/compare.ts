/** Two models compared on songs that neither has seen. */
import type { Model, PrismaClient } from '../database/generated/client.ts';
import { type Judged, type PairedComparison, pairedBootstrap } from '../learning/evaluation/index.ts';
import { type JudgedTwice, judgedByBoth, unfamiliarHoldout } from './predictions.ts';

/** On which songs two models are compared, those with the most songs first. */
export const bases = ['out of fold', 'test', 'holdout'] as const;
export type Basis = (typeof bases)[number];

export interface ModelComparison extends PairedComparison {
  readonly basis: Basis;
}

/** Songs that there are, and why they do not serve. */
export interface NoComparison {
  readonly basis: Basis;
  readonly n: number;
  readonly reason: string;
}

type Compared = Pick<Model, 'id' | 'dataSetId'>;

/** Compares judgements of the same songs; what must not wait for it lets another thread do it. */
export type Bootstrap = (
  first: readonly Judged[],
  second: readonly Judged[],
  seed: number,
) => PairedComparison | null | Promise<PairedComparison | null>;

/** Of the resampling: the same comparison gives the same figures. */
const seed = 1;

/**
 * Compare two models on each kind of songs that both have judged unseen. On one data set these are all
 * songs out of fold, the test split and the holdout; on two the holdout of the newer one, as far as the
 * model of the older knows nothing of it.
 */
export async function compareModels(
  prisma: PrismaClient,
  first: Compared,
  second: Compared,
  bootstrap: Bootstrap = pairedBootstrap,
): Promise<(ModelComparison | NoComparison)[]> {
  const found: (ModelComparison | NoComparison)[] = [];
  for (const basis of bases) {
    const judged = await judgedOn(prisma, first, second, basis);
    if (judged[0].length > 0) found.push(await compare(judged, basis, bootstrap));
  }
  return found;
}

/**
 * Compare a challenger with the champion on the songs that a promotion is decided by: out of fold where
 * both have been cross-validated on one data set, else the holdout.
 */
export async function compareForPromotion(
  prisma: PrismaClient,
  champion: Compared,
  challenger: Compared,
): Promise<ModelComparison | NoComparison> {
  for (const basis of ['out of fold', 'holdout'] as const) {
    const judged = await judgedOn(prisma, champion, challenger, basis);
    if (judged[0].length > 0) return compare(judged, basis, pairedBootstrap);
  }
  return { basis: 'holdout', n: 0, reason: 'there are no songs that both have judged unseen' };
}

export function isComparison(found: ModelComparison | NoComparison): found is ModelComparison {
  return 'ci95' in found;
}

/** Whether a difference is beyond noise: 0 lies outside of its 95 % interval. */
export function isBeyondNoise({ ci95 }: Pick<PairedComparison, 'ci95'>): boolean {
  return ci95[0] > 0 || ci95[1] < 0;
}

async function compare(
  judged: JudgedTwice,
  basis: Basis,
  bootstrap: Bootstrap,
): Promise<ModelComparison | NoComparison> {
  const found = await bootstrap(...judged, seed);
  if (found) return { basis, ...found };
  const n = judged[0].length;
  const labels = new Set(judged[0].map(({ label }) => label));
  const reason =
    labels.size < 2
      ? `all of the ${n} songs that both have judged unseen are ${labels.has(1) ? 'popular' : 'unpopular'}`
      : `the ${n} songs that both have judged unseen are of too few artists`;
  return { basis, n, reason };
}

async function judgedOn(
  prisma: PrismaClient,
  first: Compared,
  second: Compared,
  basis: Basis,
): Promise<JudgedTwice> {
  const models = [first.id, second.id] as const;
  if (first.dataSetId === second.dataSetId) {
    const side = basis === 'out of fold' ? 'out_of_fold' : basis;
    return judgedByBoth(prisma, models, first.dataSetId, side);
  }
  if (basis !== 'holdout') return [[], []];
  const [older, newer] = [first.dataSetId, second.dataSetId].sort((a, b) => a - b) as [number, number];
  const unfamiliar = await unfamiliarHoldout(prisma, older, newer);
  return judgedByBoth(prisma, models, newer, 'holdout', new Set(unfamiliar?.map(({ group }) => group)));
}
