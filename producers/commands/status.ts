import type { Command } from 'commander';
import { settleCrawls } from '../../shared/crawls/lifecycle.ts';
import { aliveWorkers } from '../../shared/heartbeat.ts';
import { publicId } from '../../shared/identifiers.ts';
import { findChampion } from '../../shared/registry/index.ts';
import { runInSession } from '../cli.ts';
import { print, printJson, table } from '../output.ts';
import type { Session } from '../session.ts';

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('what runs, what waits, what failed')
    .option('--json', 'print it as JSON')
    .action((options: { json?: boolean }) =>
      runInSession(async (session) => {
        const status = await readStatus(session);
        if (options.json) printJson(status);
        else print(describe(status));
      }),
    );
}

type Status = Awaited<ReturnType<typeof readStatus>>;

export async function readStatus(session: Session) {
  const { prisma } = session.database;
  await settleCrawls(session.database.pool, session.queues);
  const [tracks, spectrograms, failures, dataSets, models, crawls, batches, nights, workers, champion] =
    await Promise.all([
      prisma.track.groupBy({ by: ['state'], _count: true }),
      prisma.spectrogram.count(),
      prisma.failure.count({ where: { state: 'open' } }),
      prisma.dataSet.count(),
      prisma.model.findMany({ where: { state: { in: ['queued', 'training'] } }, orderBy: { id: 'asc' } }),
      prisma.crawl.findMany({ where: { state: 'running' }, orderBy: { id: 'asc' } }),
      prisma.scoreBatch.findMany({ where: { state: 'running' }, orderBy: { id: 'asc' } }),
      prisma.scheduleRun.findMany({ where: { state: 'running' }, orderBy: { id: 'asc' } }),
      aliveWorkers(prisma),
      findChampion(prisma),
    ]);
  return {
    database: { kind: session.database.kind },
    queues: { kind: session.queues.kind, stages: await session.queues.allCounts() },
    tracks: {
      total: tracks.reduce((sum, group) => sum + group._count, 0),
      byState: Object.fromEntries(tracks.map((group) => [group.state, group._count])),
    },
    spectrograms,
    dataSets,
    openFailures: failures,
    running: {
      crawls: crawls.map(({ id, query, startedAt }) => ({ id: publicId('crawl', id), query, startedAt })),
      models: models.map(({ id, name, state, progress }) => ({
        id: publicId('model', id),
        name,
        state,
        progress,
      })),
      batches: batches.map(({ id, createdAt }) => ({ id: publicId('batch', id), createdAt })),
      nights: nights.map(({ id, scheduleName, startedAt }) => ({
        ...{ id: publicId('night', id), schedule: scheduleName, startedAt },
      })),
    },
    workers: workers.map(({ host, pid, stages, startedAt }) => ({ host, pid, stages, startedAt })),
    champion: champion ? { id: publicId('model', champion.id), name: champion.name } : null,
  };
}

function describe(status: Status): string {
  const queues = Object.entries(status.queues.stages).map(([stage, counts]) => [
    ...[stage, counts.waiting, counts.active, counts.delayed, counts.failed],
    counts.paused ? 'paused' : '',
  ]);
  const states = Object.entries(status.tracks.byState).map(([state, count]) => `${count} ${state}`);
  const { crawls, models, batches, nights } = status.running;
  return [
    `tracks: ${status.tracks.total}${states.length > 0 ? ` (${states.join(', ')})` : ''}; spectrograms: ${status.spectrograms}; data sets: ${status.dataSets}`,
    `open failures: ${status.openFailures}${status.openFailures > 0 ? ' (hiphop failures lists them)' : ''}`,
    `champion: ${status.champion ? `${status.champion.id} (${status.champion.name})` : 'none yet'}`,
    '',
    `queues on ${status.queues.kind === 'redis' ? 'Redis' : 'PostgreSQL'}, database ${status.database.kind}`,
    table(['stage', 'waiting', 'active', 'delayed', 'failed', ''], queues),
    '',
    ...crawls.map(({ id, startedAt }) => `${id} runs since ${startedAt.toISOString()}`),
    ...models.map(({ id, name, state }) => `${id} (${name}) is ${state}`),
    ...batches.map(({ id }) => `${id} is being scored`),
    ...nights.map(
      ({ id, schedule, startedAt }) => `${id} of ${schedule} runs since ${startedAt.toISOString()}`,
    ),
    ...(status.workers.length === 0
      ? ['no worker is alive: hiphop up starts them, and commands start their own']
      : status.workers.map(
          ({ host, pid, stages, startedAt }) =>
            `worker ${pid} on ${host}: ${stages.join(', ')}, since ${startedAt.toISOString()}`,
        )),
  ].join('\n');
}
