import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compare } from '../../producers/comparison.ts';
import { promoteByHand, rollBack } from '../../producers/promotions.ts';
import { CancelledError } from '../../shared/errors.ts';
import { publicId } from '../../shared/identifiers.ts';
import { normal, randomStream } from '../../shared/learning/random.ts';
import type { Recording } from '../../shared/learning/recording.ts';
import { findChampion, finishTrainingRun, unfamiliarHoldout } from '../../shared/registry/index.ts';
import type { JobContext, Services } from '../../workers/handler.ts';
import { judgeChampion } from '../../workers/judge-champion.ts';
import { silent } from '../support/queue-backends.ts';
import { type Placed, RegistryDesk } from '../support/registry.ts';

let desk: RegistryDesk;
/** Eighty tracks, two an artist, the first data set; forty of them are its holdout. */
let first: { id: number; tracks: Placed[]; holdout: Placed[] };
/** Sixty new tracks and some of the old ones, the second data set. */
let second: { id: number; tracks: Placed[]; unfamiliar: Placed[] };

beforeAll(async () => {
  desk = await RegistryDesk.open();
  const tracks: Placed[] = [];
  for (let i = 0; i < 80; i++) {
    const trackId = await desk.track({ artist: `Artist ${i >> 1}` });
    const split = i < 40 ? 'holdout' : i < 60 ? 'test' : 'train';
    tracks.push({ trackId, split, group: i >> 1, popular: i % 2 === 0 });
  }
  first = {
    id: await desk.dataSet('first', tracks),
    tracks,
    holdout: tracks.filter(({ split }) => split === 'holdout'),
  };
  const added: Placed[] = [];
  const add = async (group: number, artist: string, sound?: string) => {
    const trackId = await desk.track({ artist, ...(sound ? { sound } : {}) });
    added.push({ trackId, split: 'holdout', group, popular: added.length % 2 === 0 });
  };
  for (let i = 0; i < 40; i++) await add(100 + (i >> 1), `New artist ${i >> 1}`);
  const unfamiliar = [...added, ...first.holdout.slice(0, 2).map((track) => ({ ...track, group: 200 }))];
  // Known to models of the first data set: by an artist, by a sound, by a fellow of the group, as a track.
  await add(300, ' artist 35 ');
  await add(301, 'Somebody', 'content 70');
  await add(302, 'Somebody else');
  await add(302, 'Artist 25');
  // Judged unseen by models of the first data set, and now tied to what they have seen.
  const tied = { ...first.holdout[2]!, group: 302 };
  const again = { ...tracks[70]!, split: 'holdout' as const, group: 303 };
  const all = [...added, ...unfamiliar.slice(-2), tied, again];
  second = { id: await desk.dataSet('second', all), tracks: all, unfamiliar };
});
afterAll(() => desk?.close());
beforeEach(() => desk.clear());

/** Probabilities that tell popular tracks apart by so many standard deviations, the same for the same seed. */
function hearing(signal: number, seed = 1): (track: Placed) => number {
  return ({ trackId, popular }) =>
    1 / (1 + Math.exp(-normal(randomStream(seed, trackId)) - (popular ? signal : 0)));
}
const outOfFold = (signal: number, seed?: number) => ({
  ...{ side: 'out_of_fold' as const, of: first.tracks, probability: hearing(signal, seed) },
});
const onHoldout = (of: Placed[], signal: number, seed?: number) => ({
  ...{ side: 'holdout' as const, of, probability: hearing(signal, seed) },
});
const championId = async () => (await findChampion(desk.prisma))?.id ?? null;

describe('a training run ends', () => {
  test('when its last model has ended, with a decision and a champion', async () => {
    const [dummy, logistic, crnn, waiting] = await desk.run(first.id, [
      { name: 'dummy', test: 0.9 },
      { test: 0.9, cross: 0.6 },
      { name: 'crnn', test: 0.5, cross: 0.65 },
      { state: 'queued' },
    ]);
    await finishTrainingRun(desk.prisma, logistic!.id);
    expect(await desk.decision(dummy!)).toEqual({ finished: false, decision: null });
    await desk.prisma.model.update({ where: { id: waiting!.id }, data: { state: 'failed' } });
    await finishTrainingRun(desk.prisma, waiting!.id);
    expect(await championId()).toBe(crnn!.id);
    const { finished, decision } = await desk.decision(dummy!);
    expect(finished).toBe(true);
    expect(decision).toMatchObject({ outcome: 'first', challenger: publicId('model', crnn!.id) });
    const promotion = await desk.prisma.promotion.findFirstOrThrow();
    expect(promotion).toMatchObject({ reason: decision!['reason'], promotedBy: 'training run' });
    expect(promotion.evidence).toEqual({ before: null, comparisons: [] });
  });

  test('once, however many say so at once', async () => {
    const models = await desk.run(first.id, [{ cross: 0.6 }, { cross: 0.7 }, { cross: 0.65 }]);
    await Promise.all(models.map(({ id }) => finishTrainingRun(desk.prisma, id)));
    expect(await desk.prisma.promotion.count()).toBe(1);
    expect(await championId()).toBe(models[1]!.id);
  });

  test('and not again, whoever has become champion since', async () => {
    const [before] = await desk.run(first.id, [{ cross: 0.6 }]);
    await finishTrainingRun(desk.prisma, before!.id);
    const [model] = await desk.run(first.id, [{ cross: 0.8 }]);
    await finishTrainingRun(desk.prisma, model!.id);
    await rollBack(desk.session, undefined, 'ops');
    const decided = await desk.decision(model!);
    await finishTrainingRun(desk.prisma, model!.id);
    expect(await championId()).toBe(before!.id);
    expect(await desk.decision(model!)).toEqual(decided);
  });

  test('beside others at the same time, each decided against the champion that it found', async () => {
    const runs = [];
    for (const signal of [0.2, 1.5, 3]) {
      runs.push((await desk.run(first.id, [{ cross: 0.6, said: [outOfFold(signal)] }]))[0]!);
    }
    await Promise.all(runs.map(({ id }) => finishTrainingRun(desk.prisma, id)));
    const promotions = await desk.prisma.promotion.findMany({ orderBy: { id: 'asc' } });
    const names = promotions.map(({ modelId }) => publicId('model', modelId));
    const before = promotions.map(({ evidence }) => (evidence as { before: string | null }).before);
    expect(before).toEqual([null, ...names.slice(0, -1)]);
    expect(await championId()).toBe(runs[2]!.id);
  });
});

describe('a challenger on the same data set', () => {
  test('wins when it ranks the same songs out of fold better beyond noise', async () => {
    const [holder] = await desk.run(first.id, [{ cross: 0.9, said: [outOfFold(0.5)] }]);
    await finishTrainingRun(desk.prisma, holder!.id);
    const [equal] = await desk.run(first.id, [{ cross: 0.95, said: [outOfFold(0.5, 2)] }]);
    await finishTrainingRun(desk.prisma, equal!.id);
    expect(await championId()).toBe(holder!.id);
    expect((await desk.decision(equal!)).decision).toMatchObject({
      outcome: 'kept',
      comparison: { basis: 'out of fold', n: 80, groups: 40 },
      reason: expect.stringContaining('is not better beyond noise'),
    });
    // Its own figure is lower; the songs that both have judged say otherwise.
    const [better] = await desk.run(first.id, [{ cross: 0.8, said: [outOfFold(3)] }]);
    await finishTrainingRun(desk.prisma, better!.id);
    expect(await championId()).toBe(better!.id);
    const promotion = await desk.prisma.promotion.findFirstOrThrow({ orderBy: { id: 'desc' } });
    const name = publicId('model', holder!.id);
    expect(promotion.evidence).toMatchObject({ before: name, comparisons: [{ basis: 'out of fold' }] });
    expect(promotion.reason).toMatch(/beats model-\d+ \(logistic\) beyond noise: .* 80 songs of 40 groups/);
  });

  test('is compared on the holdout where one of them was not cross-validated', async () => {
    const [holder] = await desk.run(first.id, [
      { cross: 0.9, said: [outOfFold(3), onHoldout(first.holdout, 0.3)] },
    ]);
    await finishTrainingRun(desk.prisma, holder!.id);
    const [better] = await desk.run(first.id, [{ test: 0.7, said: [onHoldout(first.holdout, 4)] }]);
    await finishTrainingRun(desk.prisma, better!.id);
    expect(await championId()).toBe(better!.id);
    expect((await desk.decision(better!)).decision).toMatchObject({
      comparison: { basis: 'holdout', n: 40, groups: 20 },
    });
  });
});

describe('a challenger on another data set', () => {
  test('knows which of its holdout the champion cannot know', async () => {
    const found = await unfamiliarHoldout(desk.prisma, first.id, second.id);
    const ids = (tracks: { trackId: number }[]) => tracks.map(({ trackId }) => trackId).sort((a, b) => a - b);
    expect(ids(found!)).toEqual(ids(second.unfamiliar));
    const empty = await desk.dataSet('empty', []);
    expect(await unfamiliarHoldout(desk.prisma, empty, second.id)).toBeNull();
  });

  test('is compared on songs that the champion had to judge, and those alone', async () => {
    const [holder] = await desk.run(first.id, [{ cross: 0.7, said: [onHoldout(first.holdout, 0.2)] }]);
    await finishTrainingRun(desk.prisma, holder!.id);
    const [better] = await desk.run(second.id, [{ cross: 0.7, said: [onHoldout(second.tracks, 3)] }]);
    const learner = new FakeLearner();
    await judgeChampion(second.id, context(), services(learner));
    expect(learner.heard.length).toBe(second.unfamiliar.length - 2);
    await judgeChampion(second.id, context(), services(learner));
    expect(learner.heard.length).toBe(second.unfamiliar.length - 2);
    await finishTrainingRun(desk.prisma, better!.id);
    expect((await desk.decision(better!)).decision).toMatchObject({
      outcome: 'promoted',
      comparison: { basis: 'holdout', n: second.unfamiliar.length, groups: 21 },
    });
    const said = await desk.prisma.modelPrediction.findMany({ where: { modelId: holder!.id } });
    expect(said.length).toBe(first.holdout.length + second.unfamiliar.length - 2);
  });

  test('wins by its own figure where the champion could not judge, unless it is clearly worse', async () => {
    const [holder] = await desk.run(first.id, [{ cross: 0.8, said: [onHoldout(first.holdout, 1)] }]);
    await finishTrainingRun(desk.prisma, holder!.id);
    const broken = new FakeLearner(new Error('out of memory'));
    await judgeChampion(second.id, context(), services(broken));
    const [worse] = await desk.run(second.id, [{ cross: 0.69, said: [onHoldout(second.tracks, 3)] }]);
    await finishTrainingRun(desk.prisma, worse!.id);
    expect(await championId()).toBe(holder!.id);
    const [other] = await desk.run(second.id, [{ cross: 0.72, said: [onHoldout(second.tracks, 3)] }]);
    await finishTrainingRun(desk.prisma, other!.id);
    expect(await championId()).toBe(other!.id);
    expect((await desk.decision(other!)).decision).toMatchObject({
      reason: expect.stringMatching(/not clearly worse .* \(by figures of their own: the 2 songs/),
    });
  });

  test('is judged by the champion with all that the champion judges by', async () => {
    const [holder] = await desk.run(first.id, [{ cross: 0.7, features: ['audio', 'release'] }]);
    await finishTrainingRun(desk.prisma, holder!.id);
    const learner = new FakeLearner();
    await judgeChampion(second.id, context(), services(learner));
    expect(learner.heard.length).toBe(second.unfamiliar.length);
    // Of the facts of a release only the number of artists is known here.
    for (const { facts } of learner.heard) expect([...facts!].filter(Number.isFinite)).toEqual([1]);
  });

  test('hands the job back when the worker shuts down while the champion judges', async () => {
    const [holder] = await desk.run(first.id, [{ cross: 0.7 }]);
    await finishTrainingRun(desk.prisma, holder!.id);
    const stopped = services(new FakeLearner(new CancelledError('score was cancelled')));
    await expect(judgeChampion(second.id, context(), stopped)).rejects.toThrow(CancelledError);
  });
});

describe('by hand', () => {
  test('rollback goes back, further each time, and says when there is nothing left', async () => {
    await expect(rollBack(desk.session, undefined, 'ops')).rejects.toThrow('there is no champion yet');
    const models = await desk.run(first.id, [{}, {}, {}]);
    const [one, two, three] = models.map(({ id }) => publicId('model', id));
    for (const name of [one!, two!, three!]) await promoteByHand(desk.session, name, 'by hand', 'ops');
    expect(await rollBack(desk.session, 'it was worse', 'ops')).toMatchObject({
      champion: two,
      before: three,
    });
    expect(await championId()).toBe(models[1]!.id);
    expect(await rollBack(desk.session, undefined, 'ops')).toMatchObject({
      ...{ champion: one, before: two, reason: `${two} (logistic) was taken back` },
    });
    await expect(rollBack(desk.session, undefined, 'ops')).rejects.toThrow('nothing to go back to');
    expect(await desk.prisma.promotion.count()).toBe(5);
    await promoteByHand(desk.session, three!, 'again', 'ops');
    expect(await rollBack(desk.session, undefined, 'ops')).toMatchObject({ champion: one, before: three });
  });

  test('a promotion keeps how the two compare', async () => {
    const [a, b] = await desk.run(first.id, [
      { said: [outOfFold(0.2), onHoldout(first.holdout, 0.2)] },
      { said: [outOfFold(2), onHoldout(first.holdout, 2)] },
    ]);
    await promoteByHand(desk.session, String(a!.id), 'first', 'ops');
    await promoteByHand(desk.session, String(b!.id), 'second', 'ops');
    const { evidence } = await desk.prisma.promotion.findFirstOrThrow({ orderBy: { id: 'desc' } });
    expect(evidence).toMatchObject({
      before: publicId('model', a!.id),
      comparisons: [
        { basis: 'out of fold', n: 80 },
        { basis: 'holdout', n: 40 },
      ],
    });
  });

  test('a model that must not score is refused', async () => {
    const [failed, shuffled] = await desk.run(first.id, [{ state: 'failed' }, { shuffleLabels: true }]);
    await expect(promoteByHand(desk.session, String(failed!.id), 'x', 'ops')).rejects.toThrow('it is failed');
    await expect(promoteByHand(desk.session, String(shuffled!.id), 'x', 'ops')).rejects.toThrow(
      'permuted labels',
    );
    await expect(promoteByHand(desk.session, 'model-99999', 'x', 'ops')).rejects.toThrow(
      'there is no model-99999',
    );
  });

  test('compare says plainly whether a difference is beyond noise', async () => {
    const [a, b, c] = await desk.run(first.id, [
      { said: [outOfFold(0.3)] },
      { said: [outOfFold(3)] },
      { said: [outOfFold(0.3, 2)] },
    ]);
    const [other] = await desk.run(second.id, [{ said: [onHoldout(second.tracks, 1)] }]);
    const between = (x: { id: number }, y: { id: number }) =>
      compare(desk.session, String(x.id), String(y.id));
    const clear = await between(a!, b!);
    expect(clear.comparisons).toMatchObject([{ basis: 'out of fold', n: 80, beyondNoise: true }]);
    expect(clear.verdict).toMatch(
      new RegExp(
        `^model-${b!.id} \\(logistic\\) is better than model-${a!.id} .* beyond noise: ROC-AUC \\+0`,
      ),
    );
    expect((await between(b!, a!)).verdict).toMatch(new RegExp(`^model-${b!.id} .* is better`));
    expect((await between(a!, c!)).verdict).toMatch(/^no difference beyond noise between/);
    expect(await between(a!, other!)).toMatchObject({
      comparisons: [],
      verdict: expect.stringMatching(/cannot be compared: there are no songs that both/),
    });
    await expect(between(a!, a!)).rejects.toThrow('name two models');
  });

  test('models are held against what both were held against themselves, where that is the same', async () => {
    const exact = { ...outOfFold(0), probability: (track: Placed) => (track.popular ? 0.9 : 0.1) };
    const turned = { ...exact, popular: (track: Placed) => !track.popular };
    const [a, b, c] = await desk.run(first.id, [{ said: [turned] }, { said: [turned] }, { said: [exact] }]);
    const areas = async (x: { id: number }, y: { id: number }) =>
      (await compare(desk.session, String(x.id), String(y.id))).comparisons[0];
    expect(await areas(a!, b!)).toMatchObject({ rocAuc: [0, 0] });
    expect(await areas(a!, c!)).toMatchObject({ rocAuc: [1, 1] });
  });
});

/** Judges as the planted rule would not: by chance. */
class FakeLearner {
  readonly heard: Recording[] = [];
  readonly #problem: Error | null;

  constructor(problem: Error | null = null) {
    this.#problem = problem;
  }

  async score(_model: unknown, recordings: readonly Recording[]): Promise<number[]> {
    if (this.#problem) throw this.#problem;
    this.heard.push(...recordings);
    return recordings.map((_, i) => ((i * 37) % 101) / 101);
  }
}

const services = (learner: FakeLearner) =>
  ({ database: desk.database, trainer: () => learner }) as unknown as Services;
const context = () =>
  ({ jobId: 'x', log: silent, signal: new AbortController().signal }) as unknown as JobContext;
