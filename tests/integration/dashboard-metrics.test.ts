/** Metrics, health, history and log of a real server; and whether what watches them names what there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { definitions } from '../../shared/metrics/definitions.ts';
import { logLines } from '../../shared/metrics/log-lines.ts';
import { recorder } from '../../shared/metrics/recorder.ts';
import { packageRoot } from '../../shared/paths.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';

let bench: QueueBench;
let dashboard: TestDashboard;

beforeAll(async () => {
  bench = await openBench('postgresql');
  dashboard = await startTestDashboard(bench);
});
afterAll(async () => {
  await dashboard?.close();
  await bench?.close();
});

const line = /^([a-zA-Z_:][\w:]*)(\{[^{}]*\})? (-?[\d.e+-]+|NaN|[+-]Inf)$/;

/** Samples by name; what is no line of Prometheus' format is an error. */
function parse(text: string): {
  samples: Map<string, { labels: string; value: number }[]>;
  typed: Set<string>;
} {
  const samples = new Map<string, { labels: string; value: number }[]>();
  const typed = new Set<string>();
  for (const row of text.split('\n').filter(Boolean)) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(row);
    if (type) typed.add(type[1]!);
    if (row.startsWith('#')) continue;
    const found = line.exec(row);
    if (!found) throw new Error(`no line of the format: ${row}`);
    const [, name, labels = '', value] = found;
    samples.set(name!, [...(samples.get(name!) ?? []), { labels, value: Number(value) }]);
  }
  return { samples, typed };
}

test('what processes count is told to Prometheus, in its own format', async () => {
  const labels = { stage: 'preview', outcome: 'done' };
  for (const seconds of [0.02, 0.2, 20_000_000])
    recorder.observe('hiphop_job_duration_seconds', labels, seconds);
  recorder.count('hiphop_recordings_ready_total', { kind: 'track' }, 5);
  await recorder.flush(bench.database.pool);
  recorder.observe('hiphop_job_duration_seconds', labels, 0.2);
  await recorder.flush(bench.database.pool);
  const { samples, typed } = parse((await dashboard.ask('GET', '/metrics')).text);
  for (const name of Object.keys(definitions)) expect(typed).toContain(name);
  const of = (name: string, part: string) =>
    samples.get(name)!.find((row) => row.labels.includes(part))!.value;
  expect(of('hiphop_job_duration_seconds_count', 'stage="preview"')).toBe(4);
  expect(of('hiphop_job_duration_seconds_bucket', 'le="0.025",outcome="done",stage="preview"')).toBe(1);
  expect(of('hiphop_job_duration_seconds_bucket', 'le="0.25",outcome="done",stage="preview"')).toBe(3);
  expect(of('hiphop_job_duration_seconds_bucket', 'le="28800",outcome="done",stage="preview"')).toBe(3);
  expect(of('hiphop_job_duration_seconds_bucket', 'le="+Inf",outcome="done",stage="preview"')).toBe(4);
  expect(of('hiphop_recordings_ready_total', 'kind="track"')).toBe(5);
  expect(samples.get('hiphop_queue_jobs')!.length).toBeGreaterThan(20);
  expect(samples.get('hiphop_database_bytes')![0]!.value).toBeGreaterThan(1e6);

  const history = (await dashboard.ask('GET', '/api/history?span=24h')).json;
  const preview = history.stages.find(({ stage }: { stage: string }) => stage === 'preview');
  expect(preview.done.at(-1)).toBe(4);
  expect(history.ready.at(-1)).toBe(5);
  expect(history.spans).toHaveLength(24);
});

test('alerts and the Grafana dashboard name metrics that there are', async () => {
  const { samples, typed } = parse((await dashboard.ask('GET', '/metrics')).text);
  const known = (name: string) =>
    samples.has(name) || typed.has(name) || typed.has(name.replace(/_(bucket|sum|count)$/, ''));
  const grafana = readFileSync(join(packageRoot, 'monitoring/grafana-dashboard.json'), 'utf8');
  const { panels } = JSON.parse(grafana) as { panels: { targets: { expr: string }[] }[] };
  expect(panels.length).toBeGreaterThan(10);
  const alerts = readFileSync(join(packageRoot, 'monitoring/alerts.yml'), 'utf8');
  const named = `${grafana}\n${alerts}`.match(/\bhiphop_\w+/g)!;
  expect(new Set(named).size).toBeGreaterThan(15);
  for (const name of new Set(named)) expect([name, known(name)]).toEqual([name, true]);
});

test('it lives, and says what it is not ready for', async () => {
  expect(await dashboard.ask('GET', '/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
  const { status, json } = await dashboard.ask('GET', '/readyz');
  expect(status).toBe(200);
  expect(json).toMatchObject({ ready: true, checks: { database: { ready: true }, queues: { ready: true } } });
  // However often it is asked, the database is asked once a second at most: 2 queries, and 1 of the queues.
  const query = vi.spyOn(bench.database.pool, 'query');
  const started = performance.now();
  for (let round = 0; round < 50; round++) await dashboard.ask('GET', '/readyz');
  const seconds = (performance.now() - started) / 1_000;
  const asked = query.mock.calls.filter(([text]) => text === 'SELECT 1').length;
  query.mockRestore();
  expect(asked).toBeLessThanOrEqual(1 + Math.ceil(seconds));
});

test('the log is searched on the server, by words, level and stage, and downloaded', async () => {
  const at = Date.now();
  const take = (level: number, msg: string, more: object = {}) =>
    logLines.take(
      `${JSON.stringify({ level, time: at, pid: 1, hostname: 'h', name: 'worker', msg, ...more })}\n`,
    );
  take(30, 'fetched the preview of a song', { stage: 'preview', job: 'preview-track-1-x' });
  take(50, 'the spectrogram could not be stored', { stage: 'spectrogram', err: { message: 'disk full' } });
  take(20, 'too detailed to be kept');
  await logLines.flush(bench.database.pool, 'worker');
  const messages = async (query: string) =>
    (await dashboard.ask('GET', `/api/logs?${query}`)).json.items.map(
      ({ message }: { message: string }) => message,
    );
  expect(await messages('text=spectro+stored')).toEqual(['the spectrogram could not be stored']);
  expect(await messages('level=error')).toEqual(['the spectrogram could not be stored']);
  expect(await messages('job=preview-track-1-x')).toEqual(['fetched the preview of a song']);
  expect(await messages('text=detailed')).toEqual([]);
  const download = await dashboard.ask('GET', '/api/logs.txt?process=worker');
  expect(download.headers['content-disposition']).toContain('attachment');
  expect(download.text.split('\n').filter(Boolean)).toHaveLength(2);
  expect(download.text).toContain('ERROR');
});
