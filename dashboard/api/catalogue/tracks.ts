/** Lists of tracks, and one with everything that is known of it. */
import type { SpectrogramParameters } from '../../../shared/audio/parameters.ts';
import type { Database } from '../../../shared/database/index.ts';
import { withoutFolders } from '../../../shared/failure-causes.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { readSpectrogram, type ShownSpectrogram } from '../../audio/spectrograms.ts';
import { notFound } from '../problem.ts';
import { counted } from './counted.ts';
import { idsOnPage, type Part } from './order.ts';
import type { TrackItem, TrackView } from './schemas.ts';
import { type Asked, type Condition, conditionOf, newestReading } from './search.ts';

/** Of what is filtered no more are counted: nobody pages that far. */
export const mostCounted = 10_000;
const mostReadings = 200;

interface Row {
  id: number;
  title: string;
  album: string | null;
  artists: string[];
  genre: string | null;
  released: string | null;
  popularity: number | null;
  durationMs: number | null;
  isrc: string | null;
  source: string;
  state: TrackItem['state'];
  reason: string | null;
}

const columns = `t.id, t.title, t.genre, t.isrc, t.source, t.state, t.failure_reason AS reason,
  t.duration_ms AS "durationMs", to_char(t.release_date, 'YYYY-MM-DD') AS released,
  (SELECT b.title FROM albums b WHERE b.id = t.album_id) AS album,
  ARRAY(SELECT a.name FROM track_artists x JOIN artists a ON a.id = x.artist_id
    WHERE x.track_id = t.id ORDER BY x.position) AS artists,
  ${newestReading} AS popularity`;

export async function listTracks(
  database: Database,
  asked: Asked,
  part: Part,
): Promise<{ total: number; items: TrackItem[] }> {
  const condition = await conditionOf(database.pool, asked);
  const items = await itemsOn(database, condition, part);
  return { total: await countTracks(database, condition), items };
}

/** The same without counting. */
export async function findTracks(database: Database, asked: Asked, part: Part): Promise<TrackItem[]> {
  return itemsOn(database, await conditionOf(database.pool, asked), part);
}

async function itemsOn(database: Database, condition: Condition, part: Part): Promise<TrackItem[]> {
  // The page is found first, and only its rows are looked at more closely.
  const ids = await idsOnPage(database, condition, part);
  const found = await database.pool.query<Row>(
    `SELECT ${columns} FROM unnest($1::int[]) WITH ORDINALITY page (id, place) JOIN tracks t ON t.id = page.id
     ORDER BY page.place`,
    [ids],
  );
  return found.rows.map(trackItem);
}

/** How many tracks fit, and of what is filtered no more than `mostCounted`. */
function countTracks(database: Database, { where, values }: Condition): Promise<number> {
  const all = 'SELECT count(*)::int AS total FROM tracks';
  const fitting = `SELECT count(*)::int AS total FROM (SELECT FROM tracks t ${where} LIMIT ${mostCounted}) fitting`;
  return counted(database, where === '' ? all : fitting, values);
}

function trackItem({ id, durationMs, reason, ...row }: Row): TrackItem {
  return {
    ...{ ...row, id: publicId('track', id), reason: reason && withoutFolders(reason) },
    durationSeconds: durationMs === null ? null : durationMs / 1000,
  };
}

export async function describeTrack(database: Database, id: number): Promise<TrackView> {
  const { prisma, pool } = database;
  const { rows } = await pool.query<Row & { contentHash: string | null }>(
    `SELECT ${columns}, t.content_hash AS "contentHash" FROM tracks t WHERE t.id = $1`,
    [id],
  );
  const row = rows[0];
  if (!row) return notFound(publicId('track', id));
  const { contentHash, ...shown } = row;
  const [track, kept, heard, spectrogram] = await Promise.all([
    prisma.track.findUniqueOrThrow({
      where: { id },
      select: {
        attributes: true,
        // The newest; they are told oldest first.
        readings: { orderBy: [{ takenAt: 'desc' }, { id: 'desc' }], take: mostReadings },
        dataSets: { include: { dataSet: { select: { name: true } } } },
        predictions: {
          include: { model: { select: { name: true } } },
          orderBy: { modelId: 'desc' },
          take: 50,
        },
        crawls: {
          include: { crawl: { select: { startedAt: true } } },
          orderBy: { crawlId: 'desc' },
          take: 50,
        },
        failures: { orderBy: { id: 'desc' }, take: 50 },
      },
    }),
    contentHash ? prisma.preview.count({ where: { contentHash } }) : 0,
    contentHash ? prisma.embedding.count({ where: { contentHash } }) : 0,
    trackSpectrogram(database, contentHash),
  ]);
  return {
    ...trackItem(shown as Row),
    readings: track.readings.reverse().map(({ takenAt, value, rank, origin, crawlId }) => ({
      ...{
        at: takenAt.toISOString(),
        value,
        rank,
        origin,
        crawl: crawlId === null ? null : publicId('crawl', crawlId),
      },
    })),
    spectrogram: spectrogram && { ...spectrogram.facts, warnings: spectrogram.warnings },
    ...{ previewKept: kept > 0, heardByTagger: heard > 0 },
    dataSets: track.dataSets.map(({ dataSetId, dataSet, split, popular }) => ({
      ...{ id: publicId('data-set', dataSetId), name: dataSet.name, split, popular },
    })),
    predictions: track.predictions.map(({ modelId, model, side, probability }) => ({
      ...{
        model: publicId('model', modelId),
        name: model.name,
        side: side.replaceAll('_', ' '),
        probability,
      },
    })),
    crawls: track.crawls.map(({ crawlId, crawl }) => ({
      ...{ crawl: publicId('crawl', crawlId), startedAt: crawl.startedAt.toISOString() },
    })),
    attempts: track.failures.map(({ id: failure, stage, state, reason, attempts, updatedAt }) => ({
      ...{ failure: publicId('failure', failure), stage, state, reason: withoutFolders(reason), attempts },
      at: updatedAt.toISOString(),
    })),
    attributes: track.attributes as Record<string, unknown>,
  };
}

/** The spectrogram of the newest parameters; null where there is none. */
export async function trackSpectrogram(
  database: Database,
  contentHash: string | null,
): Promise<(ShownSpectrogram & { warnings: string[] }) | null> {
  if (contentHash === null) return null;
  const newest = await database.prisma.spectrogram.findFirst({
    where: { contentHash },
    orderBy: { createdAt: 'desc' },
    select: { warnings: true, parameters: true },
  });
  if (!newest) return null;
  const { hash, parameters } = newest.parameters;
  const found = await readSpectrogram(database, contentHash, {
    ...{ hash, parameters: parameters as unknown as SpectrogramParameters },
  });
  return found && { ...found, warnings: newest.warnings };
}
