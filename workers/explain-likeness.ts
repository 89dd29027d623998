/** What songs are like among the tracks of a model's data set. */
import type pg from 'pg';
import { readSpectrograms } from '../shared/data-sets/cache.ts';
import { floatsOf } from '../shared/database/embeddings.ts';
import type { Database } from '../shared/database/index.ts';
import { publicId } from '../shared/identifiers.ts';
import type { ExplanationContent } from '../shared/learning/explain/content.ts';
import { cosine, Moments, Nearest, tagDifferences } from '../shared/learning/explain/likeness.ts';
import { type TypicalSound, typicalSound } from '../shared/learning/explain/typical.ts';
import { spectrogramStatistics } from '../shared/learning/features/statistics.ts';
import type { Spectrogram } from '../shared/learning/spectrograms.ts';
import { embeddingParts, embeddingValues, logTags, pooledValues, tags } from '../shared/tagger/embedding.ts';
import { taggerName } from '../shared/tagger/provision.ts';

export interface ComparedSong {
  readonly contentHash: string;
  /** sha256 of its sound as the model hears it: not to be compared with itself. */
  readonly audioHash: string;
  readonly spectrogram: Spectrogram;
  /** Null where the tagger did not hear it. */
  readonly embedding: Float32Array | null;
}

export type Likeness = Pick<ExplanationContent, 'tags' | 'neighbours'>;

interface DataSetKey {
  readonly id: number;
  readonly parametersHash: string;
}

const nearest = 3;
/** So many are looked up for each that is told: a recording may be there several times. */
const spare = 4;
/** Tracks read from the database at once, by embedding (3 kB each) and by spectrogram (165 kB each). */
const chunk = 1_000;
const spectrogramChunk = 32;
/** Without embeddings so many tracks are compared at most: each has to be read whole. */
const mostSpectrograms = 600;
/** Tracks that say what is typical of a data set. */
const typicalTracks = 64;

/** A track as it is compared. */
interface Sketch {
  readonly trackId: number;
  readonly contentHash: string;
  readonly audioHash: string;
  readonly popular: boolean;
  readonly split: string;
  readonly popularity: number;
  readonly vector: ArrayLike<number>;
  /** Null without the tagger. */
  readonly tags: Float32Array | null;
}
type Sketches = () => AsyncGenerator<Sketch>;

/** Find out what is typical of a data set, from tracks spread over its train side. */
export async function readTypicalSound({ prisma }: Database, dataSet: DataSetKey): Promise<TypicalSound> {
  const rows = await prisma.dataSetTrack.findMany({
    where: { dataSetId: dataSet.id, split: 'train' },
    orderBy: { trackId: 'asc' },
    select: { contentHash: true, parametersHash: true },
  });
  const spectrograms: Spectrogram[] = [];
  const keys = spread(rows, typicalTracks);
  for (let start = 0; start < keys.length; start += spectrogramChunk) {
    spectrograms.push(...(await readSpectrograms(prisma, keys.slice(start, start + spectrogramChunk))));
  }
  return typicalSound(spectrograms);
}

/** At most so many of the items, evenly spread. */
function spread<T>(items: readonly T[], most: number): T[] {
  const step = Math.max(1, items.length / most);
  return Array.from({ length: Math.min(most, items.length) }, (_, i) => items[Math.floor(i * step)]!);
}

/**
 * Compare songs with the tracks of a data set: by what the tagger heard where it heard them, else by their
 * mel statistics.
 * @returns in the order of the songs
 */
export async function likenessOf(
  database: Database,
  dataSet: DataSetKey,
  songs: readonly ComparedSong[],
): Promise<Likeness[]> {
  const heard = await byTagger(database, dataSet, songs);
  const rest = songs.filter((_, index) => heard[index] === null);
  const others = rest.length > 0 ? await byStatistics(database, dataSet, rest) : [];
  return heard.map((likeness) => likeness ?? others.shift()!);
}

async function byTagger(
  database: Database,
  dataSet: DataSetKey,
  songs: readonly ComparedSong[],
): Promise<(Likeness | null)[]> {
  const nobody = songs.map(() => null);
  if (songs.every(({ embedding }) => embedding === null)) return nobody;
  const sketches: Sketches = () => taggerSketches(database.pool, dataSet);
  const popular = new Moments(tags.length);
  const usual = new Moments(pooledValues);
  for await (const track of sketches()) {
    if (track.split !== 'train') continue;
    usual.add(track.vector);
    if (track.popular) popular.add(logTags(track.tags!));
  }
  // A handful of embeddings in a data set that was not heard tells nobody what is near.
  const tracks = await database.prisma.dataSetTrack.count({ where: { dataSetId: dataSet.id } });
  const parts = songs.map(({ embedding }) => embedding && embeddingParts(embedding));
  const vectors = parts.map((own) => own?.mean ?? null);
  const found = await neighboursOf(database, sketches, usual, songs, vectors);
  if (popular.count === 0 || found.compared * 2 < tracks) return nobody;
  return songs.map((_, index) => {
    const own = parts[index];
    if (!own) return null;
    return {
      tags: tagDifferences(own.tags, popular),
      neighbours: { by: 'music tagger' as const, compared: found.compared, ...found.neighbours[index]! },
    };
  });
}

async function byStatistics(
  database: Database,
  dataSet: DataSetKey,
  songs: readonly ComparedSong[],
): Promise<Likeness[]> {
  const vectors = songs.map(({ spectrogram }) => spectrogramStatistics(spectrogram));
  const sketches: Sketch[] = [];
  for await (const sketch of statisticsSketches(database, dataSet)) sketches.push(sketch);
  const again: Sketches = async function* () {
    yield* sketches;
  };
  const usual = new Moments(vectors[0]!.length);
  for (const { split, vector } of sketches) if (split === 'train') usual.add(vector);
  const { compared, neighbours } = await neighboursOf(database, again, usual, songs, vectors);
  return neighbours.map((found) => ({
    tags: null,
    neighbours: { by: 'mel statistics' as const, compared, ...found },
  }));
}

type Neighbours = Pick<ExplanationContent['neighbours'], 'popular' | 'unpopular'>;

/**
 * Find the nearest tracks of each song.
 * @param usual of the vectors on the train side, by which all are standardised
 */
async function neighboursOf(
  database: Database,
  sketches: Sketches,
  usual: Moments,
  songs: readonly ComparedSong[],
  vectors: readonly (ArrayLike<number> | null)[],
): Promise<{ compared: number; neighbours: Neighbours[] }> {
  const scaled = vectors.map((vector) => (vector && usual.count > 0 ? usual.standardised(vector) : null));
  const make = () => new Nearest<Sketch & { sound: string; similarity: number }>(spare * nearest);
  const found = songs.map(() => ({ popular: make(), unpopular: make() }));
  let compared = 0;
  for await (const track of sketches()) {
    compared++;
    const standing = usual.count > 0 ? usual.standardised(track.vector) : null;
    for (const [index, song] of songs.entries()) {
      const own = scaled[index];
      if (!own || !standing) continue;
      if (track.contentHash === song.contentHash || track.audioHash === song.audioHash) continue;
      const side = track.popular ? found[index]!.popular : found[index]!.unpopular;
      side.offer({ ...track, sound: track.audioHash, similarity: cosine(own, standing) });
    }
  }
  const neighbours: Neighbours[] = [];
  for (const { popular, unpopular } of found) {
    neighbours.push({
      popular: await named(database, popular.kept),
      unpopular: await named(database, unpopular.kept),
    });
  }
  return { compared, neighbours };
}

async function named(
  { prisma }: Database,
  tracks: readonly (Sketch & { similarity: number })[],
): Promise<Neighbours['popular']> {
  const rows = await prisma.track.findMany({
    where: { id: { in: tracks.map(({ trackId }) => trackId) } },
    include: { artists: { include: { artist: true }, orderBy: { position: 'asc' } } },
  });
  const described = tracks.map(({ trackId, popularity, similarity }) => {
    const row = rows.find(({ id }) => id === trackId);
    const artists = row?.artists.map(({ artist }) => artist.name) ?? [];
    return {
      ...{ track: publicId('track', trackId), title: row?.title ?? '', artists },
      ...{ popularity, similarity },
    };
  });
  const keyOf = ({ title, artists }: Neighbours['popular'][number]) => JSON.stringify([title, artists]);
  const keys = described.map(keyOf);
  return described.filter((_, index) => keys.indexOf(keys[index]!) === index).slice(0, nearest);
}

const sketchColumns = `d.track_id AS "trackId", d.content_hash AS "contentHash", s.audio_hash AS "audioHash",
  d.popular, d.split, d.popularity`;
const bytesOf = (values: number) => values * Float32Array.BYTES_PER_ELEMENT;

/** Tracks that the tagger heard: of an embedding only its first part and its last are read. */
async function* taggerSketches(pool: pg.Pool, dataSet: DataSetKey): AsyncGenerator<Sketch> {
  let after = 0;
  for (;;) {
    const { rows } = await pool.query<Omit<Sketch, 'vector' | 'tags'> & { mean: Buffer; tags: Buffer }>(
      `SELECT ${sketchColumns}, substring(e.values FROM 1 FOR $4) AS mean, substring(e.values FROM $5) AS tags
         FROM data_set_tracks d
         JOIN embeddings e ON e.content_hash = d.content_hash AND e.tagger = $2
         JOIN spectrograms s ON s.content_hash = d.content_hash AND s.parameters_hash = d.parameters_hash
        WHERE d.data_set_id = $1 AND d.track_id > $3 ORDER BY d.track_id LIMIT ${chunk}`,
      [dataSet.id, taggerName, after, bytesOf(pooledValues), bytesOf(embeddingValues - tags.length) + 1],
    );
    for (const row of rows) yield { ...row, vector: floatsOf(row.mean), tags: floatsOf(row.tags) };
    if (rows.length < chunk) return;
    after = rows.at(-1)!.trackId;
  }
}

/** As many tracks as can be read whole, as many of each class, spread over the data set. */
async function* statisticsSketches({ pool, prisma }: Database, dataSet: DataSetKey): AsyncGenerator<Sketch> {
  const { rows } = await pool.query<Omit<Sketch, 'vector' | 'tags'>>(
    `SELECT ${sketchColumns} FROM data_set_tracks d
       JOIN spectrograms s ON s.content_hash = d.content_hash AND s.parameters_hash = d.parameters_hash
      WHERE d.data_set_id = $1 ORDER BY d.track_id`,
    [dataSet.id],
  );
  const chosen = [true, false].flatMap((popular) =>
    spread(
      rows.filter((row) => row.popular === popular),
      mostSpectrograms / 2,
    ),
  );
  for (let start = 0; start < chosen.length; start += spectrogramChunk) {
    const part = chosen.slice(start, start + spectrogramChunk);
    const keys = part.map(({ contentHash }) => ({ contentHash, parametersHash: dataSet.parametersHash }));
    const spectrograms = await readSpectrograms(prisma, keys);
    for (const [index, row] of part.entries()) {
      yield { ...row, vector: spectrogramStatistics(spectrograms[index]!), tags: null };
    }
  }
}
