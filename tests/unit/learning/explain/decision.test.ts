import { describe, expect, it, vi } from 'vitest';
import { trainOn } from '../../../../bench/explain/model.ts';
import { type Decision, explainDecision } from '../../../../shared/learning/explain/decision.ts';
import { MaskedJudge } from '../../../../shared/learning/explain/masked-judge.ts';
import { checkSanity, mostAlike } from '../../../../shared/learning/explain/sanity.ts';
import { randomStream } from '../../../../shared/learning/random.ts';
import { parameters, plantedSong, type Rule, shape } from './planted.ts';

// A model is trained and ten songs are explained in each of these.
vi.setConfig({ testTimeout: 240_000 });

const noTensorFlow = () => Promise.reject(new Error('no TensorFlow here'));

async function explained(name: string, rule: Rule, popularOnly: boolean) {
  const random = randomStream('planted songs', name, rule.kind);
  const train = Array.from({ length: 80 }, (_, index) => plantedSong(rule, index % 2 === 0, random));
  const { predictor, randomised, typical } = await trainOn(name, train, shape, 1, noTensorFlow);
  const songs = Array.from({ length: 10 }, (_, index) =>
    plantedSong(rule, popularOnly || index % 2 === 0, random),
  );
  const found: { song: (typeof songs)[number]; decision: Decision; alike: number }[] = [];
  for (const song of songs) {
    const judged = { recording: song.recording, parameters, typical, start: 0, seed: 1, tagger: null };
    const judge = new MaskedJudge(judged, predictor, async () => {});
    const decision = await explainDecision(judge, 1);
    const { alike } = await checkSanity(judge, randomised, 1);
    found.push({ song, decision, alike });
  }
  return found;
}

describe('an explanation', () => {
  it.each(['logistic', 'forest'])('of %s names the band that makes a song popular', async (name) => {
    const rule = { kind: 'band', name: 'mids', fromHz: 500, toHz: 1_000 } as const;
    const found = await explained(name, rule, false);
    const named = found.filter(({ song, decision: { topBands } }) => {
      const [top] = topBands;
      return top?.name === rule.name && top.effect > 0 === song.popular;
    });
    expect(named.length).toBeGreaterThanOrEqual(9);
    expect(found.filter(({ decision }) => decision.faithfulness.trusted).length).toBeGreaterThanOrEqual(8);
    // What the model has learned is what the explanation shows: without it there is another.
    expect(found.filter(({ alike }) => alike < mostAlike).length).toBeGreaterThanOrEqual(9);
  });

  it.each(['logistic', 'forest'])('of %s names the moment that makes a song popular', async (name) => {
    const rule = { kind: 'moment', seconds: 1.5 } as const;
    const found = await explained(name, rule, true);
    const named = found.filter(({ song: { momentAt }, decision: { topSeconds } }) => {
      const [top] = topSeconds;
      if (!top || top.effect <= 0 || top.toSeconds - top.fromSeconds > 4) return false;
      return top.fromSeconds < momentAt + rule.seconds && top.toSeconds > momentAt;
    });
    expect(named.length).toBeGreaterThanOrEqual(9);
    expect(found.filter(({ decision }) => decision.faithfulness.trusted).length).toBeGreaterThanOrEqual(8);
    // What the model has learned is what the explanation shows: without it there is another.
    expect(found.filter(({ alike }) => alike < mostAlike).length).toBeGreaterThanOrEqual(9);
  });
});
