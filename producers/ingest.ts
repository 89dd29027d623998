/** Ingest: put one's own catalogue (a manifest or a folder) into the database and enqueue its previews. */
import { dirname, relative } from 'node:path';
import { audioJobs } from '../shared/crawls/jobs.ts';
import type { Crawl, Prisma, PrismaClient } from '../shared/database/generated/client.ts';
import { recordFailure } from '../shared/failures.ts';
import { artistKey, isArtist } from '../shared/learning/artists.ts';
import type { Catalogue, CatalogueRow } from '../shared/sources/folder/types.ts';
import { currentParameters } from './parameters.ts';
import type { Session } from './session.ts';

/** Rows written to the database at once. */
const chunk = 500;
const source = 'folder';

export interface Ingested {
  crawl: Crawl;
  /** Distinct tracks of the catalogue. */
  tracks: number;
  /** Those whose previews were enqueued; the others had their spectrogram already. */
  enqueued: number;
}

/** Store what was read of a catalogue as one crawl, and enqueue what has no spectrogram yet. */
export async function ingest(session: Session, catalogue: Catalogue): Promise<Ingested> {
  const { prisma } = session.database;
  const parametersHash = await currentParameters(session);
  const crawl = await prisma.crawl.create({
    data: { source, query: { path: catalogue.path }, parametersHash },
  });
  for (const problem of catalogue.problems) {
    const line = problem.line === null ? '' : `line ${problem.line}`;
    await recordFailure(prisma, {
      stage: 'ingest',
      kind: 'permanent',
      reason: line && problem.file ? `${line}: ${problem.reason}` : problem.reason,
      subject: problem.file ?? (line || catalogue.path),
      attempts: 1,
      crawlId: crawl.id,
    });
  }
  const rows = catalogue.rows.filter((row) => row.duplicateOf === null);
  for (let start = 0; start < rows.length; start += chunk) {
    await storeRows(prisma, crawl, catalogue, rows.slice(start, start + chunk));
  }
  const enqueued = await enqueueUnfinished(session, crawl.id, parametersHash, { failedToo: true });
  // From here on it is done as soon as its tracks are.
  await prisma.crawl.update({ where: { id: crawl.id }, data: { searchedAt: new Date() } });
  return { crawl, tracks: rows.length, enqueued };
}

async function storeRows(
  prisma: PrismaClient,
  crawl: Crawl,
  catalogue: Catalogue,
  rows: readonly CatalogueRow[],
): Promise<void> {
  const keys = rows.map((row) => row.contentHash);
  await adoptMended(prisma, rows);
  const albumIds = await storeAlbums(prisma, rows);
  const wanted = new Map(rows.map((row) => [row, trackOf(row, albumIds)]));
  await prisma.track.createMany({ data: [...wanted.values()], skipDuplicates: true });
  const tracks = await prisma.track.findMany({
    where: { source, sourceKey: { in: keys } },
    include: { readings: { orderBy: { id: 'desc' }, take: 1 } },
  });
  const byKey = new Map(tracks.map((track) => [track.sourceKey, track]));
  const trackIdOf = (row: CatalogueRow) => byKey.get(row.contentHash)!.id;

  // A catalogue that was corrected or moved since: the newest words count.
  for (const row of rows) {
    const track = byKey.get(row.contentHash)!;
    const data = wanted.get(row)!;
    if (differs(data, track)) await prisma.track.update({ where: { id: track.id }, data });
  }
  await storeArtists(prisma, rows, trackIdOf);

  // Reading the same manifest again says nothing new: only another value is another reading.
  const readings = rows.filter(
    (row) => row.popularity !== null && byKey.get(row.contentHash)!.readings[0]?.value !== row.popularity,
  );
  await prisma.popularityReading.createMany({
    data: readings.map((row) => ({ trackId: trackIdOf(row), value: row.popularity!, origin: 'manifest' })),
  });
  const base = catalogue.kind === 'folder' ? catalogue.path : dirname(catalogue.path);
  await prisma.crawlTrack.createMany({
    data: rows.map((row) => ({
      crawlId: crawl.id,
      trackId: trackIdOf(row),
      file: relative(base, row.file),
      line: row.line,
    })),
  });
}

/**
 * A file that was no good and has been mended is still the same track, whether it was retried since or
 * not: it takes its new bytes as its identity, unless another track has these already.
 */
async function adoptMended(prisma: PrismaClient, rows: readonly CatalogueRow[]): Promise<void> {
  const byFile = new Map(rows.map((row) => [row.file, row]));
  const keys = rows.map((row) => row.contentHash);
  const [known, mended] = await Promise.all([
    prisma.track.findMany({ where: { source, sourceKey: { in: keys } }, select: { sourceKey: true } }),
    prisma.track.findMany({
      where: {
        ...{ source, location: { in: [...byFile.keys()] }, sourceKey: { notIn: keys } },
        OR: [{ state: 'failed' }, { contentHash: { in: keys } }],
      },
      select: { id: true, location: true },
      orderBy: { id: 'asc' },
    }),
  ]);
  const taken = new Set(known.map((track) => track.sourceKey));
  for (const { id, location } of mended) {
    const sourceKey = byFile.get(location!)!.contentHash;
    if (taken.has(sourceKey)) continue;
    taken.add(sourceKey);
    await prisma.track.update({ where: { id }, data: { sourceKey } });
  }
}

/** One title by one first artist is one album: a folder has no better identity for it. */
function albumKey(row: CatalogueRow): string {
  return `${row.album!.toLowerCase()} / ${row.artists[0] ? artistKey(row.artists[0]) : ''}`;
}

/** Store the albums that are named; returns their ids by key. */
async function storeAlbums(
  prisma: PrismaClient,
  rows: readonly CatalogueRow[],
): Promise<Map<string, number>> {
  const albums = new Map(rows.filter((row) => row.album !== null).map((row) => [albumKey(row), row]));
  await prisma.album.createMany({
    data: [...albums].map(([sourceKey, { album, releaseDate }]) => ({
      ...{ source, sourceKey, title: album!, releaseDate },
    })),
    skipDuplicates: true,
  });
  const stored = await prisma.album.findMany({ where: { source, sourceKey: { in: [...albums.keys()] } } });
  return new Map(stored.map(({ sourceKey, id }) => [sourceKey, id]));
}

function trackOf(row: CatalogueRow, albumIds: ReadonlyMap<string, number>) {
  const { title, genre, releaseDate, isrc, trackGroup, durationMs, attributes } = row;
  return {
    ...{ source, sourceKey: row.contentHash, contentHash: row.contentHash, location: row.file },
    ...{ title, genre, releaseDate, isrc, trackGroup, attributes },
    albumId: row.album === null ? null : albumIds.get(albumKey(row))!,
    // Tags that are silent about the duration must not undo what decoding has found.
    ...(durationMs === null ? {} : { durationMs }),
  } satisfies Prisma.TrackCreateManyInput;
}

function differs(wanted: object, stored: object): boolean {
  const plain = (value: unknown) => JSON.stringify(value ?? null);
  return Object.entries(wanted).some(
    ([key, value]) => plain(value) !== plain(stored[key as keyof typeof stored]),
  );
}

async function storeArtists(
  prisma: PrismaClient,
  rows: readonly CatalogueRow[],
  trackIdOf: (row: CatalogueRow) => number,
): Promise<void> {
  const names = new Map<string, string>();
  for (const name of rows.flatMap((row) => row.artists).filter(isArtist)) names.set(artistKey(name), name);
  await prisma.artist.createMany({
    data: [...names].map(([key, name]) => ({ source, sourceKey: key, key, name })),
    skipDuplicates: true,
  });
  const artists = await prisma.artist.findMany({ where: { source, sourceKey: { in: [...names.keys()] } } });
  const idOf = new Map(artists.map((artist) => [artist.key, artist.id]));
  const links = rows.flatMap((row) =>
    row.artists
      .filter(isArtist)
      .map((name, position) => ({ trackId: trackIdOf(row), artistId: idOf.get(artistKey(name))!, position })),
  );
  await prisma.$transaction([
    prisma.trackArtist.deleteMany({ where: { trackId: { in: rows.map(trackIdOf) } } }),
    prisma.trackArtist.createMany({ data: links, skipDuplicates: true }),
  ]);
}

/**
 * Enqueue the tracks of a crawl that have no spectrogram of these parameters.
 * @param options.failedToo whether those that failed before are tried again
 * @returns how many
 */
export async function enqueueUnfinished(
  { database, queues }: Session,
  crawlId: number,
  parametersHash: string,
  options: { failedToo: boolean },
): Promise<number> {
  const { pool } = database;
  const crawl = { id: crawlId, parametersHash };
  const { rows } = await pool.query<{ id: number }>(
    `SELECT t.id FROM crawl_tracks c JOIN tracks t ON t.id = c.track_id WHERE c.crawl_id = $1
       AND (t.state IN ('listed', 'queued', 'fetched') OR ($2 AND t.state = 'failed') OR (t.state = 'ready' AND NOT EXISTS (
         SELECT 1 FROM spectrograms s WHERE s.content_hash = t.content_hash AND s.parameters_hash = $3)))`,
    [crawlId, options.failedToo, parametersHash],
  );
  const ids = rows.map(({ id }) => id);
  await queues.enqueueNext(await audioJobs(pool, crawl, ids));
  return ids.length;
}
