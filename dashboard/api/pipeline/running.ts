/** What is under way and what comes next, besides the queues. */
import type { Session } from '../../../producers/session.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { findChampion } from '../../../shared/registry/index.ts';
import { nextTime } from '../../../shared/schedules/definition.ts';
import { readNight } from '../../../shared/schedules/nights.ts';
import { nextFiring } from '../../../shared/schedules/sync.ts';
import type { PipelineSnapshot } from './schemas.ts';
import { askedFor } from './words.ts';

type Running = PipelineSnapshot['running'];

/** The home page shows so many nights. */
const nightsShown = 7;
/** At most so many of each kind. */
const most = 20;

export async function readRunning({ database }: Session): Promise<Running> {
  const { prisma, pool } = database;
  const [crawls, models, nights, batches] = await Promise.all([
    prisma.crawl.findMany({ where: { state: 'running' }, orderBy: { id: 'asc' }, take: most }),
    prisma.model.findMany({
      where: { state: { in: ['queued', 'training'] } },
      orderBy: { id: 'asc' },
      take: most,
      select: { id: true, name: true, state: true, progress: true, createdAt: true, startedAt: true },
    }),
    prisma.scheduleRun.findMany({ where: { state: 'running' }, orderBy: { id: 'asc' }, take: most }),
    pool.query<{ id: number; createdAt: Date; done: number; total: number }>(
      `SELECT b.id, b.created_at AS "createdAt", count(*) FILTER (WHERE s.state IN ('scored', 'failed'))::int AS done,
         count(*)::int AS total FROM score_batches b JOIN songs s ON s.batch_id = b.id
       WHERE b.state = 'running' GROUP BY b.id ORDER BY b.id LIMIT $1`,
      [most],
    ),
  ]);
  return [
    ...crawls.map(({ id, source, query, startedAt }) => ({
      ...{ id: publicId('crawl', id), what: `crawl of ${askedFor(source, query)}` },
      ...{ since: startedAt.toISOString(), done: null, total: null, noun: 'tracks' },
    })),
    ...models.map(({ id, name, state, progress, createdAt, startedAt }) => {
      const { epoch = null, epochs = null } = (progress ?? {}) as { epoch?: number; epochs?: number };
      const counted = epochs !== null && epochs > 1;
      return {
        ...{ id: publicId('model', id), what: `${name} is ${state}` },
        ...{ since: (startedAt ?? createdAt).toISOString(), noun: 'epochs at most' },
        ...{ done: counted ? epoch : null, total: counted ? epochs : null },
      };
    }),
    ...batches.rows.map(({ id, createdAt, done, total }) => ({
      ...{ id: publicId('batch', id), what: 'songs are judged', since: createdAt.toISOString() },
      ...{ done, total, noun: 'songs' },
    })),
    ...nights.map((row) => {
      const { id, scheduleName, startedAt, steps } = readNight(row);
      const over = steps.filter(({ state }) => state !== 'waiting' && state !== 'running').length;
      const at = steps.find(({ state }) => state === 'running');
      return {
        ...{ id: publicId('night', id), what: `night of ${scheduleName}${at ? `: ${at.name}` : ''}` },
        ...{ since: startedAt.toISOString(), done: over, total: steps.length, noun: 'steps' },
      };
    }),
  ];
}

export async function readLastNights({ database }: Session): Promise<PipelineSnapshot['nights']> {
  const rows = await database.prisma.scheduleRun.findMany({ orderBy: { id: 'desc' }, take: nightsShown });
  return rows.map((row) => {
    const { id, scheduleName, state, reason, startedAt, finishedAt, steps } = readNight(row);
    return {
      ...{ night: publicId('night', id), schedule: scheduleName, state, reason },
      ...{ startedAt: startedAt.toISOString(), finishedAt: finishedAt?.toISOString() ?? null },
      steps: steps.map((step) => ({ step: step.name, state: step.state })),
    };
  });
}

export async function readNext({ database, queues }: Session): Promise<PipelineSnapshot['next']> {
  const schedules = await database.prisma.schedule.findMany({ where: { paused: false } });
  const due = await Promise.all(
    schedules.map(async ({ id, name, cron, timezone }) => {
      const next = (await nextFiring(queues, id)) ?? nextTime(cron, timezone);
      return next ? [{ schedule: name, at: next.toISOString(), timezone }] : [];
    }),
  );
  return due.flat().sort((a, b) => (a.at < b.at ? -1 : 1));
}

export async function readChampion({ database }: Session): Promise<PipelineSnapshot['champion']> {
  const champion = await findChampion(database.prisma);
  return champion && { model: publicId('model', champion.id), name: champion.name };
}
