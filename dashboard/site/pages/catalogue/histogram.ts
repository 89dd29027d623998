interface Bin {
  from: number;
  to: number;
  count: number;
}

/**
 * Draw bins of equal width on an axis of numbers, and a line among them. (On an axis of names echarts moves
 * a line to the middle of the nearest bar.)
 *
 * @param mark where the line stands; null: none
 */
export function histogramOption(bins: readonly Bin[], mark: number | null) {
  const [first] = bins as [Bin];
  return {
    grid: { left: 50, right: 16, top: 12, bottom: 30 },
    tooltip: {
      ...{ trigger: 'axis', axisPointer: { type: 'shadow' } },
      formatter: ([{ dataIndex }]: [{ dataIndex: number }]) => {
        const { from, to, count } = bins[dataIndex]!;
        return `${from}–${to}: ${count}`;
      },
    },
    xAxis: {
      ...{ type: 'value', min: first.from, max: bins.at(-1)!.to, interval: first.to - first.from },
      // The bars fill it as it is: no room is wanted beyond the first and the last.
      containShape: false,
      splitLine: { show: false },
    },
    yAxis: { type: 'value', minInterval: 1 },
    series: [
      {
        ...{ type: 'bar', name: 'tracks', data: bins.map(({ from, to, count }) => [(from + to) / 2, count]) },
        ...(mark === null
          ? {}
          : {
              markLine: {
                ...{ symbol: 'none', label: { show: false }, data: [{ xAxis: mark }] },
                // Seen on bars and on the ground, by light and by dark.
                lineStyle: { color: '#e0662f', width: 2 },
              },
            }),
      },
    ],
  };
}
