import { expect, test } from 'vitest';
import { trainOn } from '../../../../bench/explain/model.ts';
import { MaskedJudge } from '../../../../shared/learning/explain/masked-judge.ts';
import { withoutLearning } from '../../../../shared/learning/explain/random-model.ts';
import { checkSanity, mostAlike, rankCorrelation } from '../../../../shared/learning/explain/sanity.ts';
import { randomStream, shuffle } from '../../../../shared/learning/random.ts';
import { decodeWeights, encodeWeights } from '../../../../shared/learning/weights.ts';
import { parameters, plantedSong, shape } from './planted.ts';

const array = (name: string, values: number[]) => ({
  ...{ name, shape: [values.length], values: Float32Array.from(values) },
});
const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

test('a shuffled model has the same numbers in other places, and what is no learning stays', () => {
  const coefficients = Array.from({ length: 40 }, (_, i) => i + 1);
  const feature = [3, -1, 7, -1, -1, -1, -1];
  const share = [0, 0.1, 0, 0.2, 0.3, 0.4, 0.5].map(Math.fround);
  const weights = encodeWeights([
    ...[array('member1/mean', [1, 2, 3]), array('member1/coefficients', coefficients)],
    ...[
      array('member2/feature', feature),
      array('member2/share', share),
      array('conv1/kernel', coefficients),
    ],
  ]);
  const read = (seed: number) =>
    Object.fromEntries(
      decodeWeights(withoutLearning(weights, seed)).map(({ name, values }) => [name, values]),
    );
  const found = read(1);
  expect([...found['member1/mean']!]).toEqual([1, 2, 3]);
  expect([...found['member2/feature']!]).toEqual(feature);
  for (const name of ['member1/coefficients', 'conv1/kernel']) {
    const values = found[name]!;
    expect(sorted(values.map(Math.abs))).toEqual(coefficients);
    // Nothing is left of their order, nor of their common sign.
    expect(Math.abs(rankCorrelation([...values.map(Math.abs)], coefficients))).toBeLessThan(0.4);
    expect(values.filter((value) => value < 0).length).toBeGreaterThan(10);
  }
  const leaves = [1, 3, 4, 5, 6];
  expect([found['member2/share']![0], found['member2/share']![2]]).toEqual([0, 0]);
  expect(sorted(leaves.map((leaf) => found['member2/share']![leaf]!))).toEqual(
    share.filter((one) => one > 0),
  );
  expect(read(1)).toEqual(found);
  expect(read(2)).not.toEqual(found);
});

test('rank correlations are those of the definition', () => {
  expect(rankCorrelation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])).toBeCloseTo(0.8, 10); // 1 - 6 x 4 / 120
  expect(rankCorrelation([1, 2, 2, 3], [1, 2, 2, 3])).toBeCloseTo(1, 10);
  expect(rankCorrelation([1, 2, 3], [9, 1, 0])).toBeCloseTo(-1, 10);
  expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBe(0);
});

test('of models that learned from random labels the explanation is another, as of random weights', async () => {
  const rule = { kind: 'band', name: 'mids', fromHz: 500, toHz: 1_000 } as const;
  const random = randomStream('random labels');
  const songs = Array.from({ length: 60 }, (_, index) => plantedSong(rule, index % 2 === 0, random));
  const noTensorFlow = () => Promise.reject(new Error('no TensorFlow here'));
  const train = (labelled: typeof songs) => trainOn('logistic', labelled, shape, 1, noTensorFlow);
  const { predictor, typical, randomised } = await train(songs);
  const { recording } = plantedSong(rule, true, random);
  const judged = { recording, parameters, typical, start: 0, seed: 1, tagger: null };
  const judge = new MaskedJudge(judged, predictor, async () => {});
  const ofRandomLabels = async (seed: number) => {
    const labels = shuffle(
      songs.map(({ popular }) => popular),
      randomStream('labels', seed),
    );
    return (await train(songs.map((song, index) => ({ ...song, popular: labels[index]! })))).predictor;
  };
  for (const knowingNothing of [randomised, ofRandomLabels]) {
    const { alike, correlations, passed } = await checkSanity(judge, knowingNothing, 1);
    expect(correlations).toHaveLength(5);
    expect(alike).toBeLessThan(mostAlike);
    expect(passed).toBe(true);
  }
});
