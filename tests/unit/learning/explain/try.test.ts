import { writeFileSync } from 'node:fs';
import { it } from 'vitest';
import { explainSong } from '../../../../shared/learning/explain/explain-song.ts';
import { decisionSentences } from '../../../../shared/learning/explain/words.ts';
import { modelFamily } from '../../../../shared/learning/families.ts';
import { randomStream } from '../../../../shared/learning/random.ts';
import { parameters, plantedModel, plantedSong, type Rule } from './planted.ts';

for (const rule of [{ kind: 'band', fromHz: 500, toHz: 1000 }, { kind: 'moment', seconds: 1.5 }] as Rule[])
  it(`${rule.kind}`, { timeout: 300000 }, async () => {
    const { predictor, typical } = await plantedModel('logistic', rule, 60, 3);
    const song = plantedSong(rule, true, randomStream('unseen', 4));
    const t = performance.now();
    const { decision, picture } = await explainSong({ recording: song, parameters, start: 40, typical, tagger: null, seed: 1,
      title: '1. My new song (demo) <take 2> & more.mp3', subtitle: 'probability 0.83, percentile 97, by model-3 (logistic)' }, modelFamily('logistic'), predictor, () => { throw new Error(); }, async () => {});
    console.log(performance.now() - t, song.momentAt, decisionSentences(decision!).join('\n'), picture.length);
    writeFileSync(`/tmp/explain-${rule.kind}.png`, picture);
  });
