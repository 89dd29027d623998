/** What one wants to know beside a cross-validation: would more songs help, and is it the sound that decides? */
import { type FoldPlan, type LabelledRecord, labelRecords, planFolds } from './cross-validation.ts';
import { type BreakdownRow, breakdown, type Interval, rocAuc, rocAucInterval } from './evaluation/index.ts';
import { randomStream, shuffle } from './random.ts';
import { type ThresholdRule, thresholdOf } from './threshold.ts';
import type { Trainer, Unseen } from './trainer.ts';

/** What is known of a track beside its label: what a model must not learn in the sound's stead. */
export interface Origin {
  /** Where its audio comes from: a label, a collection, a service. Null where nobody says. */
  readonly source: string | null;
  /** A name that is surely one artist's. */
  readonly artist: string | null;
  /** Of release. */
  readonly year: number | null;
}

type StudyRecord = LabelledRecord & Origin;

/** A ranking of unseen tracks. */
export interface Figure {
  readonly n: number;
  readonly rocAuc: number | null;
  readonly rocAucCi95: Interval | null;
}

export interface Studies {
  /** By models of the same folds that had only a part of the training groups; the last had all. */
  readonly learningCurve: readonly (Figure & { readonly tracks: number })[];
  readonly byYear: readonly BreakdownRow[];
  readonly bySource: readonly BreakdownRow[];
  /** Each source judged by models that heard nothing from it; null with fewer than two sources. */
  readonly leaveOneSourceOut: (Figure & { readonly sources: number }) | null;
  /** How well the label is guessed from the other songs of the same source, or artist, without listening. */
  readonly confounds: readonly (Figure & { readonly by: 'source' | 'artist' })[];
  readonly warnings: readonly string[];
}

interface StudyOptions {
  readonly seed: number;
  readonly rule: ThresholdRule;
  readonly usesValidation: boolean;
  readonly folds: number;
}

const curveShares = [0.25, 0.5];
/** With more tracks the parts of a learning curve, and a fold a source, cost more than they tell. */
const tracksAtMost = 3000;
/** Sources smaller than this are judged together. */
const sourceAtLeast = 5;
const sourcesAtMost = 10;

function figure(judged: readonly Unseen[], seed: number): Figure {
  const scores = judged.map(({ probability }) => probability);
  const labels = judged.map(({ label }) => label);
  return {
    n: judged.length,
    rocAuc: rocAuc(scores, labels),
    rocAucCi95: rocAucInterval(judged, seed),
  };
}

/** Keep a share of a plan's training groups, drawn at random. */
function thinned(plan: FoldPlan, share: number, seed: number): FoldPlan {
  const groups = [...new Set(plan.train.map(({ group }) => group))].sort((a, b) => a - b);
  const kept = new Set(
    shuffle(groups, randomStream(seed, 'learning curve')).slice(0, Math.ceil(share * groups.length)),
  );
  return { ...plan, train: plan.train.filter(({ group }) => kept.has(group)) };
}

const bothClasses = ({ train }: FoldPlan): boolean =>
  train.some(({ label }) => label === 0) && train.some(({ label }) => label === 1);

async function learningCurve(
  trainer: Trainer,
  plans: readonly FoldPlan[],
  outOfFold: readonly Unseen[],
  seed: number,
): Promise<Studies['learningCurve']> {
  const meanTracks = (rounds: readonly FoldPlan[]) =>
    Math.round(rounds.reduce((sum, { train }) => sum + train.length, 0) / rounds.length);
  const points = [];
  for (const share of curveShares) {
    const rounds = plans.map((plan) => thinned(plan, share, seed));
    if (!rounds.every(bothClasses)) continue;
    points.push({ tracks: meanTracks(rounds), ...figure(await trainer.study(rounds), seed) });
  }
  return [...points, { tracks: meanTracks(plans), ...figure(outOfFold, seed) }];
}

/**
 * Plan a fold for each source, small ones together; what shares a group with a held-out track is in no
 * training part.
 */
export function planSources(records: readonly StudyRecord[], rule: ThresholdRule): FoldPlan[] {
  const sizes = new Map<string, number>();
  for (const { source } of records) if (source !== null) sizes.set(source, (sizes.get(source) ?? 0) + 1);
  const named = [...sizes]
    .filter(([, size]) => size >= sourceAtLeast)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, sourcesAtMost)
    .map(([source]) => source);
  const rest = records.length - named.reduce((sum, source) => sum + sizes.get(source)!, 0);
  const folds = rest >= sourceAtLeast ? [...named, null] : named;
  if (folds.length < 2) return [];
  const foldOf = records.map(({ source }) => {
    const place = source === null ? -1 : named.indexOf(source);
    return place >= 0 ? place : folds.length - 1;
  });
  return folds.flatMap((_, fold): FoldPlan[] => {
    const groups = new Set(records.filter((_, i) => foldOf[i] === fold).map(({ group }) => group));
    const inTraining = (index: number) => foldOf[index] !== fold && !groups.has(records[index]!.group);
    const popularity = records.filter((_, i) => inTraining(i)).map((record) => record.popularity);
    // What is left may be too little to learn from: then nothing can be said of this source.
    if (new Set(popularity).size < 2) return [];
    const threshold = usableThreshold(popularity, rule);
    const examples = labelRecords(records, threshold);
    const train = examples.filter(({ index }) => inTraining(index));
    const heldOut = examples.filter(({ index }) => foldOf[index] === fold);
    return [{ threshold, validation: [], train, heldOut }].filter(bothClasses);
  });
}

/** The rule's threshold; the median's where a fixed one would leave one class. */
function usableThreshold(popularity: readonly number[], rule: ThresholdRule): number {
  const [smallest, largest] = [Math.min(...popularity), Math.max(...popularity)];
  const serves = rule === 'median' || (rule > smallest && rule <= largest);
  return thresholdOf(popularity, serves ? rule : 'median');
}

/**
 * Guess each track's label from others that share its source or artist: the share of popular ones among
 * those of other groups (of a source) or other tracks (of an artist), drawn towards one half where few.
 */
export function confound(
  by: 'source' | 'artist',
  records: readonly StudyRecord[],
  judged: readonly Unseen[],
  seed: number,
): Figure & { by: 'source' | 'artist' } {
  const alike = new Map<string, Unseen[]>();
  for (const track of judged) {
    const key = records[track.index]![by];
    if (key !== null) alike.set(key, [...(alike.get(key) ?? []), track]);
  }
  const guesses = judged.flatMap((track): Unseen[] => {
    const key = records[track.index]![by];
    const others = (key === null ? [] : alike.get(key)!).filter((other) =>
      by === 'source' ? other.group !== track.group : other.index !== track.index,
    );
    if (others.length === 0) return [];
    const popular = others.filter(({ label }) => label === 1).length;
    return [{ ...track, probability: (popular + 0.5) / (others.length + 1) }];
  });
  return { by, ...figure(guesses, seed) };
}

/** Study a model that was cross-validated: only with folds of its own, nothing here sees the holdout's side. */
export async function studiesOf(
  trainer: Trainer,
  records: readonly StudyRecord[],
  outOfFold: readonly Unseen[],
  options: StudyOptions,
): Promise<Studies> {
  const small = records.length <= tracksAtMost;
  const sourcePlans = small ? planSources(records, options.rule) : [];
  const curve = small
    ? await learningCurve(trainer, planFolds(records, options.folds, options), outOfFold, options.seed)
    : [];
  const leaveOneSourceOut =
    sourcePlans.length >= 2
      ? { sources: sourcePlans.length, ...figure(await trainer.study(sourcePlans), options.seed) }
      : null;
  const confounds = (['source', 'artist'] as const)
    .map((by) => confound(by, records, outOfFold, options.seed))
    .filter(({ rocAuc: area, n }) => area !== null && n >= records.length / 4);
  const own = figure(outOfFold, options.seed);
  const bySource = breakdown(outOfFold, ({ index }) => records[index]!.source, options.seed);
  return {
    learningCurve: curve,
    byYear: breakdown(outOfFold, ({ index }) => yearKey(records[index]!), options.seed),
    bySource,
    leaveOneSourceOut,
    confounds,
    warnings: warningsOf(own, confounds, leaveOneSourceOut),
  };
}

const yearKey = ({ year }: Origin): string | null => (year === null ? null : String(year));

function warningsOf(
  own: Figure,
  confounds: Studies['confounds'],
  leaveOneSourceOut: Studies['leaveOneSourceOut'],
): string[] {
  const shown = (value: number | null) => (value === null ? '-' : value.toFixed(3));
  const better = confounds
    .filter(({ rocAuc: area }) => own.rocAuc !== null && area! > own.rocAuc)
    .map(
      ({ by, rocAuc: area, n }) =>
        `the ${by} explains popularity better than the sound does (ROC-AUC ${shown(area)} on ${n} tracks against ${shown(own.rocAuc)}): the model may have learned to tell ${by}s apart`,
    );
  const bound = own.rocAucCi95?.[0];
  const drops =
    leaveOneSourceOut?.rocAuc != null && bound !== undefined && leaveOneSourceOut.rocAuc < bound
      ? [
          `on sources that it never heard it ranks worse (ROC-AUC ${shown(leaveOneSourceOut.rocAuc)} against ${shown(own.rocAuc)}): expect the lower figure for songs from elsewhere`,
        ]
      : [];
  return [...better, ...drops];
}
