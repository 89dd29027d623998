/** What processes counted, in Prometheus' text format (version 0.0.4). */
import {
  boundsOf,
  definitions,
  labelText,
  type MetricName,
  metricNames,
} from '../../shared/metrics/definitions.ts';
import { services } from '../../shared/metrics/outside.ts';
import type { Total } from '../../shared/metrics/read.ts';
import { stageNames } from '../../shared/stages.ts';

/** @param totals sums over all hours of all processes, in any order */
export function exposition(totals: readonly Total[]): string {
  return metricNames
    .map((name) => {
      const { type, help } = definitions[name];
      const head = `# HELP ${name} ${help.replace(/[\\\n]/g, ' ')}\n# TYPE ${name} ${type}\n`;
      const rows = withZeros(
        name,
        totals.filter((total) => total.name === name),
      );
      return head + rows.map((row) => (type === 'counter' ? counter(row) : histogram(row))).join('');
    })
    .join('');
}

/** What alerts watch for: from 0 on, or the first of it would be no increase to `rate`. */
const watched: Partial<Record<MetricName, Record<string, string>[]>> = {
  hiphop_job_duration_seconds: stageNames.flatMap((stage) =>
    ['done', 'failed', 'retried'].map((outcome) => ({ outcome, stage })),
  ),
  hiphop_outside_request_duration_seconds: services.flatMap((service) =>
    ['200', '429', 'none'].map((status) => ({ service, status })),
  ),
  hiphop_recordings_ready_total: [{ kind: 'track' }, { kind: 'song' }],
};

function withZeros(name: MetricName, totals: readonly Total[]): Total[] {
  const known = new Set(totals.map(({ labels }) => labelText(labels)));
  const zeros = (watched[name] ?? []).filter((labels) => !known.has(labelText(labels)));
  return [...totals, ...zeros.map((labels) => ({ name, labels, count: 0, sum: 0, buckets: [] }))];
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
