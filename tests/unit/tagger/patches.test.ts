import { expect, test } from 'vitest';
import { embeddingParts, embeddingValues, pooledValues } from '../../../shared/tagger/embedding.ts';
import { cutPatches, embeddingOfPatches, patchSize, patchValues } from '../../../shared/tagger/patches.ts';
import { bands, patchFrames } from '../../../shared/tagger/weights.ts';

/** A log-mel spectrogram in which each value tells its frame. */
const frames = (count: number) =>
  Float32Array.from({ length: count * bands }, (_, i) => Math.floor(i / bands) / 100);

test('patches follow each other, and what is left at the end is dropped', () => {
  const logMel = frames(2 * patchFrames + 50);
  const patches = cutPatches(logMel);
  expect(patches.length).toBe(2 * patchSize);
  expect(patches).toEqual(logMel.subarray(0, 2 * patchSize));
});

test('a clip shorter than a patch is repeated until it fills one', () => {
  const patches = cutPatches(frames(100));
  expect(patches.length).toBe(patchSize);
  expect(patches[99 * bands]).toBeCloseTo(0.99);
  expect(patches[100 * bands]).toBe(0);
  expect(patches[(patchFrames - 1) * bands]).toBeCloseTo(0.86);
});

test.each([[0], [bands + 1]])('%d values are no spectrogram', (length) => {
  expect(() => cutPatches(new Float32Array(length))).toThrow(RangeError);
});

test('an embedding is the mean over the patches, and the spread of the mean pool', () => {
  const rows = new Float32Array(2 * patchValues);
  rows.fill(1, 0, patchValues).fill(4, patchValues);
  const { mean, spread, max, penultimate, tags } = embeddingParts(embeddingOfPatches(rows));
  for (const part of [mean, max, penultimate, tags]) expect(new Set(part)).toEqual(new Set([2.5]));
  expect(new Set(spread)).toEqual(new Set([1.5]));

  // Each part comes from its own columns.
  const distinct = Float32Array.from({ length: patchValues }, (_, i) => i);
  const parts = embeddingParts(embeddingOfPatches(distinct));
  expect([parts.mean[0], parts.max[0], parts.penultimate[0], parts.tags[0], parts.tags[49]]).toEqual([
    ...[0, pooledValues, 2 * pooledValues, 2 * pooledValues + 200, patchValues - 1],
  ]);
  expect(new Set(parts.spread)).toEqual(new Set([0]));
  expect(embeddingOfPatches(distinct).length).toBe(embeddingValues);
});
