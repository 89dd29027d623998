import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runLiterally } from '../../../bench/tagger/literal.ts';
import { makeLogMel } from '../../../shared/audio/log-mel.ts';
import { embeddingParts, penultimateValues, pooledValues, tags } from '../../../shared/tagger/embedding.ts';
import { taggerInput } from '../../../shared/tagger/input.ts';
import { TaggerNetwork } from '../../../shared/tagger/network.ts';
import { cutPatches, embeddingOfPatches, patchSize, patchValues } from '../../../shared/tagger/patches.ts';
import { findTagger } from '../../../shared/tagger/provision.ts';
import { mostInput, pruneFront } from '../../../shared/tagger/pruning.ts';
import { readTaggerWeights, type TaggerWeights } from '../../../shared/tagger/weights.ts';
import { loadTensorFlow, type TensorFlow, tensorflowEnvironment } from '../../../shared/tensorflow/index.ts';
import { findReady } from '../../../shared/tensorflow/load.ts';
import { readNpy } from '../../support/npy.ts';
import { sharedData, sharedDataMissing } from '../../support/shared-data.ts';
import { taggerCache, taggerMissing } from '../../support/tagger.ts';

Object.assign(process.env, tensorflowEnvironment('cpu'));

const golden = (file: string) => readNpy(readFileSync(join(sharedData, 'golden/musicnn', file))).values;
const goldenClips = ['000', '007', '120'];

/** The parts of a row: name in the golden files, values, largest difference from them that is rounding. */
const parts = [
  ...[['mean', pooledValues, 2e-5] as const, ['max', pooledValues, 1e-3] as const],
  ...[['pen', penultimateValues, 2e-5] as const, ['tag', tags.length, 5e-6] as const],
];

/** Largest difference of each part between rows and what they should be. */
function differences(
  rows: Float32Array,
  expected: (part: number, patch: number, i: number) => number,
): number[] {
  let first = 0;
  return parts.map(([, size], part) => {
    let most = 0;
    for (let patch = 0; patch < rows.length / patchValues; patch++) {
      for (let i = 0; i < size; i++) {
        const difference = Math.abs(rows[patch * patchValues + first + i]! - expected(part, patch, i));
        most = Math.max(most, difference);
      }
    }
    first += size;
    return most;
  });
}

/** Always the same numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Inputs of every kind that is in range: noise at each loudness, silence, the most there can be, and edges. */
function inputs(): Float32Array {
  const random = generator(7);
  const kinds: ((frame: number, band: number) => number)[] = [
    () => mostInput * random(),
    () => 0.5 * random(),
    () => 0,
    () => mostInput,
    (frame) => (frame < 90 ? 0 : mostInput),
    (_, band) => (band % 2) * mostInput,
    (frame, band) => (Math.abs(frame - band) < 3 ? mostInput : 0),
    (frame) => 4 + 4 * Math.sin(frame / 3),
  ];
  const patches = new Float32Array(kinds.length * patchSize);
  for (let i = 0; i < patches.length; i++) {
    const [patch, at] = [Math.floor(i / patchSize), i % patchSize];
    patches[i] = kinds[patch]!(Math.floor(at / 96), at % 96);
  }
  return patches;
}

const skipped = taggerMissing ?? sharedDataMissing;

describe.skipIf(skipped).each(['cpu', 'wasm'] as const)(`the tagger on %s ${skipped ?? ''}`, (preference) => {
  let tf: TensorFlow;
  let weights: TaggerWeights;
  let network: TaggerNetwork;
  beforeAll(async () => {
    ({ tf } = await loadTensorFlow({ preference, cacheDir: taggerCache }));
    weights = await readTaggerWeights(findTagger(taggerCache)!);
    network = new TaggerNetwork(tf, weights);
  });

  test.each(goldenClips)(
    'says of the input of clip %s what the original says, and keeps no memory',
    (clip) => {
      const before = tf.memory().numTensors;
      const rows = network.run(golden(`${clip}_logmel.npy`));
      expect(tf.memory().numTensors).toBe(before);
      expect(rows.length).toBe(10 * patchValues);
      const expected = parts.map(([name]) => golden(`${clip}_${name}.npy`));
      const found = differences(rows, (part, patch, i) => expected[part]![patch * parts[part]![1] + i]!);
      found.forEach((difference, part) => {
        expect(difference, parts[part]![0]).toBeLessThan(parts[part]![2]);
      });
    },
  );

  test('says the same of patches alone and together', () => {
    const patches = golden('000_logmel.npy');
    const together = network.run(patches);
    const alone = network.run(patches.subarray(3 * patchSize, 4 * patchSize));
    const worst = Math.max(
      ...differences(alone, (part, _, i) => together[3 * patchValues + offset(part) + i]!),
    );
    expect(worst).toBeLessThan(1e-3);
  });

  test('refuses half a patch', () => {
    expect(() => network.run(new Float32Array(patchSize / 2))).toThrow(RangeError);
  });
});

function offset(part: number): number {
  return parts.slice(0, part).reduce((sum, [, size]) => sum + size, 0);
}

describe.skipIf(taggerMissing)(`pruning ${taggerMissing ?? ''}`, () => {
  test('leaves what varies: 65 of the 561 channels in front', async () => {
    const front = pruneFront(await readTaggerWeights(findTagger(taggerCache)!));
    expect(front.map(({ live }) => live.length)).toEqual([24, 14, 3, 7, 17]);
    expect(front.map(({ constant }) => constant.length)).toEqual([180, 190, 48, 44, 34]);
  });

  test('changes nothing, whatever the input in range', async () => {
    const native = findReady(taggerCache, 'cpu').binding !== undefined;
    const { tf } = await loadTensorFlow({ preference: native ? 'cpu' : 'wasm', cacheDir: taggerCache });
    const weights = await readTaggerWeights(findTagger(taggerCache)!);
    const patches = inputs();
    const literal = runLiterally(tf, weights, patches);
    const rows = new TaggerNetwork(tf, weights).run(patches);
    // Relative to what the parts hold: up to some hundreds in the maxima, which float32 keeps to 1e-5.
    const size = Math.max(...literal.map(Math.abs));
    expect(size).toBeGreaterThan(50);
    const found = differences(rows, (part, patch, i) => literal[patch * patchValues + offset(part) + i]!);
    const [mean, max, penultimate, tag] = found as [number, number, number, number];
    expect(max / size).toBeLessThan(1e-4);
    expect(mean).toBeLessThan(1e-4);
    expect(penultimate).toBeLessThan(1e-4);
    expect(tag).toBeLessThan(1e-5);
  });
});

describe.skipIf(skipped)(`from audio to embedding ${skipped ?? ''}`, () => {
  /**
   * Relative to the length of the vector. Decoder and resampler are others than those of the golden values
   * (librosa with soxr): near 8 kHz, where the resamplers end, the input differs by more than rounding.
   */
  const mostDistance = 0.02;

  test.each(goldenClips)('clip %s sounds to us as it does to the original', async (clip) => {
    const { tf } = await loadTensorFlow({ preference: 'wasm', cacheDir: taggerCache });
    const network = new TaggerNetwork(tf, await readTaggerWeights(findTagger(taggerCache)!));
    const logMel = await makeLogMel(readFileSync(join(sharedData, `realaudio/${clip}.mp3`)), taggerInput);
    const expected = golden(`${clip}_logmel.npy`);
    const distance = expected.reduce((sum, value, i) => sum + Math.abs(value - logMel[i]!), 0);
    expect(distance / expected.length).toBeLessThan(3e-3);

    const embedding = embeddingParts(embeddingOfPatches(network.run(cutPatches(logMel))));
    const pairs = [
      ...[['mean', embedding.mean] as const, ['max', embedding.max] as const],
      ...[['pen', embedding.penultimate] as const, ['tag', embedding.tags] as const],
    ];
    for (const [name, found] of pairs) {
      const rows = golden(`${clip}_${name}.npy`);
      const mean = found.map((_, i) => meanOf(rows, i, found.length));
      expect(length(found.map((value, i) => value - mean[i]!)) / length(mean), name).toBeLessThan(
        mostDistance,
      );
    }
    const best = (values: Float32Array) =>
      [...values].map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
    const { clips } = JSON.parse(readFileSync(join(sharedData, 'golden/musicnn/index.json'), 'utf8'));
    const known = clips.find((entry: { clip: string }) => entry.clip.includes(clip)).top5;
    expect(
      best(embedding.tags)
        .slice(0, 5)
        .map((i) => tags[i]),
    ).toEqual(known);
  });
});

function meanOf(rows: Float32Array, column: number, columns: number): number {
  const count = rows.length / columns;
  return (
    Array.from({ length: count }, (_, row) => rows[row * columns + column]!).reduce((a, b) => a + b) / count
  );
}

function length(vector: Float32Array): number {
  return Math.hypot(...vector);
}
