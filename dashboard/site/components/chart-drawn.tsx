import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import type { ChartProps } from './chart.tsx';

use([
  ...[BarChart, LineChart, ScatterChart, CanvasRenderer],
  ...[GridComponent, LegendComponent, MarkLineComponent, TooltipComponent],
]);

/** Colours of the style sheet, as they are now. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    axisLine: { lineStyle: { color: of('--line') } },
    axisTick: { lineStyle: { color: of('--line') } },
    axisLabel: { color: of('--soft'), hideOverlap: true },
    nameTextStyle: { color: of('--soft') },
    splitLine: { lineStyle: { color: of('--faint') } },
  };
  return {
    color: ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'].map(of),
    backgroundColor: 'transparent',
    textStyle: { color: of('--text'), fontFamily: of('--font') },
    legend: { textStyle: { color: of('--text') } },
    categoryAxis: axis,
    valueAxis: axis,
    timeAxis: axis,
    logAxis: axis,
    tooltip: {
      backgroundColor: of('--card'),
      borderColor: of('--line'),
      textStyle: { color: of('--text') },
    },
  };
}

export default function Drawn({ option, summary, height = 280 }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ReturnType<typeof init> | null>(null);
  const latest = useRef(option);
  latest.current = option;

  useEffect(() => {
    const element = place.current!;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const draw = () => {
      chart.current?.dispose();
      chart.current = init(element, palette(), { renderer: 'canvas' });
      chart.current.setOption({ animation: !still, ...latest.current });
    };
    draw();
    const resizing = new ResizeObserver(() => chart.current?.resize());
    resizing.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    document.addEventListener('themechange', draw);
    return () => {
      resizing.disconnect();
      scheme.removeEventListener('change', draw);
      document.removeEventListener('themechange', draw);
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(option, { notMerge: false, replaceMerge: ['series'] });
  }, [option]);

  return <div ref={place} role="img" aria-label={summary} style={{ height }} />;
}
