/** Curves of models as a picture: how they rank, and whether their probabilities mean what they say. */

import { LineChart, type LineSeriesOption } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Model } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { parsePublicId, publicId } from '../shared/identifiers.ts';
import type { Evaluation, ModelMetrics } from '../shared/registry/index.ts';
import type { Session } from './session.ts';

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const size = { width: 940, height: 470 };
/** Easily told apart, also by the colour blind (Okabe and Ito 2008). */
const colours = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000', '#999999'];

interface Drawn {
  readonly title: string;
  readonly songs: string;
  readonly figures: Evaluation;
}

/**
 * Find the models to draw: those named, or all of the newest finished training run but the dummy.
 * @throws UserError when there is none, or one has no evaluation
 */
export async function modelsToDraw(session: Session, ids: readonly string[]): Promise<Model[]> {
  const { prisma } = session.database;
  if (ids.length > 0) {
    const wanted = ids.map((id) => parsePublicId(id, ['model']).id);
    const found = await prisma.model.findMany({ where: { id: { in: wanted }, state: 'ready' } });
    const missing = wanted.filter((id) => !found.some((model) => model.id === id));
    if (missing.length > 0) {
      throw new UserError(`there is no trained ${missing.map((id) => publicId('model', id)).join(', ')}`);
    }
    return wanted.map((id) => found.find((model) => model.id === id)!);
  }
  const run = await prisma.trainingRun.findFirst({
    where: { finishedAt: { not: null }, models: { some: { state: 'ready' } } },
    orderBy: { id: 'desc' },
    include: { models: { where: { state: 'ready', name: { not: 'dummy' } }, orderBy: { id: 'asc' } } },
  });
  if (!run) throw new UserError('there are no models yet: hiphop train makes some');
  return run.models;
}

/** Draw ROC and reliability curves of models side by side. @returns an SVG document */
export function drawCurves(models: readonly Model[]): string {
  const drawn = models.map(drawnOf).sort((a, b) => (b.figures.rocAuc ?? 0) - (a.figures.rocAuc ?? 0));
  const songs = [...new Set(drawn.map((one) => one.songs))].join(' or ');
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  const axis = (gridIndex: number, name: string) => ({
    ...{ gridIndex, name, type: 'value' as const, min: 0, max: 1 },
    ...{ nameLocation: 'middle' as const, nameGap: 30, splitLine: { lineStyle: { color: '#eee' } } },
  });
  const title = (text: string, left: number) => ({
    ...{ text, left, top: 8, textStyle: { fontSize: 15, fontWeight: 'normal' as const } },
  });
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    color: colours,
    title: [title(`ROC, ${songs}`, 60), title('Reliability: what a probability means', 530)],
    grid: [
      { left: 60, top: 44, width: 360, height: 320 },
      { left: 530, top: 44, width: 360, height: 320 },
    ],
    xAxis: [axis(0, 'share of unpopular songs taken along'), axis(1, 'probability that the model says')],
    yAxis: [axis(0, 'share of popular songs found'), axis(1, 'share that is popular in truth')],
    legend: { bottom: 4, itemGap: 32, icon: 'roundRect', itemHeight: 4, data: drawn.map((one) => one.title) },
    series: [diagonal(0), diagonal(1), ...drawn.flatMap(seriesOf)],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  // For those who hear a page instead of seeing it.
  const named = drawn.map((one) => one.title).join(', ');
  return svg.replace(/^<svg[^>]*>/, (tag) => `${tag}\n<title>ROC and reliability curves: ${named}</title>`);
}

function drawnOf(model: Model): Drawn {
  const { crossValidation, holdout } = model.metrics as unknown as ModelMetrics;
  const figures = crossValidation ?? holdout;
  const area = figures.rocAuc === null ? '-' : figures.rocAuc.toFixed(3);
  return { title: `${publicId('model', model.id)} ${model.name} ${area}`, songs: songsOf(model), figures };
}

/** Which songs a model's curves are of. */
function songsOf({ metrics }: Model): string {
  const { crossValidation, holdout } = metrics as unknown as ModelMetrics;
  return crossValidation ? `${crossValidation.n} songs out of fold` : `${holdout.n} songs of the holdout`;
}

const diagonal = (index: number): LineSeriesOption => ({
  ...{ type: 'line', xAxisIndex: index, yAxisIndex: index, symbol: 'none', silent: true },
  ...{ lineStyle: { color: '#bbb', type: 'dashed', width: 1 } },
  data: [
    [0, 0],
    [1, 1],
  ],
});

function seriesOf({ title: name, figures }: Drawn, place: number): LineSeriesOption[] {
  const color = colours[place % colours.length]!;
  const line = { name, type: 'line' as const, lineStyle: { width: 2, color }, itemStyle: { color } };
  const { rocCurve, reliability } = figures;
  return [
    { ...line, symbol: 'none', data: (rocCurve ?? []).map(([x, y]) => [x, y]) },
    {
      ...{ ...line, xAxisIndex: 1, yAxisIndex: 1, symbolSize: 6 },
      data: (reliability ?? []).map(({ meanProbability, popular }) => [meanProbability, popular]),
    },
  ];
}
