/** How far a model may be trusted, from songs that it never heard. */
import type { Database } from '../../../shared/database/index.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { HeldOutSongs } from '../../../shared/scoring/neighbourhood.ts';
import { PairCurve } from '../../../shared/scoring/pairs.ts';
import { isBetterThanChance, judgedUnheard, rocAucOnTheSame } from '../../../shared/scoring/unheard.ts';
import { Kept } from '../../kept.ts';
import { comparedWith, inWords } from './reliability-words.ts';
import type { Reliability } from './schemas.ts';

/** What a score of a model is read by. */
export interface Yardstick {
  reliability: Reliability;
  heldOut: HeldOutSongs;
  pairs: PairCurve;
}

/** ROC-AUC of saying the same of every song: all pairs are ties. */
const dummyRocAuc = 0.5;

/** A trained model never changes: the newest are kept. */
const known = new Kept<Yardstick>(8);

export function yardstickOf(database: Database, modelId: number): Promise<Yardstick> {
  // Databases of tests share this process.
  return known.get(`${database.url} ${modelId}`, () => read(database, modelId));
}

async function read({ prisma, pool }: Database, modelId: number): Promise<Yardstick> {
  const model = await prisma.model.findUniqueOrThrow({ where: { id: modelId }, include: { dataSet: true } });
  const unheard = await judgedUnheard(prisma, model);
  const { judged, figures, basis, holdoutN } = unheard;
  const betterThanChance = isBetterThanChance(unheard);
  const heldOut = new HeldOutSongs(judged);
  const pairs = new PairCurve(judged, betterThanChance);
  const released = await pool.query<{ from: Date | null; to: Date | null; tracks: number }>(
    `SELECT min(t.release_date) AS "from", max(t.release_date) AS "to", count(*)::int AS tracks
     FROM data_set_tracks d JOIN tracks t ON t.id = d.track_id WHERE d.data_set_id = $1`,
    [model.dataSetId],
  );
  const { from, to, tracks } = released.rows[0]!;
  const facts = {
    ...{ model: publicId('model', model.id), name: model.name, basis, n: figures.n },
    ...{ dataSet: model.dataSet.name, dataSetId: publicId('data-set', model.dataSetId), tracks },
    ...{ trainedAt: model.finishedAt?.toISOString() ?? null, codeVersion: model.codeVersion },
    ...{ groups: heldOut.groups, rocAuc: figures.rocAuc, rocAucCi95: figures.rocAucCi95 },
    ...{ betterThanChance, calibrationError: figures.ece ?? null, baseRate: heldOut.baseRate },
    ...{ dummy: dummyRocAuc, logistic: await rocAucOnTheSame(prisma, 'logistic', model, unheard) },
    released: { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null },
    ...{ threshold: model.dataSet.threshold, holdoutN, pairs: pairs.pairs },
  };
  const reliability = { ...facts, compared: comparedWith(facts), words: inWords(facts) };
  return { reliability, heldOut, pairs };
}
