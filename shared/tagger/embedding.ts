/**
 * What the music tagger says of a recording, as it is stored: each part the mean over the recording's
 * patches of 3 seconds, but for the spread, which says how much the mean pool differs from patch to patch.
 */

/** Outputs of the network's front and middle, pooled over a patch's frames. */
export const pooledValues = 753;
/** Outputs of the layer before the tags. */
export const penultimateValues = 200;

/** The network's 50 tags, in its order (the 50 used most for the Million Song Dataset). */
export const tags = [
  ...['rock', 'pop', 'alternative', 'indie', 'electronic', 'female vocalists', 'dance', '00s'],
  ...['alternative rock', 'jazz', 'beautiful', 'metal', 'chillout', 'male vocalists', 'classic rock'],
  ...['soul', 'indie rock', 'Mellow', 'electronica', '80s', 'folk', '90s', 'chill', 'instrumental'],
  ...['punk', 'oldies', 'blues', 'hard rock', 'ambient', 'acoustic', 'experimental', 'female vocalist'],
  ...['guitar', 'Hip-Hop', '70s', 'party', 'country', 'easy listening', 'sexy', 'catchy', 'funk'],
  ...['electro', 'heavy metal', 'Progressive rock', '60s', 'rnb', 'indie pop', 'sad', 'House', 'happy'],
] as const;

/** Tags are probabilities that are mostly tiny: their logarithm says more. This keeps it finite. */
const smallestTag = 1e-4;

/** Tags as they are compared and learned from. */
export function logTags(probabilities: Float32Array): Float64Array {
  return Float64Array.from(probabilities, (value) => Math.log(value + smallestTag));
}

/** float32 values of one recording: mean pool, its spread, maximum pool, penultimate layer, tags. */
export const embeddingValues = 3 * pooledValues + penultimateValues + tags.length;

export interface EmbeddingParts {
  /** [753]: mean over time. */
  readonly mean: Float32Array;
  /** [753]: standard deviation of the mean pool over the patches (dividing by their count); 0 of one patch. */
  readonly spread: Float32Array;
  /** [753]: maximum over time. */
  readonly max: Float32Array;
  /** [200] */
  readonly penultimate: Float32Array;
  /** [50], 0 to 1 each, in the order of `tags`. */
  readonly tags: Float32Array;
}

/**
 * Look at the parts of a stored embedding; nothing is copied.
 * @throws Error when it has another length.
 */
export function embeddingParts(values: Float32Array): EmbeddingParts {
  if (values.length !== embeddingValues) {
    throw new Error(`an embedding has ${embeddingValues} values, and this has ${values.length}`);
  }
  let from = 0;
  const next = (length: number) => {
    from += length;
    return values.subarray(from - length, from);
  };
  return {
    mean: next(pooledValues),
    spread: next(pooledValues),
    max: next(pooledValues),
    penultimate: next(penultimateValues),
    tags: next(tags.length),
  };
}
