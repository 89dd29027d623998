import { describe, expect, it } from 'vitest';
import { spectrogramParameters } from '../../../../shared/audio/parameters.ts';
import { logOddsOf, MaskedJudge } from '../../../../shared/learning/explain/masked-judge.ts';
import { typicalSound } from '../../../../shared/learning/explain/typical.ts';
import type { Predictor } from '../../../../shared/learning/family.ts';
import { spectrogramStatistics } from '../../../../shared/learning/features/statistics.ts';
import { randomStream, uniform } from '../../../../shared/learning/random.ts';
import type { Recording } from '../../../../shared/learning/recording.ts';
import { embeddingParts } from '../../../../shared/tagger/embedding.ts';
import { patchSize, patchValues } from '../../../../shared/tagger/patches.ts';

const parameters = spectrogramParameters();
const frames = 1_292;
const random = randomStream('masked judge');
const levels = Uint8Array.from({ length: parameters.bands * frames }, () => 60 + 150 * uniform(random));
const recording: Recording = { levels, frames, embedding: null, facts: null };
const typical = typicalSound([{ levels: levels.map((level) => 255 - level), frames }]);

/** Remembers what it was asked about. */
function listener(): { predictor: Predictor; heard: Recording[] } {
  const heard: Recording[] = [];
  const predictor: Predictor = {
    predict: async (recordings) => {
      heard.push(...recordings);
      return recordings.map(() => 0.5);
    },
    dispose: () => {},
  };
  return { predictor, heard };
}

const song = { recording, parameters, typical, start: 0, seed: 1, tagger: null };

describe('MaskedJudge', () => {
  it('leaves the whole song as it is, and takes away what the mask says and nothing else', async () => {
    const { predictor, heard } = listener();
    const judge = new MaskedJudge(song, predictor, async () => {});
    const { stretches, groups } = judge.grid;
    const none = new Uint8Array(stretches.length * groups.length);
    const one = Uint8Array.from(none);
    one[3 * stretches.length + 5] = 1;
    expect(await judge.judge([none, one])).toEqual([0, 0]);
    expect(heard[0]!.levels).toEqual(levels);
    const changed = [...levels.keys()].filter((cell) => heard[1]!.levels[cell] !== levels[cell]);
    const seconds = changed.map((cell) => ((cell % frames) * parameters.hop) / parameters.sampleRate);
    const { fromSeconds, toSeconds } = stretches[5]!;
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(fromSeconds);
    expect(Math.max(...seconds)).toBeLessThan(toSeconds);
    // 500 Hz to 1 kHz on Slaney's scale: 6.24 of 50.1 mels.
    expect(new Set(changed.map((cell) => Math.floor(cell / frames))).size).toBeCloseTo(19, -1);
  });

  it('fills with what is typical of the data set in level, spread and speed', async () => {
    const { predictor, heard } = listener();
    const judge = new MaskedJudge(song, predictor, async () => {});
    const all = new Uint8Array(judge.grid.stretches.length * judge.grid.groups.length).fill(1);
    await judge.judge([all]);
    const statistics = spectrogramStatistics(heard[0]!);
    const wanted = [...typical.mean, ...typical.deviation, ...typical.difference];
    const errors = wanted.map((value, i) => Math.abs(value - statistics[i]!));
    expect(Math.max(...errors)).toBeLessThan(2.5);
  });

  it('lets the tagger hear the same part missing, each patch once, and averages its patches anew', async () => {
    const { predictor, heard } = listener();
    const logMel = Float32Array.from({ length: 1_876 * 96 }, () => 4 * uniform(random));
    let patches = 0;
    const embedPatches = (values: Float32Array) => {
      const count = values.length / patchSize;
      patches += count;
      const rows = new Float32Array(count * patchValues);
      for (let patch = 0; patch < count; patch++) {
        const own = values.subarray(patch * patchSize, (patch + 1) * patchSize);
        rows[patch * patchValues] = own.reduce((sum, value) => sum + value, 0) / patchSize;
      }
      return rows;
    };
    const judge = new MaskedJudge(
      { ...song, tagger: { logMel, start: 0, embedPatches } },
      predictor,
      async () => {},
    );
    const { stretches, groups } = judge.grid;
    const none = new Uint8Array(stretches.length * groups.length);
    const stretch = none.map((_, segment) => (segment % stretches.length === 4 ? 1 : 0));
    await judge.judge([none, stretch]);
    expect(patches).toBe(11);
    await judge.judge([stretch, none]);
    expect(patches).toBe(11);
    const means = heard.map(({ embedding }) => embeddingParts(embedding!).mean[0]!);
    const whole =
      logMel.subarray(0, 10 * patchSize).reduce((sum, value) => sum + value, 0) / (10 * patchSize);
    expect(means[0]).toBeCloseTo(whole, 3);
    expect(means[1]).not.toBeCloseTo(whole, 2);
    expect(means.slice(2)).toEqual([means[1], means[0]]);
  });

  it('keeps certainty within finite log odds', () => {
    expect([0, 0.5, 1].map(logOddsOf)).toEqual([-13.815509557963773, 0, 13.815509557935018]);
  });
});
