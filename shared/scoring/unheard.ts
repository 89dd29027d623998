/** What a model said of songs that it never heard, and how good that was: dots, pairs and figures are of the same. */
import type { Model } from '../database/generated/client.ts';
import type { Database } from '../database/index.ts';
import { evaluate, type Judged, type Metrics } from '../learning/evaluation/index.ts';
import { isNullTest, type ModelMetrics } from '../registry/index.ts';
import { judgedByBoth } from '../registry/predictions.ts';

type Prisma = Database['prisma'];
/** Models of earlier versions have no calibration error. */
type Figures = Pick<Metrics, 'n' | 'rocAuc' | 'rocAucCi95'> & Partial<Pick<Metrics, 'ece'>>;
type Kind = 'cross-validation' | 'holdout' | 'holdout and test';

export interface Unheard {
  kind: Kind;
  /** For people: how the songs were kept from it. */
  basis: string;
  judged: readonly Judged[];
  figures: Figures;
  /** Songs of the holdout, which percentiles compare with. */
  holdoutN: number;
}

/** Whether the model is better than a coin on songs that it never heard, at 95 %. */
export function isBetterThanChance({ figures }: Pick<Unheard, 'figures'>): boolean {
  return figures.rocAucCi95 !== null && figures.rocAucCi95[0] > 0.5;
}

/** A holdout of fewer artists says too little: the test songs are added, which some models were stopped by. */
const fewestGroups = 30;
/** Of the bootstrap. */
const seed = 1;

type Trained = Pick<Model, 'id' | 'dataSetId' | 'metrics'>;

/** All songs out of fold where there is a cross-validation, else the holdout. */
export async function judgedUnheard(prisma: Prisma, model: Trained): Promise<Unheard> {
  const { crossValidation, holdout } = model.metrics as unknown as ModelMetrics;
  const of = (side: 'out_of_fold' | 'holdout' | 'test') => sideOf(prisma, model, side);
  const holdoutN = holdout.n;
  if (crossValidation) {
    const basis = `${crossValidation.folds}-fold cross-validation: each song by a model that never heard it, its artist or another cut of it`;
    return {
      ...{ kind: 'cross-validation', basis, judged: await of('out_of_fold') },
      ...{ figures: crossValidation, holdoutN },
    };
  }
  const kept = await of('holdout');
  const basis = 'holdout: songs that were kept from it to the end, with all songs of their artists';
  const groups = new Set(kept.map(({ group }) => group)).size;
  const test = kept.length > 0 && groups < fewestGroups ? await of('test') : [];
  if (test.length === 0) return { kind: 'holdout', basis, judged: kept, figures: holdout, holdoutN };
  const judged = [...kept, ...test];
  const figures = evaluate(judged, seed);
  // The holdout's own error is what the command line and pictures round by: the coarser of both.
  const ece = Math.max(figures.ece ?? 0, holdout.ece ?? 0) || null;
  return {
    ...{ kind: 'holdout and test', judged, figures: { ...figures, ece }, holdoutN },
    basis: `holdout and test (${kept.length} + ${test.length} songs, as the holdout alone is of ${groups} artists or groups of artists): it did not learn from them, but the test songs may have told when to stop, so this is a little too kind`,
  };
}

/** @returns the ROC-AUC of the newest model of a family on the same songs, first of the same run; null: there is none */
export async function rocAucOnTheSame(
  prisma: Prisma,
  name: string,
  model: Trained & Pick<Model, 'trainingRunId'>,
  { kind }: Pick<Unheard, 'kind'>,
): Promise<number | null> {
  const rows = await prisma.model.findMany({
    where: { dataSetId: model.dataSetId, name, state: 'ready' },
    orderBy: { id: 'desc' },
  });
  const fit = rows.filter((row) => !isNullTest(row));
  const ofSameRun = fit.filter(({ trainingRunId }) => trainingRunId === model.trainingRunId);
  for (const row of [...ofSameRun, ...fit]) {
    const found = await figuresBy(prisma, kind, row);
    if (found?.rocAuc != null) return found.rocAuc;
  }
  return null;
}

async function figuresBy(prisma: Prisma, kind: Kind, model: Trained): Promise<Figures | null> {
  const { crossValidation, holdout } = model.metrics as unknown as ModelMetrics;
  if (kind === 'cross-validation') return crossValidation;
  if (kind === 'holdout') return holdout;
  const both = [await sideOf(prisma, model, 'holdout'), await sideOf(prisma, model, 'test')];
  return evaluate(both.flat(), seed);
}

async function sideOf(
  prisma: Prisma,
  { id, dataSetId }: Trained,
  side: 'out_of_fold' | 'holdout' | 'test',
): Promise<Judged[]> {
  return (await judgedByBoth(prisma, [id, id], dataSetId, side))[0];
}
