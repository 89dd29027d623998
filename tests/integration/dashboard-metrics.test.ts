/** Metrics, health and history of a real server; and whether what watches them names what there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { readOverdue } from '../../dashboard/metrics/overdue.ts';

import { definitions } from '../../shared/metrics/definitions.ts';
import { prune } from '../../shared/metrics/prune.ts';
import { recorder } from '../../shared/metrics/recorder.ts';
import { packageRoot } from '../../shared/paths.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { troublesOf } from '../support/promql.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';
import { givenModel } from '../support/songs.ts';

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

const line = /^([a-zA-Z_:][\w:]*)(\{[^{}]*\})? (-?[\d.e+-]+|NaN|[+-]Inf)$/i;

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
  // The hour may have turned meanwhile.
  const last = (counts: number[]) => counts.at(-2)! + counts.at(-1)!;
  expect(last(preview.done)).toBe(4);
  expect(last(history.ready)).toBe(5);
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

test('expressions of alerts and panels are built as PromQL is', () => {
  expect(troublesOf('sum by (x) (rate(hiphop_a{b="c"}[5m])) > 0')).toEqual([]);
  for (const wrong of [
    'sum(rate(hiphop_a[5m])',
    'hiphop_a{b=c}',
    'hiphop_a[5m] > 1',
    'rat(hiphop_a[5m])',
    'hiphop_a >',
  ])
    expect([wrong, troublesOf(wrong).length > 0]).toEqual([wrong, true]);
  const { groups } = parseYaml(readFileSync(join(packageRoot, 'monitoring/alerts.yml'), 'utf8')) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const { panels } = JSON.parse(
    readFileSync(join(packageRoot, 'monitoring/grafana-dashboard.json'), 'utf8'),
  ) as { panels: { title: string; targets: { expr: string }[] }[] };
  const named = [
    ...groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as const)),
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ];
  expect(named.length).toBeGreaterThan(30);
  for (const [name, expr] of named) expect([name, troublesOf(expr)]).toEqual([name, []]);
  for (const { annotations } of groups.flatMap(({ rules }) => rules))
    expect(Object.keys(annotations)).toEqual(['summary', 'action']);
});

test('what alerts watch for is counted from 0 on', async () => {
  const { samples } = parse((await dashboard.ask('GET', '/metrics')).text);
  const at = (name: string, ...parts: string[]) =>
    samples.get(name)?.find(({ labels }) => parts.every((part) => labels.includes(part)))?.value;
  expect(at('hiphop_job_duration_seconds_count', 'outcome="failed"', 'stage="train"')).toBe(0);
  expect(at('hiphop_outside_request_duration_seconds_count', 'service="deezer"', 'status="429"')).toBe(0);
  expect(at('hiphop_job_duration_seconds_bucket', 'le="+Inf"', 'outcome="failed"', 'stage="train"')).toBe(0);
});

test('a night is overdue by its own pattern', async () => {
  const { prisma } = bench.database;
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
  const due = hoursAgo(5);
  const daily = `${due.getUTCMinutes()} ${due.getUTCHours()} * * *`;
  const common = { timezone: 'UTC', steps: ['freeze'], options: {} };
  const made = { ...common, createdAt: hoursAgo(20) };
  await prisma.schedule.createMany({
    data: [
      { ...made, name: 'never-done', cron: daily },
      { ...made, name: 'done', cron: daily },
      { ...made, name: 'paused', cron: daily, paused: true },
      { ...made, name: 'resumed', cron: daily },
      { ...common, name: 'new', cron: daily },
      { ...made, name: 'yearly', cron: '0 0 1 1 *', createdAt: hoursAgo(1) },
    ],
  });
  const night = (scheduleName: string, finishedAt: Date) => ({
    ...{ scheduleName, jobId: scheduleName, state: 'done' as const, steps: [], options: {} },
    ...{ finishedAt, deadlineAt: finishedAt },
  });
  // One of a schedule that is gone pages nobody.
  await prisma.scheduleRun.createMany({
    data: [night('done', hoursAgo(4)), night('removed', hoursAgo(500))],
  });
  await prisma.auditEntry.create({
    data: {
      ...{ who: 'ops', action: 'POST /schedules/{schedule}/resume', target: 'resumed', status: 200 },
      at: hoursAgo(1),
    },
  });
  const late = Object.fromEntries(await readOverdue(prisma));
  expect(Object.keys(late).sort()).toEqual(['done', 'never-done', 'new', 'resumed', 'yearly']);
  expect(late['never-done']! / 3_600).toBeCloseTo(5, 1);
  expect([late['done'], late['new'], late['resumed']]).toEqual([0, 0, 0]);
  await prisma.schedule.deleteMany();
});

test('of the audit only what nobody by name tried long ago is removed', async () => {
  const { prisma, pool } = bench.database;
  const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 3_600_000);
  const entry = { action: 'POST /sign-in', status: 401 };
  await prisma.auditEntry.createMany({
    data: [
      { ...entry, who: 'nobody', at: daysAgo(31) },
      { ...entry, who: 'nobody', at: daysAgo(29) },
      { ...entry, who: 'ops', at: daysAgo(400) },
    ],
  });
  await prune(pool);
  const left = await prisma.auditEntry.findMany({ where: { status: 401 }, orderBy: { id: 'asc' } });
  expect(left.map(({ who, at }) => [who, at > daysAgo(30)])).toEqual([
    ['nobody', true],
    ['ops', false],
  ]);
});

test('where a training stopped is forgotten after a month, unless it may go on by itself', async () => {
  const { pool, prisma } = bench.database;
  const { trainingRunId, dataSetId, name } = await givenModel(prisma);
  const kept: number[] = [];
  for (const [state, days] of [
    ...[['cancelled', 31] as const, ['failed', 31] as const],
    ...[['cancelled', 29] as const, ['queued', 31] as const],
  ]) {
    const { id } = await prisma.model.create({
      data: { trainingRunId, dataSetId, name, state, options: {} },
    });
    await prisma.checkpoint.create({ data: { modelId: id, progress: {}, bytes: new Uint8Array([1]) } });
    await pool.query(
      `UPDATE checkpoints SET updated_at = now() - $1 * interval '1 day' WHERE model_id = $2`,
      [days, id],
    );
    if (days < 30 || state === 'queued') kept.push(id);
  }
  await prune(pool);
  const left = await prisma.checkpoint.findMany({ orderBy: { modelId: 'asc' } });
  expect(left.map(({ modelId }) => modelId)).toEqual(kept);
});

test('the history is summed up by the hour and by the day, and knows no hour to come', async () => {
  const { pool } = bench.database;
  await pool.query('DELETE FROM measurements');
  const buckets = `{${[0, 0, 2, ...Array(14).fill(0)].join()}}`;
  const add = (labels: string, hour: string, count: number) =>
    pool.query(
      `INSERT INTO measurements (name, labels, hour, count, sum, buckets)
       VALUES ('hiphop_job_duration_seconds', $1, date_trunc('hour', now()) + $2::interval, $3::int, $3::int, $4)`,
      [labels, hour, count, buckets],
    );
  await add('outcome="done",stage="lookup"', '-50 days', 2);
  await add('outcome="done",stage="lookup"', '-50 days 1 hour', 3);
  await add('outcome="skipped",stage="lookup"', '-50 days', 1);
  await add('outcome="done",stage="lookup"', '-120 days', 100);
  // Another machine's clock is ahead.
  await add('outcome="done",stage="lookup"', '3 days', 100);
  const { status, json } = await dashboard.ask('GET', '/api/history?span=90d');
  expect(status).toBe(200);
  const { done, p95Seconds } = json.stages.find(({ stage }: { stage: string }) => stage === 'lookup');
  expect(done).toHaveLength(90);
  expect(done.reduce((sum: number, count: number) => sum + count, 0)).toBe(6);
  const known = p95Seconds.filter((value: number | null) => value !== null);
  expect(known.length).toBeLessThanOrEqual(2); // the two hours may lie on either side of midnight
  for (const value of known) expect(value).toBeGreaterThan(0.025);
  // Answered from memory to all who look: what is counted meanwhile shows some seconds later.
  await add('outcome="done",stage="lookup"', '-10 days', 1_000);
  expect((await dashboard.ask('GET', '/api/history?span=90d')).json).toEqual(json);
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
