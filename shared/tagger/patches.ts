/** A recording as the tagger takes it: its log-mel spectrogram, cut into patches of 3 seconds; and back. */
import { embeddingParts, embeddingValues, penultimateValues, pooledValues, tags } from './embedding.ts';
import { bands, patchFrames } from './weights.ts';

/** Values of a patch, shape [frames][bands]. */
export const patchSize = patchFrames * bands;

/** What the network says of a patch: mean pool, maximum pool, penultimate layer, tags. */
export const patchValues = 2 * pooledValues + penultimateValues + tags.length;

/**
 * Cut a log-mel spectrogram into patches that follow each other; what is left at the end is dropped. One
 * that is shorter than a patch is repeated until it fills one.
 *
 * @param logMel shape [frames][bands], at least one frame
 * @returns shape [patches][frames of a patch][bands]
 * @throws RangeError when it is empty or no whole number of frames
 */
export function cutPatches(logMel: Float32Array): Float32Array {
  if (logMel.length === 0 || logMel.length % bands !== 0) {
    throw new RangeError(`${logMel.length} values are no frames of ${bands} bands`);
  }
  if (logMel.length >= patchSize) {
    return logMel.subarray(0, logMel.length - (logMel.length % patchSize));
  }
  return Float32Array.from({ length: patchSize }, (_, i) => logMel[i % logMel.length]!);
}

/**
 * Make one embedding of what was said of a recording's patches: the mean of each value over the patches,
 * and how far the mean pool spreads around it.
 *
 * @param rows shape [patches][patchValues], at least one patch
 * @returns in the layout of `embeddingParts`
 */
export function embeddingOfPatches(rows: Float32Array): Float32Array {
  const patches = rows.length / patchValues;
  const means = new Float64Array(patchValues);
  const squares = new Float64Array(pooledValues);
  for (let at = 0; at < rows.length; at++) means[at % patchValues]! += rows[at]!;
  for (let value = 0; value < patchValues; value++) means[value]! /= patches;
  for (let patch = 0; patch < patches; patch++) {
    for (let i = 0; i < pooledValues; i++) squares[i]! += (rows[patch * patchValues + i]! - means[i]!) ** 2;
  }
  const embedding = new Float32Array(embeddingValues);
  const { mean, spread, max, penultimate, tags: probabilities } = embeddingParts(embedding);
  const firstTag = 2 * pooledValues + penultimateValues;
  mean.set(means.subarray(0, pooledValues));
  spread.set(squares.map((sum) => Math.sqrt(sum / patches)));
  max.set(means.subarray(pooledValues, 2 * pooledValues));
  penultimate.set(means.subarray(2 * pooledValues, firstTag));
  probabilities.set(means.subarray(firstTag));
  return embedding;
}
