/** How far a model may be trusted, from songs that it never heard. */
import { LRUCache } from 'lru-cache';
import type { Database } from '../../../shared/database/index.ts';
import { publicId } from '../../../shared/identifiers.ts';
import type { Judged } from '../../../shared/learning/evaluation/index.ts';
import type { ModelMetrics } from '../../../shared/registry/index.ts';
import { judgedByBoth } from '../../../shared/registry/predictions.ts';
import { HeldOutSongs } from '../../../shared/scoring/neighbourhood.ts';
import { PairCurve } from '../../../shared/scoring/pairs.ts';
import type { Reliability } from './schemas.ts';

/** What a score of a model is read by. */
export interface Yardstick {
  reliability: Reliability;
  heldOut: HeldOutSongs;
  pairs: PairCurve;
}

/** A trained model never changes: the newest are kept. */
const known = new LRUCache<string, Promise<Yardstick>>({ max: 8 });

export function yardstickOf(database: Database, modelId: number): Promise<Yardstick> {
  // Databases of tests share this process.
  const key = `${database.url} ${modelId}`;
  let found = known.get(key);
  if (!found) {
    found = read(database, modelId);
    found.catch(() => known.delete(key));
    known.set(key, found);
  }
  return found;
}

async function read({ prisma, pool }: Database, modelId: number): Promise<Yardstick> {
  const model = await prisma.model.findUniqueOrThrow({ where: { id: modelId }, include: { dataSet: true } });
  const metrics = model.metrics as unknown as ModelMetrics;
  const judged = await judgedUnheard(prisma, modelId, model.dataSetId);
  const heldOut = new HeldOutSongs(judged);
  const pairs = new PairCurve(judged);
  const figure = metrics.crossValidation ?? metrics.holdout;
  const basis = metrics.crossValidation
    ? `${metrics.crossValidation.folds}-fold cross-validation: each song by a model that never heard it, its artist or another cut of it`
    : 'holdout: songs that were kept from it to the end, with all songs of their artists';
  const released = await pool.query<{ from: Date | null; to: Date | null }>(
    `SELECT min(t.release_date) AS "from", max(t.release_date) AS "to"
     FROM data_set_tracks d JOIN tracks t ON t.id = d.track_id WHERE d.data_set_id = $1`,
    [model.dataSetId],
  );
  const { from, to } = released.rows[0]!;
  const siblings = await prisma.model.findMany({
    where: { trainingRunId: model.trainingRunId, name: { in: ['dummy', 'logistic'] }, state: 'ready' },
  });
  const aucOf = (name: string) => {
    const sibling = siblings.find((row) => row.name === name);
    const its = sibling && (sibling.metrics as unknown as ModelMetrics);
    return its ? (its.crossValidation ?? its.holdout).rocAuc : null;
  };
  const facts = {
    ...{ model: publicId('model', model.id), name: model.name, basis, n: figure.n },
    ...{ dataSet: model.dataSet.name, dataSetId: publicId('data-set', model.dataSetId) },
    ...{ trainedAt: model.finishedAt?.toISOString() ?? null, codeVersion: model.codeVersion },
    ...{ groups: heldOut.groups, rocAuc: figure.rocAuc, rocAucCi95: figure.rocAucCi95 },
    betterThanChance: figure.rocAucCi95 !== null && figure.rocAucCi95[0] > 0.5,
    ...{ calibrationError: figure.ece ?? null, baseRate: heldOut.baseRate },
    ...{ dummy: aucOf('dummy'), logistic: aucOf('logistic') },
    released: { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null },
    ...{ threshold: model.dataSet.threshold, holdoutN: metrics.holdout.n, pairs: pairs.pairs },
  };
  return { reliability: { ...facts, words: inWords(facts) }, heldOut, pairs };
}

/** Out of fold where there is a cross-validation, else on both sides that it was kept from. */
async function judgedUnheard(
  prisma: Database['prisma'],
  modelId: number,
  dataSetId: number,
): Promise<Judged[]> {
  const of = async (side: 'out_of_fold' | 'holdout' | 'test') =>
    (await judgedByBoth(prisma, [modelId, modelId], dataSetId, side))[0];
  const outOfFold = await of('out_of_fold');
  return outOfFold.length > 0 ? outOfFold : [...(await of('holdout')), ...(await of('test'))];
}

const auc = (value: number) => value.toFixed(2).replace(/^0/, '');

function inWords(facts: Omit<Reliability, 'words'>): string[] {
  const { n, groups, rocAuc, rocAucCi95, released, threshold, dataSet, holdoutN } = facts;
  const year = (iso: string | null) => iso?.slice(0, 4) ?? 'an unknown year';
  const interval = rocAucCi95
    ? `, and between ${auc(rocAucCi95[0])} and ${auc(rocAucCi95[1])} with other songs`
    : '';
  const beside = [
    facts.dummy === null ? null : `always saying the same gets ${auc(facts.dummy)}`,
    facts.logistic === null || facts.name === 'logistic'
      ? null
      : `a simple linear model ${auc(facts.logistic)}`,
  ].filter((part) => part !== null);
  return [
    rocAuc === null
      ? 'How good this model is could not be measured: it has judged too few songs that it never heard.'
      : `Of two songs by artists it never heard, one that became popular and one that did not, it put the right one higher in ${Math.round(100 * rocAuc)} of 100 cases (ROC-AUC ${auc(rocAuc)}${interval}; n = ${n} songs by ${groups} artists or groups).`,
    ...(beside.length > 0
      ? [`For comparison, ${beside.join(' and ')}; .5 is a coin, 1 would be perfect.`]
      : []),
    ...(facts.betterThanChance
      ? []
      : ['It may be no better than chance: every answer of it is inconclusive.']),
    'Much of success is not in the sound: in an experiment the same songs rose and fell by what others had heard before (Salganik, Dodds and Watts, Science 2006). No model of the sound can know that part.',
    `Songs are compared with the data set ${dataSet}: releases from ${year(released.from)} to ${year(released.to)}, where popular means a popularity of at least ${Math.round(threshold)} of 100. Percentiles compare with its ${holdoutN} holdout songs.`,
  ];
}
