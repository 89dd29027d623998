/** A probability beside the truth, and the group that it must not be told apart from in resampling. */
export interface Judged {
  /** Of being popular, 0 to 1. */
  readonly probability: number;
  /** 1 is popular. */
  readonly label: 0 | 1;
  /** Tracks of one artist or recording share it: they are not independent. */
  readonly group: number;
}

/** From a lower to an upper bound. */
export type Interval = [number, number];

/** Standard errors to each side of a normal distribution's mean that hold 95 % of it. */
export const normal95 = 1.959963984540054;

/** Number of items in each class. */
export function countClasses(judged: readonly Pick<Judged, 'label'>[]): {
  popular: number;
  unpopular: number;
} {
  const popular = judged.reduce((sum, { label }) => sum + label, 0);
  return { popular, unpopular: judged.length - popular };
}
