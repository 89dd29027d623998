/** What a server that has run for a season holds beside its catalogue. */
import type pg from 'pg';
import { boundsOf, labelText, type MetricName } from '../../shared/metrics/definitions.ts';
import { stageNames } from '../../shared/stages.ts';

export interface ActivitySize {
  /** Of measurements, by the hour. */
  days: number;
  logLines: number;
  batches: number;
  songsABatch: number;
  auditEntries: number;
  schedules: number;
  nightsASchedule: number;
}

export async function fillActivity(pool: pg.Pool, size: ActivitySize): Promise<void> {
  await measurements(pool, size.days);
  await logLines(pool, size.logLines);
  await songs(pool, size.batches, size.songsABatch);
  await pool.query(
    `INSERT INTO audit_entries (at, who, action, target, details, status, reason)
     SELECT now() - n * interval '10 minutes', (array['anna', 'ben', 'local'])[1 + n % 3],
       (array['POST /crawls', 'POST /models/{model}/promote', 'POST /failures/retry'])[1 + n % 3], 'model-' || 1 + n % 40,
       '{"reason": "to try it on new songs"}', CASE WHEN n % 9 = 0 THEN 403 ELSE 200 END,
       CASE WHEN n % 9 = 0 THEN 'only operators may do this' END
     FROM generate_series(1, $1::int) n`,
    [size.auditEntries],
  );
  await nights(pool, size.schedules, size.nightsASchedule);
  await pool.query(
    `INSERT INTO worker_processes (id, host, pid, stages, backend) VALUES
       ('bench-1', 'north', 11, '{preview,embedding,spectrogram}', NULL), ('bench-2', 'south', 12, '{train,score}', 'wasm')`,
  );
  await pool.query('ANALYZE');
}

/** What is counted by the hour: each series of a metric that a busy pipeline has. */
async function measurements(pool: pg.Pool, days: number): Promise<void> {
  const series: { name: MetricName; labels: string }[] = [];
  const add = (name: MetricName, labels: Record<string, string>) =>
    series.push({ name, labels: labelText(labels) });
  for (const stage of stageNames) {
    for (const outcome of ['done', 'skipped', 'failed', 'retried'])
      add('hiphop_job_duration_seconds', { stage, outcome });
  }
  for (const service of ['spotify', 'deezer', 'preview']) {
    for (const status of ['200', '404', '429', '500', 'none'])
      add('hiphop_outside_request_duration_seconds', { service, status });
    add('hiphop_outside_wait_seconds', { service });
  }
  for (let route = 0; route < 60; route++) {
    add('hiphop_http_request_duration_seconds', {
      method: 'GET',
      route: `/api/route-${route}`,
      status: '200',
    });
  }
  for (const process of ['worker', 'dashboard', 'up']) {
    for (const level of ['info', 'warn', 'error']) add('hiphop_log_lines_total', { process, level });
  }
  for (const kind of ['track', 'song']) add('hiphop_recordings_ready_total', { kind });
  for (const model of ['crnn', 'musicnn']) add('hiphop_training_epoch_duration_seconds', { model });
  add('hiphop_score_latency_seconds', {});
  for (const { name, labels } of series) {
    const bounds = boundsOf(name).length;
    const buckets = bounds === 0 ? [] : Array.from({ length: bounds + 1 }, (_, index) => index * 3);
    const count = bounds === 0 ? 0 : buckets.reduce((sum, one) => sum + one, 0);
    await pool.query(
      `INSERT INTO measurements (name, labels, hour, count, sum, buckets)
       SELECT $1, $2, hour, $3, 1000, $4 FROM (
         SELECT date_trunc('hour', now()) - n * interval '1 hour' AS hour FROM generate_series(0, $5::int - 1) n
         UNION ALL SELECT to_timestamp(0)) hours`,
      [name, labels, count, buckets, days * 24],
    );
  }
}

async function logLines(pool: pg.Pool, lines: number): Promise<void> {
  await pool.query(
    `INSERT INTO log_lines (at, level, host, pid, process, stage, job, message, fields)
     SELECT now() - ($1::int - n) * interval '3 seconds', (array[30, 30, 30, 30, 30, 30, 30, 30, 40, 50])[1 + n % 10], 'north', 11,
       'worker', (array['preview', 'embedding', 'spectrogram'])[1 + n % 3], 'preview-track-' || n || '-0123456789abcdef',
       (array['fetched the preview', 'the tagger has listened', 'made the spectrogram'])[1 + n % 3] || ' of ' || substr(md5(n::text), 1, 8),
       '{"attempt": 1, "ms": 120}'
     FROM generate_series(1, $1::int) n`,
    [lines],
  );
}

/** Judged by the champion; a song in twenty failed. */
async function songs(pool: pg.Pool, batches: number, each: number): Promise<void> {
  await pool.query(
    `INSERT INTO score_batches (model_id, name, state, created_at, finished_at)
     SELECT (SELECT model_id FROM promotions ORDER BY id DESC LIMIT 1), 'Demos of week ' || n, 'done',
       now() - n * interval '1 hour', now() FROM generate_series(1, $1::int) n`,
    [batches],
  );
  await pool.query(
    `INSERT INTO songs (batch_id, file, location, title, state, failure_reason, content_hash, warnings)
     SELECT 1 + n / $2, 'Demo ' || substr(md5(n::text), 1, 6) || '.mp3', 'upload:' || md5(n::text), 'Demo ' || n / 3,
       (CASE WHEN n % 20 = 7 THEN 'failed' ELSE 'scored' END)::"SongState", CASE WHEN n % 20 = 7 THEN 'it is no audio' END,
       md5((1 + n)::text), '{}' FROM generate_series(0, $1::int * $2::int - 1) n`,
    [batches, each],
  );
  await pool.query(
    `INSERT INTO scores (song_id, probability, percentile, rank, unfamiliarity, compared_by)
     SELECT id, (id * 7919 % 1000) / 1000.0, id * 7919 % 100, 1 + id % 10, id % 100, 'mel statistics'
     FROM songs WHERE state = 'scored'`,
  );
  await pool.query(
    `INSERT INTO failures (stage, kind, reason, cause, subject, song_id, payload, updated_at)
     SELECT 'spectrogram', 'permanent', 'it is no audio', 'it is no audio', file, id,
       jsonb_build_object('kind', 'song', 'id', id, 'parametersHash', '0123456789abcdef'), now()
     FROM songs WHERE state = 'failed'`,
  );
}

async function nights(pool: pg.Pool, schedules: number, each: number): Promise<void> {
  const options = {
    crawl: { source: 'spotify', genre: 'hip-hop', years: null, market: 'US', limit: null },
    freeze: { threshold: 'median', holdout: 0.1, test: 0.15, seed: 1 },
    train: { models: 'auto', preset: null, crossValidate: null, always: false },
    deadlineHours: 12,
  };
  const at = new Date().toISOString();
  const steps = (['crawl', 'freeze', 'train'] as const).map((name, index) => ({
    ...{ name, state: 'done', startedAt: at, finishedAt: at, newestBefore: index },
    ...{ worksOn: ['crawl-2', 'data-set-1', 'run-1'][index], outcome: 'as it should' },
  }));
  await pool.query(
    `INSERT INTO schedules (name, cron, timezone, steps, options)
     SELECT 'nightly-' || n, '0 3 * * *', 'Europe/Berlin', '{crawl,freeze,train}', $2::jsonb FROM generate_series(1, $1::int) n`,
    [schedules, JSON.stringify(options)],
  );
  await pool.query(
    `INSERT INTO schedule_runs (schedule_id, schedule_name, job_id, state, steps, options, started_at, deadline_at, finished_at)
     SELECT s.id, s.name, 'night-' || s.id || '-' || n, 'done', $2::jsonb, $3::jsonb, now() - n * interval '1 day',
       now() - n * interval '1 day' + interval '12 hours', now() - n * interval '1 day' + interval '3 hours'
     FROM schedules s, generate_series(1, $1::int) n`,
    [each, JSON.stringify({ worker: null, steps }), JSON.stringify(options)],
  );
}
