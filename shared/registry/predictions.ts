/** What models said about tracks that they had not seen, and which tracks those are. */
import type { PredictionSide, PrismaClient, Split } from '../database/generated/client.ts';
import type { Judged } from '../learning/evaluation/index.ts';
import { relationKeys } from '../learning/groups.ts';
import type { Reader } from './models.ts';

export interface StoredPrediction {
  readonly trackId: number;
  readonly side: PredictionSide;
  /** Of being popular, 0 to 1. */
  readonly probability: number;
  /** By the threshold that the model was fitted with. */
  readonly popular: boolean;
}

/** Rows sent in one statement. */
const chunk = 50_000;

/** Keep predictions of a model; those that are there already stay. */
export async function storePredictions(
  prisma: Reader,
  modelId: number,
  predictions: readonly StoredPrediction[],
): Promise<void> {
  for (let start = 0; start < predictions.length; start += chunk) {
    const rows = predictions.slice(start, start + chunk);
    await prisma.$executeRaw`
      INSERT INTO model_predictions (model_id, side, track_id, probability, popular)
      SELECT ${modelId}, side::"PredictionSide", track_id, probability, popular
      FROM unnest(
        ${rows.map(({ side }) => side)}::text[],
        ${rows.map(({ trackId }) => trackId)}::int[],
        ${rows.map(({ probability }) => probability)}::float8[],
        ${rows.map(({ popular }) => popular)}::bool[]
      ) AS given (side, track_id, probability, popular)
      ON CONFLICT DO NOTHING`;
  }
}

/** The same tracks as two models judged them, in the same order. */
export type JudgedTwice = readonly [Judged[], Judged[]];

interface JudgedRow {
  popular: boolean;
  group: number;
  first: number;
  second: number;
  firstPopular: boolean;
  secondPopular: boolean;
}

/**
 * The tracks of a data set that two models both have judged on a side, with the data set's groups. Labels
 * are those that the models were held against themselves, such as by a fold's threshold, where these are
 * the same for both; else the data set's.
 *
 * @param unfamiliar leaves out tracks of other groups; null takes them all.
 */
export async function judgedByBoth(
  prisma: Reader,
  models: readonly [number, number],
  dataSetId: number,
  side: PredictionSide,
  unfamiliar: ReadonlySet<number> | null = null,
): Promise<JudgedTwice> {
  const split = side === 'out_of_fold' ? null : side;
  const rows = await prisma.$queryRaw<JudgedRow[]>`
    SELECT d.popular, d."group", a.probability AS first, b.probability AS second,
           a.popular AS "firstPopular", b.popular AS "secondPopular"
    FROM data_set_tracks d
    JOIN model_predictions a
      ON a.track_id = d.track_id AND a.model_id = ${models[0]} AND a.side = ${side}::"PredictionSide"
    JOIN model_predictions b
      ON b.track_id = d.track_id AND b.model_id = ${models[1]} AND b.side = ${side}::"PredictionSide"
    WHERE d.data_set_id = ${dataSetId} AND (${split}::text IS NULL OR d.split::text = ${split})
    ORDER BY d.track_id`;
  const taken = unfamiliar ? rows.filter(({ group }) => unfamiliar.has(group)) : rows;
  const agreed = taken.every(({ firstPopular, secondPopular }) => firstPopular === secondPopular);
  const judged = (probability: (row: JudgedRow) => number): Judged[] =>
    taken.map((row) => ({
      ...{ probability: probability(row), group: row.group },
      label: (agreed ? row.firstPopular : row.popular) ? 1 : 0,
    }));
  return [judged(({ first }) => first), judged(({ second }) => second)];
}

/** A track of a holdout, as it is needed to be judged. */
export interface HoldoutTrack {
  readonly trackId: number;
  readonly contentHash: string;
  readonly popularity: number;
  readonly group: number;
}

/**
 * The holdout of a data set as far as a model of another data set cannot know it: of each group, no track
 * shares the recording, its sound or an artist with anything that the model was fitted or stopped by.
 *
 * @returns null when it is not known what that was: the model came without its data set.
 */
export async function unfamiliarHoldout(
  prisma: PrismaClient,
  modelDataSetId: number,
  dataSetId: number,
): Promise<HoldoutTrack[] | null> {
  const learned = await relatedTracks(prisma, modelDataSetId, ['train', 'test']);
  if (learned.length === 0) return null;
  const known = new Set(learned.flatMap(({ keys }) => keys));
  const holdout = await relatedTracks(prisma, dataSetId, ['holdout']);
  const familiar = new Set(
    holdout.filter(({ keys }) => keys.some((key) => known.has(key))).map(({ group }) => group),
  );
  return holdout.filter(({ group }) => !familiar.has(group));
}

async function relatedTracks(prisma: PrismaClient, dataSetId: number, splits: Split[]) {
  const rows = await prisma.dataSetTrack.findMany({
    where: { dataSetId, split: { in: splits } },
    orderBy: { trackId: 'asc' },
    select: {
      ...{ trackId: true, contentHash: true, popularity: true, group: true },
      spectrogram: { select: { audioHash: true } },
      track: {
        select: {
          ...{ isrc: true, trackGroup: true },
          artists: { select: { artist: { select: { name: true } } } },
        },
      },
    },
  });
  return rows.map(({ track, spectrogram, ...row }) => ({
    ...row,
    keys: [
      `track ${row.trackId}`,
      ...relationKeys({
        ...{ isrc: track.isrc, trackGroup: track.trackGroup, contentHash: row.contentHash },
        artists: track.artists.map(({ artist }) => artist.name),
        audioHash: spectrogram.audioHash,
      }),
    ],
  }));
}
