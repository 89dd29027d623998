/** What processes counted, in Prometheus' text format (version 0.0.4). */
import { boundsOf, definitions, labelText, metricNames } from '../../shared/metrics/definitions.ts';
import type { Total } from '../../shared/metrics/read.ts';

/** @param totals sums over all hours of all processes, in any order */
export function exposition(totals: readonly Total[]): string {
  return metricNames
    .map((name) => {
      const { type, help } = definitions[name];
      const head = `# HELP ${name} ${help.replace(/[\\\n]/g, ' ')}\n# TYPE ${name} ${type}\n`;
      const rows = totals.filter((total) => total.name === name);
      return head + rows.map((row) => (type === 'counter' ? counter(row) : histogram(row))).join('');
    })
    .join('');
}

function counter({ name, labels, sum }: Total): string {
  return `${name}${braces(labels)} ${sum}\n`;
}

function histogram({ name, labels, count, sum, buckets }: Total): string {
  const bounds = boundsOf(name);
  let below = 0;
  const lines = bounds.map((bound, index) => {
    below += buckets[index] ?? 0;
    return `${name}_bucket${braces({ ...labels, le: String(bound) })} ${below}\n`;
  });
  return [
    ...lines,
    `${name}_bucket${braces({ ...labels, le: '+Inf' })} ${count}\n`,
    `${name}_sum${braces(labels)} ${sum}\n`,
    `${name}_count${braces(labels)} ${count}\n`,
  ].join('');
}

const braces = (labels: Record<string, string>) => {
  const text = labelText(labels);
  return text === '' ? '' : `{${text}}`;
};
