/**
 * A chart by echarts, loaded when the first one is shown. Its colours are the page's; what it shows stands
 * in a table beside or below it for those who cannot see it (`summary` says it in a sentence).
 */

import type { EChartsCoreOption } from 'echarts/core';
import { lazy, Suspense } from 'react';

const Drawn = lazy(() => import('./chart-drawn.tsx'));

export interface ChartProps {
  option: EChartsCoreOption;
  /** What the chart shows, in one sentence with its figures. */
  summary: string;
  /** In pixels. */
  height?: number;
}

export function Chart(props: ChartProps) {
  return (
    <figure className="chart">
      <Suspense fallback={<div className="loading" style={{ height: props.height ?? 280 }} />}>
        <Drawn {...props} />
      </Suspense>
      <figcaption className="hidden">{props.summary}</figcaption>
    </figure>
  );
}
