import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Judged } from '../../../shared/learning/evaluation/index.ts';
import { randomStream, uniform } from '../../../shared/learning/random.ts';
import { betaBelow, betaQuantile } from '../../../shared/scoring/beta.ts';
import { roundedShare } from '../../../shared/scoring/calibrated.ts';
import { HeldOutSongs, neighbourCount, quantileDots } from '../../../shared/scoring/neighbourhood.ts';
import { PairCurve, sureEnough } from '../../../shared/scoring/pairs.ts';
import { rankRanges } from '../../../shared/scoring/ranks.ts';
import { verdictOf } from '../../../shared/scoring/verdict.ts';

/** Songs whose probability is right: each is popular as often as it says. */
function calibratedSongs(count: number, seed: number, perGroup = 1): Judged[] {
  const random = randomStream(seed, 'songs');
  return Array.from({ length: count }, (_, index) => {
    const probability = uniform(random);
    const label = uniform(random) < probability ? 1 : 0;
    return { probability, label, group: Math.floor(index / perGroup) };
  });
}

test.each([
  // By Simpson's rule over 200,000 steps, and by the sum over a binomial distribution.
  [0.3, 2, 5, 0.579825],
  [0.5, 0.5, 0.5, 0.5],
  [0.9, 24.5, 8.5, 0.99368397],
  [0.9, 24, 9, 0.99670462],
  [0.001, 0.5, 20.5, 0.1595393],
])('the beta distribution below %d with %d and %d is %d', (x, alpha, beta, expected) => {
  expect(betaBelow(x, alpha, beta)).toBeCloseTo(expected, 6);
});

test('quantiles are the inverse of the beta distribution, also far out and of many songs', () => {
  const counts = fc.integer({ min: 0, max: 5_000 });
  fc.assert(
    fc.property(counts, counts, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (good, bad, chance) => {
      const [alpha, beta] = [good + 0.5, bad + 0.5];
      expect(betaBelow(betaQuantile(chance, alpha, beta), alpha, beta)).toBeCloseTo(chance, 6);
    }),
    { numRuns: 200, seed: 1 },
  );
});

test('of all shares 19 in 20 lie between the outermost dots, as they claim', () => {
  const random = randomStream(7, 'coverage');
  const [rounds, of] = [2_000, 30];
  let covered = 0;
  for (let round = 0; round < rounds; round++) {
    const truth = uniform(random);
    const popular = Array.from({ length: of }).filter(() => uniform(random) < truth).length;
    const dots = quantileDots(popular, of);
    expect(dots).toHaveLength(20);
    if (truth > dots[0]! && truth < dots.at(-1)!) covered++;
  }
  expect(covered / rounds).toBeCloseTo(0.95, 1);
});

test('a song is compared with those scored most alike, each artist counting once', () => {
  const few = [0.1, 0.2, 0.3].flatMap((probability, group) =>
    Array.from({ length: 20 }, (): Judged => ({ probability, label: group === 2 ? 1 : 0, group })),
  );
  expect(new HeldOutSongs(few).around(0.3)).toBeNull(); // three artists are no crowd
  const album: Judged[] = Array.from({ length: 100 }, () => ({ probability: 0.7, label: 1, group: 0 }));
  const others: Judged[] = Array.from({ length: 20 }, (_, i) => ({
    ...{ probability: 0.7, group: i + 1 },
    label: i < 10 ? 1 : 0,
  }));
  // All are equally near: one album of 100 popular songs is one voice among 21.
  expect(new HeldOutSongs([...album, ...others]).around(0.7)).toMatchObject({
    ...{ songs: 120, popular: 11, groups: 21 },
    share: expect.closeTo(11 / 21, 10),
  });
});

test('a score beyond those of all held-out songs is like none of them', () => {
  const songs = calibratedSongs(200, 21).map((song) => ({
    ...song,
    probability: 0.4 + song.probability / 5,
  }));
  const held = new HeldOutSongs(songs);
  expect([0.3, 0.5, 0.7].map((score) => held.beyond(score))).toEqual(['below', null, 'above']);
  // A twentieth of their range more is still theirs.
  expect([0.605, 0.395].map((score) => held.beyond(score))).toEqual([null, null]);
  expect(held.around(0.605)).not.toBeNull();
  expect([0.3, 0.7].map((score) => held.around(score))).toEqual([null, null]);
  expect(new HeldOutSongs([]).beyond(0.5)).toBeNull();
});

test('those scored most alike are the nearest by hand, and scores that are alike are looked up once', () => {
  const songs = calibratedSongs(500, 31, 2);
  const held = new HeldOutSongs(songs);
  for (const score of [0.02, 0.25, 0.5, 0.731, 0.98]) {
    const nearest = [...songs]
      .sort((a, b) => Math.abs(a.probability - score) - Math.abs(b.probability - score))
      .slice(0, neighbourCount(500));
    const shares = new Map<number, number[]>();
    for (const { group, label } of nearest) shares.set(group, [...(shares.get(group) ?? []), label]);
    const means = [...shares.values()].map((labels) => labels.reduce((a, b) => a + b, 0) / labels.length);
    const share = means.reduce((a, b) => a + b, 0) / means.length;
    expect(held.around(score)).toMatchObject({
      ...{ songs: nearest.length, groups: shares.size, share: expect.closeTo(share, 10) },
      popular: Math.round(share * shares.size),
    });
    expect(held.around(score + 1e-5)).toBe(held.around(score));
  }
});

test('the neighbourhood grows with the songs, slower than they do', () => {
  expect([10, 178, 1_000, 100_000].map(neighbourCount)).toEqual([10, 32, 126, 5_000]);
});

test('with enough songs the neighbourhood finds the truth', () => {
  const held = new HeldOutSongs(calibratedSongs(20_000, 3));
  for (const truth of [0.2, 0.5, 0.8]) expect(held.around(truth)!.share).toBeCloseTo(truth, 1);
  expect(held.baseRate).toBeCloseTo(0.5, 1);
});

test.each([
  [0.62, 0.04, 'about 6 in 10'],
  [0.62, 0.09, 'about 3 in 5'],
  [0.62, 0.12, 'about half'],
  [0.62, 0.16, 'about 2 in 3'],
  [0.62, 0.24, 'about half'],
  [0.99, 0.04, 'more than 9 in 10'],
  [0.02, 0.04, 'fewer than 1 in 10'],
  [0.02, 0.2, 'fewer than 1 in 2'],
])('%d with a calibration error of %d is %s', (probability, error, words) => {
  expect(roundedShare(probability, error)?.words).toBe(words);
});

test('where not even halves are carried no number is said', () => {
  expect(roundedShare(0.9, 0.3)).toBeNull();
});

test('pairs that are farther apart are never less sure, and it is what a calibrated model has', () => {
  const curve = new PairCurve(calibratedSongs(600, 11), true);
  const shares = [0.01, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95].map((difference) => curve.at(difference)!.share);
  expect([...shares].sort((a, b) => a - b)).toEqual(shares);
  expect(shares[0]).toBeLessThan(0.65);
  expect(shares.at(-1)).toBeGreaterThan(0.97);
  expect(curve.at(0)).toMatchObject({ share: 0.5 });
  // By hand for uniform scores: difference d is right with (1 + d)^2 to (1 - d)^2 or so.
  expect(curve.sureFrom).toBeGreaterThan(0.15);
  expect(curve.sureFrom).toBeLessThan(0.4);
  expect(curve.at(curve.sureFrom!)!.share).toBeGreaterThanOrEqual(sureEnough);
  expect(curve.at(curve.sureFrom!)!.pairs).toBeGreaterThan(50);
});

test('very many songs are sampled, the same every time', () => {
  const songs = calibratedSongs(3_000, 5);
  const [one, other] = [new PairCurve(songs, true), new PairCurve(songs, true)];
  expect(one.pairs).toBeLessThanOrEqual(50_000);
  expect(one.at(0.3)).toEqual(other.at(0.3));
});

test('songs of one artist make no pairs, and without pairs nothing is sure', () => {
  const curve = new PairCurve(calibratedSongs(600, 11, 600), true);
  expect([curve.pairs, curve.at(0.9), curve.sureFrom, curve.isSure(1)]).toEqual([0, null, null, false]);
});

test('an order is sure by its lower bound, and only of a model that is better than chance', () => {
  const songs = calibratedSongs(178, 11, 3);
  const curve = new PairCurve(songs, true);
  const at = curve.at(curve.sureFrom!)!;
  expect(at.atLeast).toBeGreaterThanOrEqual(sureEnough);
  expect(at.share).toBeGreaterThan(at.atLeast!);
  expect(at).toMatchObject({ songs: expect.any(Number), groups: expect.any(Number) });
  expect(at.groups).toBeLessThanOrEqual(60);
  expect(at.songs).toBeLessThanOrEqual(178);
  // The share itself is high enough before that.
  expect(curve.at(0.25)!.share).toBeGreaterThan(0.7);
  expect(curve.sureFrom).toBeGreaterThan(0.25);
  const doubtful = new PairCurve(songs, false);
  expect(doubtful.sureFrom).toBeNull();
  expect(doubtful.isSure(1)).toBe(false);
  expect(doubtful.at(0.5)).toEqual(curve.at(0.5));
});

test('a few artists show no order, however many pairs their songs make', () => {
  const twoArtists = Array.from({ length: 10 }, (_, group) =>
    Array.from(
      { length: 10 },
      (_song, index): Judged => ({
        ...{
          probability: group < 5 ? 0.1 + index / 100 : 0.8 + index / 100,
          label: group < 5 ? 0 : 1,
          group,
        },
      }),
    ),
  ).flat();
  const curve = new PairCurve(twoArtists, true);
  expect(curve.at(0.7)).toMatchObject({ share: 1, atLeast: null, groups: 10 });
  expect(curve.sureFrom).toBeNull();
});

test('a model that knows nothing puts no song above another', () => {
  const random = randomStream(13, 'coin');
  const songs = calibratedSongs(600, 11).map((song) => ({ ...song, probability: uniform(random) }));
  expect(new PairCurve(songs, true).sureFrom).toBeNull();
});

test('ranks are ranges where the order is not sure', () => {
  expect(rankRanges([0.9, 0.5, 0.85, 0.1], 0.3)).toEqual([
    { from: 1, to: 2 },
    { from: 3, to: 3 },
    { from: 1, to: 2 },
    { from: 4, to: 4 },
  ]);
  // B is above C no more than A is above B: only A and C are told apart.
  expect(rankRanges([0.8, 0.6, 0.4], 0.3)).toEqual([
    { from: 1, to: 2 },
    { from: 1, to: 3 },
    { from: 2, to: 3 },
  ]);
  expect(rankRanges([0.8, 0.6], null)).toEqual([
    { from: 1, to: 2 },
    { from: 1, to: 2 },
  ]);
  expect(rankRanges([0.8, 0.8], 0)).toEqual([
    { from: 1, to: 2 },
    { from: 1, to: 2 },
  ]);
  expect(rankRanges([], 0.3)).toEqual([]);
});

test('rank ranges hold what they say, whatever the scores', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (scores, sureFrom) => {
        const ranges = rankRanges(scores, sureFrom);
        for (const [i, own] of scores.entries()) {
          const above = scores.filter((other) => other > own && other - own >= sureFrom).length;
          const under = scores.filter((other) => other < own && own - other >= sureFrom).length;
          expect(ranges[i]).toEqual({ from: 1 + above, to: scores.length - under });
        }
      },
    ),
    { numRuns: 300, seed: 1 },
  );
});

const around = (popular: number) => ({
  ...{ songs: 30, popular, groups: 30, share: popular / 30, dots: quantileDots(popular, 30) },
});
const sound = { betterThanChance: true, unfamiliarity: 50, baseRate: 0.5, beyond: null, heldOut: 300 };

test.each([
  [
    'more',
    { ...sound, neighbourhood: around(24) },
    'of the 30 held-out songs scored most alike about 24 in 30 became popular (n = 30 artists, each counts once)',
  ],
  ['less', { ...sound, neighbourhood: around(5) }, 'less often than others'],
  ['inconclusive', { ...sound, neighbourhood: around(17) }, 'too near to the usual share'],
  [
    'inconclusive',
    { ...sound, neighbourhood: null, beyond: 'above' as const },
    'higher than all 300 held-out songs, beyond anything that the model was tested on',
  ],
  ['less', { ...sound, neighbourhood: around(0) }, 'hardly any became popular'],
  ['inconclusive', { ...sound, neighbourhood: null }, 'too few held-out songs, or of too few artists'],
  ['inconclusive', { ...sound, betterThanChance: false, neighbourhood: around(29) }, 'no better than chance'],
  ['unlike', { ...sound, unfamiliarity: 98, neighbourhood: around(29) }, 'Unlike anything in the catalogue'],
])('the verdict is %s', (kind, evidence, words) => {
  const verdict = verdictOf(evidence);
  expect(verdict.kind).toBe(kind);
  expect(verdict.sentence).toContain(words);
  expect(verdict.sentence).not.toMatch(/chance of|hit/);
});
