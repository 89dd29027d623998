/** What is drawn of a model beside its figures, from what it said of songs that it never heard. */
import type { Database } from '../../../shared/database/index.ts';
import { Kept } from '../../kept.ts';
import type { ModelView } from './schemas.ts';

/** A curve has so many points at most. */
const mostPoints = 200;

/** A song as a model judged it unseen. */
export interface Said {
  /** Of being popular, 0 to 1. */
  readonly probability: number;
  readonly popular: boolean;
}

export type Drawn = Pick<ModelView, 'precisionRecall' | 'confusion'>;

const known = new Kept<Drawn>(500);

interface Trained {
  id: number;
  dataSetId: number;
  /** Whether its figures are of all songs out of fold, or of the holdout. */
  outOfFold: boolean;
  /** Popular is decided from here on. */
  threshold: number;
}

/** Curve and table of a model that is ready: what it said of its own data set never changes. */
export function drawnOf(database: Database, model: Trained): Promise<Drawn> {
  const key = JSON.stringify([database.url, model]);
  return known.get(key, async () => {
    const said = await saidBy(database, model);
    return { precisionRecall: precisionRecall(said), confusion: confusionAt(said, model.threshold) };
  });
}

async function saidBy({ pool }: Database, { id, dataSetId, outOfFold }: Trained): Promise<Said[]> {
  const { rows } = await pool.query<Said>(
    `SELECT p.probability, p.popular FROM model_predictions p
     JOIN data_set_tracks d ON d.track_id = p.track_id AND d.data_set_id = $2
     WHERE p.model_id = $1 AND p.side = $3::"PredictionSide" ${outOfFold ? '' : `AND d.split = 'holdout'`}`,
    [id, dataSetId, outOfFold ? 'out_of_fold' : 'holdout'],
  );
  return rows;
}

/** Recall against precision, from the highest probability down; null where no song is popular. */
export function precisionRecall(said: readonly Said[]): ModelView['precisionRecall'] {
  const popular = said.filter((song) => song.popular).length;
  if (popular === 0) return null;
  const sorted = [...said].sort((a, b) => b.probability - a.probability);
  const points: [number, number][] = [];
  let hits = 0;
  for (const [index, song] of sorted.entries()) {
    if (song.popular) hits++;
    // Songs of one probability are taken together: nothing says which comes first.
    if (sorted[index + 1]?.probability === song.probability) continue;
    points.push([hits / popular, hits / (index + 1)]);
  }
  if (points.length <= mostPoints) return points;
  // Evenly spread from the first to the last, where all songs are taken.
  const step = (points.length - 1) / (mostPoints - 1);
  return Array.from({ length: mostPoints }, (_, i) => points[Math.round(i * step)]!);
}

/** How often it decided right and wrong. */
export function confusionAt(said: readonly Said[], threshold: number): ModelView['confusion'] {
  if (said.length === 0) return null;
  const count = (popular: boolean, decided: boolean) =>
    said.filter((song) => song.popular === popular && song.probability >= threshold === decided).length;
  return {
    ...{ truePositive: count(true, true), falsePositive: count(false, true) },
    ...{ falseNegative: count(true, false), trueNegative: count(false, false) },
  };
}
