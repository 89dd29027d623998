import { BarChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { expect, test } from 'vitest';
import { histogramOption } from '../../../dashboard/site/pages/catalogue/histogram.ts';

use([BarChart, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

const bins = Array.from({ length: 10 }, (_, bin) => ({ from: 10 * bin, to: 10 * bin + 10, count: 5 + bin }));
/** Plot of 1,000 pixels for 100 points: left of it is the room that the option leaves. */
const left = 50;
const size = { width: left + 1_000 + 16, height: 240 };

test('the threshold stands at its place among the bars, not in the middle of one', () => {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  chart.setOption({ animation: false, ...histogramOption(bins, 23.5) });
  const drawn = chart.renderToSVGString();
  chart.dispose();
  const dashed = [...drawn.matchAll(/<path d="M([\d.]+) [\d.]+L[^"]*"[^>]*stroke-dasharray/g)];
  expect(dashed).toHaveLength(1);
  // Lines are drawn between pixels.
  expect(Math.abs(Number(dashed[0]![1]) - (left + 235))).toBeLessThan(1);
});
