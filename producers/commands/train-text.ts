/** A training run in words. */
import { table, withInterval } from '../output.ts';
import type { TrainAnswer } from '../train.ts';
import { precision } from './models-text.ts';

type TrainedModel = Exclude<TrainAnswer['models'][number], { error: string }>;

const head = [
  ...['model', 'name', 'parameters', 'cross-validation ROC-AUC [95 %]', 'holdout ROC-AUC [95 %]'],
  ...['top 20 %', 'calibration error'],
];

/** The run as a table, every figure with its n and interval; what to beware of; who is champion and why. */
export function describeAnswer(answer: TrainAnswer): string {
  const trained = answer.models.flatMap((model) => ('error' in model ? [] : [model]));
  const failed = answer.models.flatMap((model) =>
    'error' in model ? [`${model.id} (${model.name}) is ${model.state}: ${model.error}`] : [],
  );
  const champion = trained.find(({ id }) => id === answer.champion);
  return [
    table(head, trained.map(rowOf)),
    ...failed,
    ...trained.flatMap((model) => warningsOf(model, model === champion)),
    ...(champion ? hearsMore(champion) : []),
    `data set ${answer.dataset}, popular from ${Number(answer.threshold.toFixed(2))} on, back end ${answer.backend}`,
    answer.champion
      ? `champion: ${answer.champion}${champion ? ` (${champion.name})` : ''}`
      : 'no champion: no model does better than chance',
    ...(answer.decision ? [answer.decision] : []),
  ].join('\n');
}

function rowOf({ id, name, parameters, holdout, crossValidation }: TrainedModel) {
  const figures = crossValidation ?? holdout;
  const auc = (side: typeof holdout) => `${withInterval(side.rocAuc, side.rocAucCi95)} n=${side.n}`;
  return [
    ...[id, name, parameters, crossValidation ? auc(crossValidation) : '-', auc(holdout)],
    ...[precision(figures.top20), figures.ece == null ? '-' : figures.ece.toFixed(3)],
  ];
}

/** What a data set does to all models alike is told of the champion alone. */
function warningsOf({ id, name, warnings, studies }: TrainedModel, isChampion: boolean): string[] {
  const common = studies?.warnings ?? [];
  return warnings
    .filter((warning) => isChampion || !common.includes(warning))
    .map((warning) => `${id} (${name}): ${warning}`);
}

/** Whether more songs would help, from the champion's learning curve. */
function hearsMore({ studies }: TrainedModel): string[] {
  const points = (studies?.learningCurve ?? []).filter(({ rocAuc }) => rocAuc !== null);
  if (points.length < 2) return [];
  const shown = points.map(({ tracks, rocAuc }) => `${rocAuc!.toFixed(3)} with ${tracks}`);
  return [`trained on fewer tracks its cross-validation ROC-AUC would be ${shown.join(', ')}`];
}
