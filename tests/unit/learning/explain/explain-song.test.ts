import { decode } from 'fast-png';
import { beforeAll, describe, expect, it } from 'vitest';
import { trainOn } from '../../../../bench/explain/model.ts';
import { dummy } from '../../../../shared/learning/dummy.ts';
import type { Decision } from '../../../../shared/learning/explain/decision.ts';
import { type ExplainRequest, explainSong } from '../../../../shared/learning/explain/explain-song.ts';
import { drawExplanation, pictureHeight, pictureWidth } from '../../../../shared/learning/explain/picture.ts';
import { trustOf } from '../../../../shared/learning/explain/trust.ts';
import { clock, decisionSentences, frequency, listed } from '../../../../shared/learning/explain/words.ts';
import { randomStream } from '../../../../shared/learning/random.ts';
import { musicnn } from '../../../../shared/learning/tabular/families.ts';
import { parameters, plantedSong, shape } from './planted.ts';

const rule = { kind: 'band', name: 'mids', fromHz: 500, toHz: 1_000 } as const;
const noTensorFlow = () => Promise.reject(new Error('no TensorFlow here'));
const nobody = () => {
  throw new Error('nobody asks the tagger');
};
const turn = async () => {};

let request: ExplainRequest;
let model: Awaited<ReturnType<typeof trainOn>>;

beforeAll(async () => {
  const random = randomStream('explain a song');
  const train = Array.from({ length: 24 }, (_, index) => plantedSong(rule, index % 2 === 0, random));
  model = await trainOn('logistic', train, shape, 1, noTensorFlow);
  request = {
    ...{ recording: plantedSong(rule, true, random).recording, parameters, typical: model.typical },
    ...{
      start: 61.5,
      tagger: null,
      seed: 1,
      title: 'A <strange> & "long" name \u0000 '.repeat(9),
      subtitle: 'é',
    },
  };
});

/** How many pixels are coloured, and how many are not white. */
function inked(picture: Uint8Array) {
  const { data, channels, width, height } = decode(picture);
  let [coloured, dark] = [0, 0];
  for (let at = 0; at < data.length; at += channels) {
    const [red, green, blue] = [data[at]!, data[at + 1]!, data[at + 2]!];
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > 20) coloured++;
    if (red + green + blue < 700) dark++;
  }
  return { width, height, coloured: coloured / (width * height), dark: dark / (width * height) };
}

describe('explainSong', () => {
  it('gives the same decision and the same picture every time', async () => {
    const first = await explainSong(request, model.family, model, nobody, turn);
    const again = await explainSong(request, model.family, model, nobody, turn);
    expect(again.decision).toEqual(first.decision);
    expect(Buffer.from(again.picture).equals(Buffer.from(first.picture))).toBe(true);
    expect(first.decision!.stretches[0]!.fromSeconds).toBe(61.5);
    const picture = inked(first.picture);
    expect(picture).toMatchObject({ width: pictureWidth, height: pictureHeight });
    expect(picture.coloured).toBeGreaterThan(0.05);
    expect(picture.dark).toBeGreaterThan(0.3);
  });

  it('draws the spectrogram alone where nothing can be taken away', async () => {
    for (const family of [dummy, musicnn]) {
      const { decision, picture } = await explainSong(request, family, model, nobody, turn);
      expect(decision).toBeNull();
      expect(inked(picture)).toMatchObject({ width: pictureWidth, coloured: 0 });
    }
  });

  it('stops when its turn says so', async () => {
    const stop = () => Promise.reject(new Error('stop'));
    await expect(explainSong(request, model.family, model, nobody, stop)).rejects.toThrow('stop');
  });

  it('says in words what was found, and when it is not to be trusted', async () => {
    const { decision } = await explainSong(request, model.family, model, nobody, turn);
    const text = decisionSentences(decision!).join(' ');
    expect(text).toContain('Speaks for it: ');
    expect(text).toContain('the mids (500 Hz to 1 kHz)');
    expect(text).toMatch(/ in \d+ of 20 draws.*5 models with shuffled weights give another picture/);
    const nothing = { ...decision!, topSeconds: [], topBands: [] };
    expect(decisionSentences(nothing)).toEqual([
      'Nothing that was taken away from the song moved its score.',
    ]);
  });
});

describe('an explanation that fails a check', () => {
  const failing = (decision: Decision): [string, Decision][] => {
    const { faithfulness, sanity } = decision;
    return [
      ['unfaithful', { ...decision, faithfulness: { ...faithfulness, trusted: false } }],
      ['like random', { ...decision, sanity: { ...sanity!, alike: 0.9, passed: false } }],
      // As they were stored before there was the check.
      ['unchecked', { ...decision, sanity: undefined }],
    ];
  };

  it('names no part in words and colours none in the picture, and says why', async () => {
    const { decision } = await explainSong(request, model.family, model, nobody, turn);
    expect(trustOf(decision!)).toBe('trusted');
    const { recording: spectrogram, start } = request;
    const drawing = { spectrogram, parameters, span: { start, end: start + 12 }, title: 'a', subtitle: 'b' };
    for (const [trust, failed] of failing(decision!)) {
      expect(trustOf(failed)).toBe(trust);
      const sentences = decisionSentences(failed);
      expect(sentences).toEqual([expect.stringMatching(/^Which parts its score hangs on cannot be said: /)]);
      expect(sentences.join(' ')).not.toMatch(/mids|kHz|\d:\d\d|Speaks/);
      // What is left of colour are the red words.
      const { coloured } = inked(await drawExplanation({ ...drawing, decision: failed }));
      expect(coloured).toBeGreaterThan(0);
      expect(coloured).toBeLessThan(0.02);
    }
    expect(inked(await drawExplanation({ ...drawing, decision })).coloured).toBeGreaterThan(0.05);
  });

  it('is one that does not depend on what the model has learned', async () => {
    const deaf = { predictor: model.predictor, randomised: async () => model.predictor };
    const { decision } = await explainSong(request, model.family, deaf, nobody, turn);
    expect(decision!.faithfulness.trusted).toBe(true);
    expect(decision!.sanity).toMatchObject({ alike: 1, passed: false });
    expect(trustOf(decision!)).toBe('like random');
  });
});

describe('words', () => {
  it('write times, frequencies and lists as people do', () => {
    expect([0, 12.4, 75].map(clock)).toEqual(['0:00', '0:12', '1:15']);
    expect([99.6, 1_000, 11_025].map(frequency)).toEqual(['100 Hz', '1 kHz', '11 kHz']);
    expect([[], ['a'], ['a', 'b', 'c']].map(listed)).toEqual(['', 'a', 'a, b and c']);
  });
});
