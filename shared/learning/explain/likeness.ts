/** What a song is like: how its tags differ from those of popular tracks, and which tracks are near it. */
import { logTags, tags } from '../../tagger/embedding.ts';

const mostTags = 6;
/** Standard deviations that a tag differs at least to be told. */
const leastDifference = 0.75;

/** Means and standard deviations of vectors that come one by one. */
export class Moments {
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  count = 0;

  constructor(size: number) {
    this.#sums = new Float64Array(size);
    this.#squares = new Float64Array(size);
  }

  add(vector: ArrayLike<number>): void {
    this.count++;
    for (let i = 0; i < this.#sums.length; i++) {
      this.#sums[i]! += vector[i]!;
      this.#squares[i]! += vector[i]! * vector[i]!;
    }
  }

  /** In deviations from the mean; 0 where all are the same. */
  standardised(vector: ArrayLike<number>): Float64Array {
    return this.#sums.map((sum, i) => {
      const mean = sum / this.count;
      const deviation = Math.sqrt(Math.max(0, this.#squares[i]! / this.count - mean * mean));
      // A spread of rounding errors alone is none.
      return deviation > 1e-6 * (1 + Math.abs(mean)) ? (vector[i]! - mean) / deviation : 0;
    });
  }
}

export interface TagDifference {
  readonly tag: string;
  /** In standard deviations over popular tracks: above 0 the song has more of it. */
  readonly difference: number;
}

/**
 * The tags in which a song differs most from popular tracks, most different first.
 * @param popular of the log tags of popular tracks of the train side.
 */
export function tagDifferences(song: Float32Array, popular: Moments): TagDifference[] {
  return Array.from(popular.standardised(logTags(song)), (difference, i) => ({ tag: tags[i]!, difference }))
    .filter(({ difference }) => Math.abs(difference) >= leastDifference)
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference))
    .slice(0, mostTags);
}

/** 1 is the same direction, -1 the opposite. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, lengthA, lengthB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    lengthA += a[i]! * a[i]!;
    lengthB += b[i]! * b[i]!;
  }
  return lengthA > 0 && lengthB > 0 ? product / Math.sqrt(lengthA * lengthB) : 0;
}

/** Keeps the best few of what is offered, each sound once. */
export class Nearest<T extends { readonly sound: string; readonly similarity: number }> {
  readonly #most: number;
  #kept: T[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  offer(item: T): void {
    const twin = this.#kept.find(({ sound }) => sound === item.sound);
    if (twin) return;
    this.#kept = [...this.#kept, item].sort((a, b) => b.similarity - a.similarity).slice(0, this.#most);
  }

  get kept(): readonly T[] {
    return this.#kept;
  }
}
