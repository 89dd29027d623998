import type { MemberSpec } from './members.ts';
import { tabularFamily } from './tabular-family.ts';

const linear: MemberSpec = { kind: 'logistic', features: ['statistics'], strength: 0.1 };
const transferred: MemberSpec = { kind: 'logistic', features: ['pool'], strength: 0.01 };
const forestOfAudio: MemberSpec = { kind: 'forest', features: ['statistics', 'descriptors', 'facts'] };
const forestOfAll: MemberSpec = {
  kind: 'forest',
  features: ['statistics', 'descriptors', 'pool', 'penultimate', 'tags', 'facts'],
};

/** Hard to beat on little data; what the networks are held against. */
export const logistic = tabularFamily({
  name: 'logistic',
  description:
    'Logistic regression on the mean and standard deviation of each mel band and the standard deviation of its difference between frames.',
  members: [linear],
});

export const forest = tabularFamily({
  name: 'forest',
  description:
    'Extremely randomised trees (Geurts et al. 2006) on mel statistics, tempo, loudness range and spectral shape.',
  members: [forestOfAudio],
});

export const musicnn = tabularFamily({
  name: 'musicnn',
  description:
    'Logistic regression on what the music tagger MusiCNN (Pons and Serra 2019), trained on the Million Song Dataset, hears in the recording.',
  members: [transferred],
});

export const stack = tabularFamily({
  name: 'stack',
  description:
    'The mean of three judges: logistic regression on mel statistics, logistic regression on the music tagger, and trees on both.',
  members: [linear, transferred, forestOfAll],
});
