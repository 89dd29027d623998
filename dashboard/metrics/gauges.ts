/** What stands as it stands now: depths, workers, failures, training. Read at most every few seconds. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Session } from '../../producers/session.ts';
import { aliveWorkers } from '../../shared/heartbeat.ts';
import { publicId } from '../../shared/identifiers.ts';
import { findChampion, type ModelMetrics } from '../../shared/registry/index.ts';
import { stageNames } from '../../shared/stages.ts';
import type { EventHub } from '../events/hub.ts';
import { readOverdue } from './overdue.ts';

/** Readings are shared by all scrapes within this time, in milliseconds. */
const freshMs = 5_000;

export interface Gauges {
  text: () => Promise<string>;
}

export function createGauges(session: Session, events: EventHub): Gauges {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'hiphop_dashboard_' });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const gauges = {
    depth: gauge('hiphop_queue_jobs', 'Jobs in a queue by stage and state', ['stage', 'state']),
    oldest: gauge('hiphop_queue_oldest_waiting_seconds', 'How long the next job of a stage has waited', [
      'stage',
    ]),
    paused: gauge('hiphop_queue_paused', '1 while a stage is paused', ['stage']),
    workers: gauge('hiphop_workers', 'Worker processes alive by stage', ['stage']),
    failures: gauge('hiphop_open_failures', 'Failures that nobody has retried or dismissed, by stage', [
      'stage',
    ]),
    tracks: gauge('hiphop_tracks', 'Tracks of the catalogue by the state of their audio', ['state']),
    crawls: gauge('hiphop_crawls_running', 'Crawls under way'),
    loss: gauge('hiphop_training_loss', 'Loss of models that train, in nats', ['model', 'name', 'side']),
    epoch: gauge('hiphop_training_epoch', 'Epoch that a model is at', ['model', 'name']),
    seconds: gauge('hiphop_training_seconds', 'How long a model has been training', ['model', 'name']),
    champion: gauge('hiphop_champion_roc_auc', 'ROC-AUC of the champion on songs that it never heard', [
      'model',
      'name',
    ]),
    night: gauge('hiphop_last_night_finished_timestamp_seconds', 'When a night of a schedule was last done', [
      'schedule',
    ]),
    overdue: gauge(
      'hiphop_night_overdue_seconds',
      'How long ago a night of an unpaused schedule was due that has not been done since; 0: none',
      ['schedule'],
    ),
    database: gauge('hiphop_database_bytes', 'Size of the database'),
    streams: gauge('hiphop_event_streams', 'Browsers that follow events'),
  };
  let readAt = 0;
  let reading: Promise<void> = Promise.resolve();
  const refresh = () => {
    if (Date.now() - readAt < freshMs) return reading;
    readAt = Date.now();
    reading = read(session, gauges);
    reading.catch(() => {
      readAt = 0;
    });
    return reading;
  };
  return {
    text: async () => {
      await refresh();
      gauges.streams.set(events.listeners);
      return registry.metrics();
    },
  };
}

type Names = 'depth' | 'oldest' | 'paused' | 'workers' | 'failures' | 'tracks' | 'crawls';
type All = Record<
  Names | 'loss' | 'epoch' | 'seconds' | 'champion' | 'night' | 'overdue' | 'database' | 'streams',
  Gauge
>;

async function read({ database, queues }: Session, gauges: All): Promise<void> {
  const { prisma, pool } = database;
  const [counts, workers, failures, tracks, crawls, training, champion, nights, overdue, size] =
    await Promise.all([
      queues.allCounts(),
      aliveWorkers(prisma),
      prisma.failure.groupBy({ by: ['stage'], where: { state: 'open' }, _count: true }),
      prisma.track.groupBy({ by: ['state'], _count: true }),
      prisma.crawl.count({ where: { state: 'running' } }),
      prisma.model.findMany({
        where: { state: 'training' },
        select: { id: true, name: true, progress: true, startedAt: true },
      }),
      findChampion(prisma),
      prisma.scheduleRun.groupBy({
        by: ['scheduleName'],
        where: { state: 'done' },
        _max: { finishedAt: true },
      }),
      readOverdue(prisma),
      pool.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size'),
    ]);
  for (const gauge of Object.values(gauges)) gauge.reset();
  for (const stage of stageNames) {
    const { paused, ...states } = counts[stage];
    for (const [state, count] of Object.entries(states)) gauges.depth.set({ stage, state }, count);
    gauges.paused.set({ stage }, paused ? 1 : 0);
    gauges.workers.set({ stage }, workers.filter(({ stages }) => stages.includes(stage)).length);
    gauges.failures.set({ stage }, 0);
    if (counts[stage].waiting > 0) {
      const [next] = await queues.of(stage).getWaiting(0, 0);
      if (next) gauges.oldest.set({ stage }, Math.max(0, (Date.now() - next.timestamp) / 1000));
    } else gauges.oldest.set({ stage }, 0);
  }
  for (const { stage, _count } of failures) gauges.failures.set({ stage }, _count);
  for (const { state, _count } of tracks) gauges.tracks.set({ state }, _count);
  gauges.crawls.set(crawls);
  for (const { id, name, progress, startedAt } of training) {
    const labels = { model: publicId('model', id), name };
    const { epoch, trainLoss, testLoss } = (progress ?? {}) as Record<string, number | null | undefined>;
    if (typeof epoch === 'number') gauges.epoch.set(labels, epoch);
    if (typeof trainLoss === 'number') gauges.loss.set({ ...labels, side: 'train' }, trainLoss);
    if (typeof testLoss === 'number') gauges.loss.set({ ...labels, side: 'test' }, testLoss);
    if (startedAt) gauges.seconds.set(labels, (Date.now() - startedAt.getTime()) / 1000);
  }
  const metrics = champion?.metrics as unknown as ModelMetrics | undefined;
  const figure = metrics && (metrics.crossValidation ?? metrics.holdout).rocAuc;
  if (champion && typeof figure === 'number') {
    gauges.champion.set({ model: publicId('model', champion.id), name: champion.name }, figure);
  }
  for (const { scheduleName, _max } of nights) {
    if (_max.finishedAt) gauges.night.set({ schedule: scheduleName }, _max.finishedAt.getTime() / 1000);
  }
  for (const [schedule, seconds] of overdue) gauges.overdue.set({ schedule }, seconds);
  gauges.database.set(Number(size.rows[0]!.size));
}
