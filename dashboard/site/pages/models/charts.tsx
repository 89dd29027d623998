/** Curves of models. Each says in a sentence what it shows. */
import type { ModelView } from '../../../api/models/schemas.ts';
import { Chart } from '../../components/chart.tsx';
import { figure } from '../../format.ts';

const unit = (name: string) => ({ type: 'value', min: 0, max: 1, name, nameLocation: 'middle', nameGap: 28 });
const grid = { left: 56, right: 16, top: 36, bottom: 44 };

/** An interval as a line of its own, without a name: it stands in no legend. */
const whisker = (x: number, interval: readonly [number, number] | null) =>
  interval
    ? [
        {
          ...{ type: 'line', showSymbol: false, silent: true, lineStyle: { width: 1.5 }, color: '#8a94a6' },
          data: interval.map((end) => [x, end]),
        },
      ]
    : [];

interface Curve {
  name: string;
  points: readonly (readonly [number, number])[];
}

export function RocChart({ curves, summary }: { curves: readonly Curve[]; summary: string }) {
  return (
    <Chart
      summary={summary}
      height={320}
      option={{
        grid,
        legend: { top: 0 },
        tooltip: { trigger: 'axis' },
        xAxis: unit('false positive rate'),
        yAxis: unit('true positive rate'),
        series: [
          ...curves.map(({ name, points }) => ({ type: 'line', name, data: points, showSymbol: false })),
          {
            ...{ type: 'line', name: 'chance', showSymbol: false, lineStyle: { type: 'dashed', width: 1 } },
            data: [
              [0, 0],
              [1, 1],
            ],
          },
        ],
      }}
    />
  );
}

/** @param baseRate share of popular songs; null: not known, and not drawn */
export function PrecisionRecallChart({
  points,
  baseRate,
}: {
  points: Curve['points'];
  baseRate: number | null;
}) {
  return (
    <Chart
      summary={`Precision against recall${baseRate === null ? '' : `; the usual share of popular songs is ${figure(baseRate)}`}`}
      height={320}
      option={{
        grid,
        legend: { top: 0 },
        tooltip: { trigger: 'axis' },
        xAxis: unit('recall'),
        yAxis: unit('precision'),
        series: [
          { type: 'line', name: 'model', data: points, showSymbol: false },
          ...(baseRate === null
            ? []
            : [
                {
                  ...{ type: 'line', name: 'usual share', showSymbol: false },
                  lineStyle: { type: 'dashed', width: 1 },
                  data: [
                    [0, baseRate],
                    [1, baseRate],
                  ],
                },
              ]),
        ],
      }}
    />
  );
}

export function ReliabilityChart({ bins }: { bins: ModelView['reliability'] }) {
  return (
    <Chart
      summary={bins
        .map(
          ({ n, meanProbability, popular }) =>
            `said ${figure(meanProbability)}, true ${figure(popular)}, n ${n}`,
        )
        .join('; ')}
      height={320}
      option={{
        grid,
        legend: { top: 0 },
        tooltip: { trigger: 'item' },
        xAxis: unit('probability that was said'),
        yAxis: unit('share that is popular'),
        series: [
          {
            ...{ type: 'scatter', name: 'songs of a bin', symbolSize: 10 },
            data: bins.map(({ meanProbability, popular }) => [meanProbability, popular]),
          },
          ...bins.flatMap(({ meanProbability, ci95 }) => whisker(meanProbability, ci95)),
          {
            ...{ type: 'line', name: 'perfect', showSymbol: false, lineStyle: { type: 'dashed', width: 1 } },
            data: [
              [0, 0],
              [1, 1],
            ],
          },
        ],
      }}
    />
  );
}

export function EpochChart({ epochs }: { epochs: ModelView['epochs'] }) {
  const line = (name: string, key: 'trainLoss' | 'testLoss' | 'testRocAuc', yAxisIndex: number) => ({
    ...{ type: 'line', name, yAxisIndex, showSymbol: epochs.length < 40 },
    data: epochs.map((row) => [row.epoch, row[key]]),
  });
  const last = epochs.at(-1)!;
  return (
    <Chart
      summary={`After epoch ${last.epoch}: training loss ${last.trainLoss?.toFixed(3) ?? 'unknown'}, test loss ${last.testLoss?.toFixed(3) ?? 'unknown'}`}
      height={320}
      option={{
        grid: { ...grid, right: 56 },
        legend: { top: 0 },
        tooltip: { trigger: 'axis' },
        xAxis: { type: 'value', name: 'epoch', nameLocation: 'middle', nameGap: 28, minInterval: 1 },
        yAxis: [
          { type: 'value', name: 'loss, nats', nameLocation: 'middle', nameGap: 42, scale: true },
          {
            ...{ type: 'value', name: 'ROC-AUC', nameLocation: 'middle', nameGap: 32 },
            ...{ min: 0, max: 1, splitLine: { show: false } },
          },
        ],
        series: [
          line('training loss', 'trainLoss', 0),
          line('test loss', 'testLoss', 0),
          line('test ROC-AUC', 'testRocAuc', 1),
        ],
      }}
    />
  );
}

export function LearningCurveChart({
  points,
}: {
  points: NonNullable<ModelView['studies']>['learningCurve'];
}) {
  const known = points.filter(({ rocAuc }) => rocAuc !== null);
  return (
    <Chart
      summary={known.map(({ tracks, rocAuc }) => `${tracks} tracks: ${figure(rocAuc!)}`).join('; ')}
      height={280}
      option={{
        grid,
        tooltip: { trigger: 'axis' },
        xAxis: { type: 'value', name: 'training tracks', nameLocation: 'middle', nameGap: 28, scale: true },
        yAxis: { type: 'value', name: 'ROC-AUC', scale: true },
        series: [
          { type: 'line', name: 'ROC-AUC', data: known.map(({ tracks, rocAuc }) => [tracks, rocAuc]) },
          ...known.flatMap(({ tracks, rocAucCi95 }) => whisker(tracks, rocAucCi95)),
        ],
      }}
    />
  );
}
