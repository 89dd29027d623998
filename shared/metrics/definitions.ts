/**
 * All that processes count, in one table: what is stored in the database, told to Prometheus and drawn on
 * the page of the history is named here and nowhere else.
 */

export interface Definition {
  type: 'counter' | 'histogram';
  /** What Prometheus shows people. */
  help: string;
  labels: readonly string[];
  /**
   * Upper bounds of a histogram's buckets, in its unit. Stored counts are by place: who changes bounds
   * gives the metric another name.
   */
  bounds?: readonly number[];
}

/** Jobs take milliseconds (a page of a search) to hours (a network), in seconds. */
const jobSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 28_800];
/** Requests are given up after a minute at most, in seconds. */
const requestSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const waitSeconds = [1, 2, 5, 10, 30, 60, 300, 900, 3_600];
const epochSeconds = [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600];
const latencySeconds = [1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400];

export const definitions = {
  hiphop_job_duration_seconds: {
    type: 'histogram',
    help: 'Runs of jobs by stage and outcome (done, skipped, failed, retried, handed_back, cancelled, waited), with their duration',
    labels: ['outcome', 'stage'],
    bounds: jobSeconds,
  },
  hiphop_outside_request_duration_seconds: {
    type: 'histogram',
    help: 'Requests to the outside by service and HTTP status (none: no whole answer came), until the headers for previews, else until the whole answer',
    labels: ['service', 'status'],
    bounds: requestSeconds,
  },
  hiphop_outside_wait_seconds: {
    type: 'histogram',
    help: 'How long services outside asked to be left alone (429 and quota errors)',
    labels: ['service'],
    bounds: waitSeconds,
  },
  hiphop_recordings_ready_total: {
    type: 'counter',
    help: 'Recordings that got their spectrogram, by kind: track (of the catalogue) or song (to be judged)',
    labels: ['kind'],
  },
  hiphop_training_epoch_duration_seconds: {
    type: 'histogram',
    help: 'Epochs trained by family of model: from one that was reported to the next, judging between them included',
    labels: ['model'],
    bounds: epochSeconds,
  },
  hiphop_score_latency_seconds: {
    type: 'histogram',
    help: 'From the moment that a song was taken in to its first score',
    labels: [],
    bounds: latencySeconds,
  },
  hiphop_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Requests to the dashboard by method, route and status, with the time to the end of the answer; event streams are left out',
    labels: ['method', 'route', 'status'],
    bounds: requestSeconds,
  },
  hiphop_log_lines_total: {
    type: 'counter',
    help: 'Lines logged at level info and above, by process and level',
    labels: ['level', 'process'],
  },
  hiphop_log_lines_dropped_total: {
    type: 'counter',
    help: 'Lines that were logged but not kept in the database: too many a second, or the database was away for long',
    labels: ['process'],
  },
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof definitions;
type OfType<Type> = {
  [Name in MetricName]: (typeof definitions)[Name]['type'] extends Type ? Name : never;
}[MetricName];
export type CounterName = OfType<'counter'>;
export type HistogramName = OfType<'histogram'>;
export type LabelsOf<Name extends MetricName> = Record<(typeof definitions)[Name]['labels'][number], string>;

export const metricNames = Object.keys(definitions) as MetricName[];

/** Bounds of a histogram; none for a counter. */
export function boundsOf(name: MetricName): readonly number[] {
  const definition: Definition = definitions[name];
  return definition.bounds ?? [];
}

/** Labels in Prometheus' notation, sorted by name: `outcome="done",stage="preview"`. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}="${escapeLabel(labels[name]!)}"`)
    .join(',');
}

const escapeLabel = (value: string) =>
  // PostgreSQL's text has no NUL.
  value.replaceAll('\0', '').replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));

/** The labels of a text that `labelText` made. */
export function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[name!] = value!.replace(/\\(.)/g, (_, found) => (found === 'n' ? '\n' : found));
  }
  return labels;
}
