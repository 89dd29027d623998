/**
 * How far a song is from anything that a model has heard: the share of the data set's tracks that are nearer
 * to their own nearest neighbour than the song is to its own. A track's neighbours are of other artists and
 * recordings, as a new song's are.
 */
import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { readSpectrograms } from '../shared/data-sets/cache.ts';
import { readEmbeddings } from '../shared/database/embeddings.ts';
import type { Database } from '../shared/database/index.ts';
import { percentileOf } from '../shared/learning/evaluation/index.ts';
import { Moments } from '../shared/learning/explain/likeness.ts';
import { spectrogramStatistics } from '../shared/learning/features/statistics.ts';
import { embeddingParts } from '../shared/tagger/embedding.ts';
import { taggerName } from '../shared/tagger/provision.ts';

/** What songs and tracks are compared by. */
const ways = ['music tagger', 'mel statistics'] as const;
type Way = (typeof ways)[number];

/** Tracks of the train side that stand for it, spread over all: embeddings are small, spectrograms are not. */
const mostTracks: Record<Way, number> = { 'music tagger': 2_000, 'mel statistics': 600 };
/** With fewer tracks one in 40 cannot be told from the farthest of them. */
const fewestTracks = 40;
const chunk = 32;
/** Rows compared before others may run. */
const rowsAtOnce = 32;

interface DataSetKey {
  readonly id: number;
  readonly parametersHash: string;
}

interface Sound {
  readonly contentHash: string;
  /** sha256 of the sound as the model hears it: the same is no neighbour. */
  readonly audioHash: string;
}

export interface Unfamiliarity {
  /** 0 to 100. */
  readonly unfamiliarity: number;
  readonly comparedBy: Way;
}

/** Tracks as they are compared: standardised, and of length 1. */
interface Catalogue {
  readonly usual: Moments;
  readonly vectors: readonly Float32Array[];
  readonly sounds: readonly string[];
  /** How far each is from its nearest neighbour, ascending: 0 is the same direction, 2 the opposite. */
  readonly distances: readonly number[];
}

/** Answers for the data sets that it was asked about last: they never change. */
export class Familiarity {
  readonly #database: Database;
  readonly #catalogues = new LRUCache<string, Promise<Catalogue | null>>({ max: 4 });

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Compare songs that have spectrograms with the tracks of a data set.
   * @returns in the order of the songs; null where it has too few tracks, or was not heard as they were
   */
  async of(dataSet: DataSetKey, contentHashes: readonly string[]): Promise<(Unfamiliarity | null)[]> {
    const answers: (Unfamiliarity | null)[] = [];
    for (let start = 0; start < contentHashes.length; start += chunk) {
      const sounds = await this.#sounds(dataSet, contentHashes.slice(start, start + chunk));
      answers.push(...(await this.#compare(dataSet, sounds)));
    }
    return answers;
  }

  async #compare(dataSet: DataSetKey, songs: readonly Sound[]): Promise<(Unfamiliarity | null)[]> {
    const found: (Unfamiliarity | null)[] = songs.map(() => null);
    for (const comparedBy of ways) {
      const left = [...songs.keys()].filter((index) => found[index] === null);
      if (left.length === 0) break;
      const catalogue = await this.#catalogue(dataSet, comparedBy);
      if (!catalogue) continue;
      const vectors = await this.#vectors(
        comparedBy,
        dataSet,
        left.map((index) => songs[index]!),
      );
      for (const [place, index] of left.entries()) {
        const vector = vectors[place];
        if (!vector) continue;
        const distance = distanceTo(catalogue, vector, songs[index]!.audioHash);
        const unfamiliarity = percentileOf(distance, catalogue.distances);
        if (unfamiliarity !== null) found[index] = { unfamiliarity, comparedBy };
      }
    }
    return found;
  }

  #catalogue(dataSet: DataSetKey, way: Way): Promise<Catalogue | null> {
    const key = `${dataSet.id} ${way}`;
    let catalogue = this.#catalogues.get(key);
    if (!catalogue) {
      catalogue = this.#read(dataSet, way);
      this.#catalogues.set(key, catalogue);
      // What went wrong once may go well when it is asked for again.
      catalogue.catch(() => this.#catalogues.delete(key));
    }
    return catalogue;
  }

  async #read(dataSet: DataSetKey, way: Way): Promise<Catalogue | null> {
    const rows = await this.#database.prisma.dataSetTrack.findMany({
      where: { dataSetId: dataSet.id, split: 'train' },
      orderBy: { trackId: 'asc' },
      select: { contentHash: true, group: true, spectrogram: { select: { audioHash: true } } },
    });
    const tracks = spread(rows, mostTracks[way]).map(({ spectrogram, ...track }) => ({
      ...track,
      ...spectrogram,
    }));
    const read: (ArrayLike<number> | null)[] = [];
    for (let start = 0; start < tracks.length; start += chunk) {
      read.push(...(await this.#vectors(way, dataSet, tracks.slice(start, start + chunk))));
    }
    const heard = tracks.filter((_, index) => read[index] !== null);
    // A handful of embeddings in a data set that was not heard tells nobody what is near.
    if (heard.length < fewestTracks || heard.length * 2 < tracks.length) return null;
    return catalogueOf(
      heard,
      read.filter((vector) => vector !== null),
    );
  }

  async #sounds({ parametersHash }: DataSetKey, contentHashes: readonly string[]): Promise<Sound[]> {
    const rows = await this.#database.prisma.spectrogram.findMany({
      where: { parametersHash, contentHash: { in: [...contentHashes] } },
      select: { contentHash: true, audioHash: true },
    });
    const audioHashes = new Map(rows.map(({ contentHash, audioHash }) => [contentHash, audioHash]));
    return contentHashes.map((contentHash) => ({
      contentHash,
      audioHash: audioHashes.get(contentHash) ?? '',
    }));
  }

  /** @returns in the order of the sounds; null where the tagger did not hear one */
  async #vectors(
    way: Way,
    { parametersHash }: DataSetKey,
    sounds: readonly Sound[],
  ): Promise<(ArrayLike<number> | null)[]> {
    const { prisma, pool } = this.#database;
    const hashes = sounds.map(({ contentHash }) => contentHash);
    if (way === 'mel statistics') {
      const keys = hashes.map((contentHash) => ({ contentHash, parametersHash }));
      return (await readSpectrograms(prisma, keys)).map(spectrogramStatistics);
    }
    const embeddings = await readEmbeddings(pool, hashes, taggerName);
    return hashes.map((hash) => {
      const embedding = embeddings.get(hash);
      return embedding ? embeddingParts(embedding).mean : null;
    });
  }
}

async function catalogueOf(
  tracks: readonly { audioHash: string; group: number }[],
  read: readonly ArrayLike<number>[],
): Promise<Catalogue> {
  const usual = new Moments(read[0]!.length);
  for (const vector of read) usual.add(vector);
  const vectors = read.map((vector) => direction(usual, vector));
  const nearest = new Float64Array(tracks.length).fill(Number.NEGATIVE_INFINITY);
  for (const [one, track] of tracks.entries()) {
    for (let other = 0; other < one; other++) {
      const { group, audioHash } = tracks[other]!;
      if (group === track.group || audioHash === track.audioHash) continue;
      const similarity = product(vectors[one]!, vectors[other]!);
      if (similarity > nearest[one]!) nearest[one] = similarity;
      if (similarity > nearest[other]!) nearest[other] = similarity;
    }
    if (one % rowsAtOnce === 0) await setImmediate();
  }
  const distances = [...nearest]
    .filter(Number.isFinite)
    .map((similarity) => 1 - similarity)
    .sort((a, b) => a - b);
  return { usual, vectors, sounds: tracks.map(({ audioHash }) => audioHash), distances };
}

function distanceTo({ usual, vectors, sounds }: Catalogue, vector: ArrayLike<number>, sound: string): number {
  const own = direction(usual, vector);
  let nearest = Number.NEGATIVE_INFINITY;
  for (const [index, other] of vectors.entries()) {
    if (sounds[index] !== sound) nearest = Math.max(nearest, product(own, other));
  }
  return 1 - nearest;
}

/** A vector in deviations from what is usual, of length 1: products of two are cosines. */
function direction(usual: Moments, vector: ArrayLike<number>): Float32Array {
  const standing = usual.standardised(vector);
  const length = Math.sqrt(product(standing, standing));
  return Float32Array.from(standing, (value) => (length > 0 ? value / length : 0));
}

function product(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** At most so many of the items, evenly spread. */
function spread<T>(items: readonly T[], most: number): T[] {
  const step = Math.max(1, items.length / most);
  return Array.from({ length: Math.min(most, items.length) }, (_, i) => items[Math.floor(i * step)]!);
}
