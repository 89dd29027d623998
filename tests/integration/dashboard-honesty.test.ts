import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { yardstickOf } from '../../dashboard/api/songs/reliability.ts';
import { versionsOf } from '../../dashboard/api/songs/versions.ts';
import { randomStream, uniform } from '../../shared/learning/random.ts';
import { type GivenModel, type Placed, RegistryDesk } from '../support/registry.ts';

let desk: RegistryDesk;
/** Of one artist each: 40 in the first data set's holdout and 10 in its test split; 12 and 8 in the second's. */
let large: { id: number; holdout: Placed[]; test: Placed[] };
let small: typeof large;

beforeAll(async () => {
  desk = await RegistryDesk.open();
  const ids: number[] = [];
  for (let index = 0; index < 50; index++) ids.push(await desk.track({ artist: `artist ${index}` }));
  const placed = async (name: string, holdout: number, tests: number) => {
    const tracks = ids.slice(0, holdout + tests).map((trackId, group) => ({
      ...{ trackId, group, popular: group % 2 === 0 },
      split: group < holdout ? ('holdout' as const) : ('test' as const),
    }));
    const id = await desk.dataSet(name, tracks);
    return { id, holdout: tracks.slice(0, holdout), test: tracks.slice(holdout) };
  };
  large = await placed('large', 40, 10);
  small = await placed('small', 12, 8);
});

beforeEach(() => desk.clear());
afterAll(() => desk.close());

const random = randomStream('honesty');
const right = ({ popular }: Placed) => 0.3 * uniform(random) + (popular ? 0.6 : 0.1);
const wrong = ({ popular }: Placed) => (popular ? 0.2 : 0.8);

/** A model that was right about the holdout and wrong about the test songs. */
const judgedBoth = ({ holdout, test }: typeof large, name: string): GivenModel => ({
  ...{ name, holdout: 0.9 },
  said: [
    { side: 'holdout', of: holdout, probability: right },
    { side: 'test', of: test, probability: wrong },
  ],
});

test('where the holdout is large enough its songs alone are counted, and a baseline stands beside it', async () => {
  const [model] = await desk.run(large.id, [judgedBoth(large, 'crnn')]);
  const { reliability, heldOut, pairs } = await yardstickOf(desk.database, model!.id);
  expect(heldOut).toMatchObject({ count: 40, groups: 40, baseRate: 0.5 });
  expect(reliability).toMatchObject({ groups: 40, dummy: 0.5, logistic: null, betterThanChance: true });
  expect(reliability.basis).toMatch(/^holdout: /);
  expect(pairs.pairs).toBe(400);
  const words = reliability.words.join(' ');
  expect(words).toContain('always saying the same gets .50');
  expect(words).not.toContain('linear');
  expect(reliability.compared).toMatch(/^Compared with large: n = 50 tracks .* by 40 artists/);
  expect(words).not.toMatch(/chance of|\bhit\b/);
});

test('a linear model on the same songs is the second baseline, of another run too, but no null test', async () => {
  await desk.run(large.id, [{ ...judgedBoth(large, 'logistic'), holdout: 0.7 }]);
  await desk.run(large.id, [{ ...judgedBoth(large, 'logistic'), holdout: 0.55, shuffleLabels: true }]);
  const [model] = await desk.run(large.id, [judgedBoth(large, 'crnn')]);
  const { reliability } = await yardstickOf(desk.database, model!.id);
  expect(reliability.logistic).toBe(0.7);
  expect(reliability.words.join(' ')).toContain('a simple linear model on the same songs gets .70');
});

test('of a holdout of few artists the test songs count too, in every figure, and it says so', async () => {
  const [model] = await desk.run(small.id, [judgedBoth(small, 'crnn')]);
  const { reliability, heldOut } = await yardstickOf(desk.database, model!.id);
  expect(heldOut.count).toBe(20);
  expect(reliability).toMatchObject({ n: 20, groups: 20 });
  // Of 100 pairs: 36 of the holdout right, 16 of the test wrong, 48 between them.
  expect(reliability.rocAuc).toBeLessThan(0.9);
  expect(reliability.basis).toMatch(/^holdout and test \(12 \+ 8 songs, .* too kind$/);
  expect(reliability.words[0]).toContain('n = 20 songs');
});

test('a model that may be no better than chance puts no version above another', async () => {
  const versions = async (holdout: number) => {
    const [model] = await desk.run(large.id, [{ ...judgedBoth(large, 'crnn'), holdout }]);
    const { prisma } = desk;
    const batch = await prisma.scoreBatch.create({ data: { modelId: model!.id, explain: 0, state: 'done' } });
    for (const [index, probability] of [0.1, 0.9].entries()) {
      const file = `mix ${index}.wav`;
      const score = { create: { probability, percentile: 100 * probability, rank: 2 - index } };
      const song = { file, title: 'Song', location: file, batchId: batch.id, state: 'scored' as const };
      await prisma.song.create({ data: { ...song, score } });
    }
    const found = await versionsOf(desk.database, { title: 'Song', ownerId: null }, (id) =>
      yardstickOf(desk.database, id),
    );
    await prisma.scoreBatch.deleteMany();
    return found;
  };
  const [first, second] = await versions(0.9);
  expect(first).toMatchObject({ percentile: 10, holdoutN: 50, move: null });
  expect(second!.move).toMatchObject({ direction: 'up', beyondNoise: true });
  expect(second!.move!.words).toMatch(
    /^moved up, beyond noise: .* \d+ of 100 cases, in at least \d+ of 100 with other songs; n = \d+ songs by \d+ artists$/,
  );
  const [, doubtful] = await versions(0.55);
  expect(doubtful!.move).toMatchObject({ direction: 'up', beyondNoise: false });
  expect(doubtful!.move!.words).toContain('may be no better than chance');
});

test('where the version before was judged by another model, it is named what a version is held against', async () => {
  const [judge] = await desk.run(large.id, [judgedBoth(large, 'crnn')]);
  const [other] = await desk.run(large.id, [judgedBoth(large, 'crnn')]);
  const { prisma } = desk;
  const ids: number[] = [];
  const add = async (modelId: number, file: string, probability: number | null) => {
    const batch = await prisma.scoreBatch.create({ data: { modelId, explain: 0, state: 'done' } });
    const song = { file, title: 'Song', location: file, batchId: batch.id, contentHash: file };
    const score = probability !== null && {
      ...{ state: 'scored' as const },
      score: { create: { probability, percentile: 100 * probability, rank: 1 } },
    };
    ids.push((await prisma.song.create({ data: { ...song, state: 'failed', ...score } })).id);
  };
  await add(judge!.id, 'masters/first.wav', 0.2);
  await add(other!.id, 'second.wav', 0.3);
  await add(judge!.id, 'third.wav', 0.9);
  await add(judge!.id, 'broken.wav', null);
  await add(judge!.id, 'fourth.wav', 0.9);
  await add(judge!.id, 'fifth.wav', 0.1);
  const found = await versionsOf(desk.database, { title: 'Song', ownerId: null }, (id) =>
    yardstickOf(desk.database, id),
  );
  await prisma.scoreBatch.deleteMany();
  const words = found.map(({ move }) => move?.words ?? null);
  expect(words).toEqual([
    null,
    'judged by another model than the version before: not comparable',
    expect.stringContaining(`moved up from first.wav (song-${ids[0]}), beyond noise: `),
    null,
    `the same score as third.wav (song-${ids[2]})`,
    expect.stringMatching(/^moved down, beyond noise: /),
  ]);
});
