/** Who is champion after a training run: the rule alone, without the database. */
import { publicId } from '../identifiers.ts';
import type { Interval } from '../learning/evaluation/index.ts';
import { isComparison, type ModelComparison, type NoComparison } from './compare.ts';

/** A model with the figure that models of one run are chosen by. */
export interface Contender {
  readonly id: number;
  readonly name: string;
  readonly dataSetId: number;
  readonly rocAuc: number | null;
  readonly rocAucCi95: Interval | null;
  /** What the figure comes from, e.g. `5-fold cross-validation`. */
  readonly basis: string;
  /** Why it may not be champion whatever its figure; null: it may. */
  readonly unfit: string | null;
}

/** What came of a training run, kept with it. */
export interface Decision {
  /** `first`: there was no champion to beat. `kept`: it is not beaten. `none`: no model may challenge. */
  readonly outcome: 'first' | 'promoted' | 'kept' | 'none';
  /** Public id of the champion before. */
  readonly champion: string | null;
  /** Public id of the best model of the run. */
  readonly challenger: string | null;
  readonly candidates: readonly Candidate[];
  readonly comparison: ModelComparison | NoComparison | null;
  /** A sentence for people. */
  readonly reason: string;
  /** On models that were resumed or retried once the run had ended, each by itself, in the order of their ends. */
  readonly later?: readonly LateDecision[];
}

/** On one model that ended after its run. */
export interface LateDecision extends Omit<Decision, 'later'> {
  /** Public id of that model. */
  readonly challenger: string;
}

export interface Candidate {
  readonly model: string;
  readonly name: string;
  readonly rocAuc: number | null;
  readonly rocAucCi95: Interval | null;
  readonly basis: string;
  /** Why it does not challenge; null: it could. */
  readonly out: string | null;
}

/** Figures of fewer songs of different data sets say too little. */
const songsAtLeast = 30;

/** The best model of a run that may be champion at all. */
export function bestOf(contenders: readonly Contender[]): Contender | null {
  const able = contenders.filter((contender) => outReason(contender) === null);
  return able.reduce<Contender | null>(
    (best, contender) => (best === null || contender.rocAuc! > best.rocAuc! ? contender : best),
    null,
  );
}

/**
 * Decide whether the best model of a run takes the championship.
 *
 * It does when it ranks the same unseen songs better beyond noise: the 95 % interval of the paired
 * difference lies above 0. Where there are no or, across data sets, too few such songs, figures of their
 * own decide: on one data set the better one, across data sets the newer model unless it is clearly worse.
 *
 * @param contenders all models of the run, in the order of their ids.
 * @param champion null when there is none, or none that may be champion.
 * @param comparison of the champion with `bestOf(contenders)`; null where one is missing.
 */
export function decide(
  contenders: readonly Contender[],
  champion: Contender | null,
  comparison: ModelComparison | NoComparison | null,
): Decision {
  const challenger = bestOf(contenders);
  return {
    ...outcomeOf(contenders, challenger, champion, comparison),
    champion: champion && publicId('model', champion.id),
    challenger: challenger && publicId('model', challenger.id),
    candidates: contenders.map((contender) => ({
      ...{ model: publicId('model', contender.id), name: contender.name, rocAuc: contender.rocAuc },
      ...{ rocAucCi95: contender.rocAucCi95, basis: contender.basis, out: outReason(contender) },
    })),
    comparison,
  };
}

function outcomeOf(
  contenders: readonly Contender[],
  challenger: Contender | null,
  champion: Contender | null,
  comparison: ModelComparison | NoComparison | null,
): Pick<Decision, 'outcome' | 'reason'> {
  if (!challenger) {
    const why = contenders.map((contender) => `${titleOf(contender)}: ${outReason(contender)}`).join('; ');
    return { outcome: 'none', reason: `no model of this run may be champion: ${why || 'it has none'}` };
  }
  if (!champion) return { outcome: 'first', reason: `first champion: ${shown(challenger)}` };
  const sameDataSet = champion.dataSetId === challenger.dataSetId;
  if (comparison && isComparison(comparison) && (sameDataSet || comparison.n >= songsAtLeast)) {
    return byComparison(challenger, champion, comparison);
  }
  const few = comparison && isComparison(comparison) ? `only ${comparison.n} songs are new to both` : null;
  const why = few ?? (comparison && 'reason' in comparison ? comparison.reason : 'nothing was compared');
  const { wins, words } = byOwnFigures(challenger, champion, sameDataSet);
  return { outcome: wins ? 'promoted' : 'kept', reason: `${words} (by figures of their own: ${why})` };
}

function byComparison(
  challenger: Contender,
  champion: Contender,
  { ci95, difference, n, groups, basis, rocAuc }: ModelComparison,
): Pick<Decision, 'outcome' | 'reason'> {
  const songs = `${n} songs of ${groups} groups that neither had heard (${basis})`;
  const figures = `ROC-AUC ${rocAuc[1].toFixed(3)} against ${rocAuc[0].toFixed(3)}, difference ${signed(difference)} [${ci95.map(signed).join(' to ')}], on ${songs}`;
  const [challenging, holding] = [titleOf(challenger), titleOf(champion)];
  if (ci95[0] > 0) {
    return { outcome: 'promoted', reason: `${challenging} beats ${holding} beyond noise: ${figures}` };
  }
  return {
    outcome: 'kept',
    reason:
      ci95[1] < 0
        ? `${holding} stays: ${challenging} is worse beyond noise: ${figures}`
        : `${holding} stays: ${challenging} is not better beyond noise: ${figures}`,
  };
}

function byOwnFigures(
  challenger: Contender,
  champion: Contender,
  sameDataSet: boolean,
): { wins: boolean; words: string } {
  const bar = sameDataSet ? champion.rocAuc : (champion.rocAucCi95?.[0] ?? champion.rocAuc);
  const wins = bar === null || challenger.rocAuc! > bar;
  const how = {
    beats: `${shown(challenger)} beats ${shown(champion)} on the same data set`,
    stays: `${shown(champion)} stays: ${shown(challenger)} is not better on the same data set`,
    notWorse: `${shown(challenger)} on a newer data set is not clearly worse than ${shown(champion)}`,
    worse: `${shown(champion)} stays: ${shown(challenger)} on a newer data set is clearly worse`,
  };
  const words = sameDataSet ? (wins ? how.beats : how.stays) : wins ? how.notWorse : how.worse;
  return { wins, words };
}

function outReason({ unfit, rocAuc }: Contender): string | null {
  if (unfit !== null) return unfit;
  if (rocAuc === null) return 'it could not be measured';
  return rocAuc > 0.5 ? null : 'it does no better than chance';
}

const titleOf = ({ id, name }: Contender) => `${publicId('model', id)} (${name})`;

function shown(contender: Contender): string {
  const { rocAuc, rocAucCi95, basis } = contender;
  if (rocAuc === null) return `${titleOf(contender)}, which could not be measured`;
  const interval = rocAucCi95 ? ` [${rocAucCi95.map((bound) => bound.toFixed(3)).join(' to ')}]` : '';
  return `${titleOf(contender)} ${rocAuc.toFixed(3)}${interval} by ${basis}`;
}

/** A difference with its sign, e.g. `+0.031`. */
export function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;
}
