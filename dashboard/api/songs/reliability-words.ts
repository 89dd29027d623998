/** How far a model may be trusted, in sentences: their numbers are those of the same songs. */
import type { Reliability } from './schemas.ts';

type Facts = Omit<Reliability, 'words' | 'compared'>;

const figure = (value: number) => value.toFixed(2).replace(/^0/, '');
const whole = new Intl.NumberFormat('en');
const counted = (value: number, noun: string) => `${whole.format(value)} ${noun}${value === 1 ? '' : 's'}`;
const year = (iso: string | null) => iso?.slice(0, 4) ?? 'an unknown year';

/** Whom songs are compared with, in one line: the group, the period and n. */
export function comparedWith({ dataSet, tracks, released, threshold, n, groups }: Facts): string {
  const period =
    released.from && released.to
      ? `released from ${year(released.from)} to ${year(released.to)}`
      : 'of unknown release dates';
  const kept =
    groups > 0
      ? `${counted(n, 'song')} by ${counted(groups, 'artist')} or groups of artists`
      : counted(n, 'song');
  return `Compared with ${dataSet}: n = ${counted(tracks, 'track')} ${period}, where popular means a popularity of at least ${Math.round(threshold)} of 100; what is said of the model is counted in ${kept} that it never heard.`;
}

export function inWords(facts: Facts): string[] {
  const { n, rocAuc, rocAucCi95, holdoutN, logistic, name } = facts;
  const interval = rocAucCi95
    ? `, and between ${figure(rocAucCi95[0])} and ${figure(rocAucCi95[1])} with other songs`
    : '';
  const linear =
    logistic === null || name === 'logistic'
      ? ''
      : ` a simple linear model on the same songs gets ${figure(logistic)};`;
  return [
    rocAuc === null
      ? 'How good this model is could not be measured: it has judged too few songs that it never heard.'
      : `Of two songs by artists it never heard, one that became popular and one that did not, it put the right one higher in ${Math.round(100 * rocAuc)} of 100 cases (ROC-AUC ${figure(rocAuc)}${interval}; n = ${counted(n, 'song')}).`,
    `For comparison, always saying the same gets ${figure(facts.dummy)}, like a coin;${linear} 1 would be perfect.`,
    ...(facts.betterThanChance
      ? []
      : [
          'It may be no better than chance: every answer of it is inconclusive, and no song stands above another.',
        ]),
    'Much of success is not in the sound: in an experiment the same songs rose and fell by what others had heard before (Salganik, Dodds and Watts, Science 2006). No model of the sound can know that part.',
    comparedWith(facts),
    `Percentiles compare with the ${counted(holdoutN, 'holdout song')} of the data set.`,
  ];
}
