/** What may be said of a song in plain words: never more than its model knows. */
import { aboutIn } from './calibrated.ts';
import { type Beyond, dotCount, type Neighbourhood } from './neighbourhood.ts';

/** From this unfamiliarity on, in percent, a song is unlike anything that the model has heard: 1 track in 40 is. */
export const unfamiliarFrom = 97.5;
/** So many of the dots must lie on one side of the usual share: 19 of 20 are odds of 19 to 1. */
const dotsOnOneSide = dotCount - 1;

export const verdictKinds = ['more', 'less', 'inconclusive', 'unlike'] as const;
export interface Verdict {
  readonly kind: (typeof verdictKinds)[number];
  /** For people, a whole sentence. */
  readonly sentence: string;
}

export interface Evidence {
  /** Whether the model is better than chance beyond doubt: the interval of its ROC-AUC lies above 0.5. */
  readonly betterThanChance: boolean;
  /** 0 to 100; null: not known. */
  readonly unfamiliarity: number | null;
  /** Null: too few held-out songs were scored alike. */
  readonly neighbourhood: Neighbourhood | null;
  /** On which side the score lies outside of those of all held-out songs; null: it does not. */
  readonly beyond: Beyond | null;
  /** Number of held-out songs. */
  readonly heldOut: number;
  /** Share of all held-out songs that became popular, each group counting once, 0 to 1. */
  readonly baseRate: number;
}

export function verdictOf(evidence: Evidence): Verdict {
  const { betterThanChance, unfamiliarity, neighbourhood, beyond, heldOut, baseRate } = evidence;
  if (!betterThanChance) {
    return inconclusive('on songs that it never heard, this model may be no better than chance');
  }
  if (unfamiliarity !== null && unfamiliarity >= unfamiliarFrom) {
    return {
      kind: 'unlike',
      sentence:
        'Unlike anything in the catalogue: the model has heard nothing near it, so its score is a guess beyond what it knows.',
    };
  }
  if (beyond) {
    const than = beyond === 'above' ? 'higher' : 'lower';
    return inconclusive(
      `it scored ${than} than all ${heldOut} held-out songs, beyond anything that the model was tested on`,
    );
  }
  if (!neighbourhood)
    return inconclusive(
      'too few held-out songs, or of too few artists, were scored like this one to say more',
    );
  const above = neighbourhood.dots.filter((dot) => dot > baseRate).length;
  const { songs, groups, popular } = neighbourhood;
  const counted = `of the ${songs} held-out songs scored most alike ${aboutIn(popular, groups)} became popular (n = ${groups} artists, each counts once)`;
  if (above >= dotsOnOneSide) {
    return {
      kind: 'more',
      sentence: `Sounds like songs that became popular more often than others: ${counted}.`,
    };
  }
  if (dotCount - above >= dotsOnOneSide) {
    return {
      kind: 'less',
      sentence: `Sounds like songs that became popular less often than others: ${counted}.`,
    };
  }
  return inconclusive(`${counted}, which is too near to the usual share to tell apart`);
}

const inconclusive = (why: string): Verdict => ({ kind: 'inconclusive', sentence: `Inconclusive: ${why}.` });
