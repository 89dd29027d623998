/** One model in words. */
import type { TopPrecision } from '../../shared/learning/evaluation/index.ts';
import type { Studies } from '../../shared/learning/studies.ts';
import type { Evaluation, ModelMetrics } from '../../shared/registry/index.ts';
import type { ShownModel } from '../models.ts';
import { table, withInterval } from '../output.ts';

export function describeShown(model: ShownModel): string {
  const { metrics } = model;
  return [
    `${model.id} (${model.name}): ${model.state}${model.champion ? ', champion' : ''}`,
    ...(model.description ? [model.description] : []),
    ...(model.error ? [`reason: ${model.error}`] : []),
    '',
    ...factsOf(model).map(([name, value]) => `${name.padEnd(12)} ${value}`),
    ...(metrics ? ['', ...evaluationOf(metrics)] : []),
    ...(model.decision ? ['', `decision: ${model.decision.reason}`] : []),
    ...model.promotions.map(
      ({ promotedAt, promotedBy, reason }) =>
        `promoted ${promotedAt.toISOString()} by ${promotedBy}: ${reason}`,
    ),
  ].join('\n');
}

function factsOf(model: ShownModel): [string, string][] {
  const { imported, startedAt, finishedAt } = model;
  const options = Object.entries(model.options as object)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value}`);
  const from = imported as { model?: string; codeVersion?: string } | null;
  return [
    ['data set', model.dataset],
    ['run', model.run],
    ['options', options.join(', ')],
    ['parameters', String(model.parameters ?? '-')],
    ['back end', model.backend ?? '-'],
    ['version', model.codeVersion ?? '-'],
    ['trained', `${startedAt?.toISOString() ?? '-'} to ${finishedAt?.toISOString() ?? '-'}`],
    ...(from ? [['imported', `as ${from.model} of another registry`] as [string, string]] : []),
  ];
}

function evaluationOf(metrics: ModelMetrics): string[] {
  const { holdout, test, crossValidation, studies, warnings } = metrics;
  const sides: [string, Evaluation][] = [
    ...(crossValidation
      ? [[`${crossValidation.folds}-fold cross-validation`, crossValidation] as [string, Evaluation]]
      : []),
    ['test split', test],
    ['holdout', holdout],
  ];
  const head = ['', 'n', 'ROC-AUC [95 %]', 'accuracy', 'log loss', 'Brier', 'calibration error', 'top 10 %'];
  const rows = sides.map(([name, side]) => [
    ...[name, side.n, withInterval(side.rocAuc, side.rocAucCi95)],
    ...[fixed(side.accuracy), fixed(side.logLoss), fixed(side.brier)],
    side.ece == null ? '-' : `${fixed(side.ece)} (${fixed(side.eceByChance)} by chance alone)`,
    precision(side.top10),
  ]);
  return [
    table(
      [...head, 'top 20 %'],
      rows.map((row, i) => [...row, precision(sides[i]![1].top20)]),
    ),
    ...curveOf(crossValidation ?? holdout),
    ...(studies ? studiesOf(studies) : []),
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
}

/** What was said beside what is true, in bins of equally many songs. */
function curveOf({ reliability }: Evaluation): string[] {
  if (!reliability || reliability.length < 2) return [];
  const rows = reliability.map(({ n, meanProbability, popular, ci95 }) => [
    ...[meanProbability.toFixed(3), withInterval(popular, ci95), n],
  ]);
  return ['', table(['probability said', 'popular in truth [95 %]', 'n'], rows)];
}

/** What the figures hang on: how many songs it learned from, their years, where they come from. */
function studiesOf(studies: Studies): string[] {
  const { learningCurve, byYear, bySource, leaveOneSourceOut, confounds } = studies;
  const figure = ({ rocAuc, rocAucCi95 }: Pick<Evaluation, 'rocAuc' | 'rocAucCi95'>) =>
    withInterval(rocAuc, rocAucCi95);
  const kinds = (list: Studies['byYear'], what: string) =>
    list.map((row) => [`${what} ${row.key}`, figure(row), row.n, row.reason ?? '']);
  const rows = [
    ...learningCurve.map((row) => [`trained on ${row.tracks} tracks`, figure(row), row.n, '']),
    ...kinds(byYear, 'only year'),
    ...kinds(bySource, 'only source'),
    ...(leaveOneSourceOut
      ? [['sources never heard in training', figure(leaveOneSourceOut), leaveOneSourceOut.n, '']]
      : []),
    ...confounds.map((row) => [`without listening, by the ${row.by} alone`, figure(row), row.n, '']),
  ];
  return rows.length > 0 ? ['', table(['in cross-validation', 'ROC-AUC [95 %]', 'n', ''], rows)] : [];
}

/** How many of the songs on top are popular, and by how much that is more than by lot. */
export function precision(top: TopPrecision | null | undefined): string {
  if (!top) return '-';
  const lift = top.lift === null ? '' : `, ${top.lift.toFixed(2)} x chance`;
  return `${withInterval(top.precision, top.ci95)}${lift} n=${top.n}`;
}

const fixed = (value: number | null | undefined) => value?.toFixed(3) ?? '-';
