/** Cancel work by its public id: what waits is taken out, what runs is stopped, what is done stays. */

import type { ScoreBatch } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { type Noun, parsePublicId, publicId } from '../shared/identifiers.ts';
import { finishTrainingRun } from '../shared/registry/index.ts';
import { changeNight, isOwnWork } from '../shared/schedules/nights.ts';
import { everyAudioStage } from '../shared/stages.ts';
import type { Session } from './session.ts';
import { countWaiting, sweepCrawl } from './sweep.ts';

/** Whether to wait until the queues are rid of it; else that goes on by itself, and trouble is logged. */
export interface Patience {
  wait: boolean;
}

/**
 * Cancel a crawl, a training run, a model, a batch or a night. Returns what was done, in one line.
 * @throws UserError when there is no such thing
 */
export async function cancel(
  session: Session,
  text: string,
  patience: Patience = { wait: true },
): Promise<string> {
  const { noun, id } = parsePublicId(text, ['crawl', 'run', 'model', 'batch', 'night']);
  const done = await cancellers[noun as keyof typeof cancellers](session, id, patience);
  if (done === null) throw new UserError(`there is no ${publicId(noun as Noun, id)}`);
  return done;
}

const cancellers = {
  crawl: cancelCrawl,
  run: cancelRun,
  model: cancelModel,
  batch: cancelBatch,
  night: cancelNight,
};

async function cancelCrawl(session: Session, id: number, { wait }: Patience): Promise<string | null> {
  const { prisma } = session.database;
  const crawl = await prisma.crawl.findUnique({ where: { id } });
  if (!crawl) return null;
  const name = publicId('crawl', id);
  // The row says at once that nothing of it is wanted: jobs that are met from here on end by themselves.
  const { count } = await prisma.crawl.updateMany({
    where: { id, state: 'running' },
    data: { state: 'cancelled', finishedAt: new Date(), runningKey: null },
  });
  if (count === 0) return `${name} is ${crawl.state} already`;
  const waiting = await countWaiting(session, id);
  const swept = sweepCrawl(session, id);
  if (wait) await swept;
  else swept.catch((error) => session.log.warn({ err: error, crawl: name }, 'its jobs stay in the queues'));
  const tracks = `${waiting.tracks} tracks were taken out of the queues`;
  if (crawl.source !== 'spotify') return `${name} is cancelled: ${tracks}; ingest again to go on`;
  return `${name} is cancelled: ${waiting.pages} pages and ${tracks}; hiphop resume ${name} goes on`;
}

async function cancelRun(session: Session, id: number): Promise<string | null> {
  const run = await session.database.prisma.trainingRun.findUnique({
    where: { id },
    include: { models: true },
  });
  if (!run) return null;
  const lines: string[] = [];
  for (const model of run.models) lines.push((await cancelModel(session, model.id))!);
  return lines.join('; ');
}

async function cancelModel(session: Session, id: number): Promise<string | null> {
  const { prisma } = session.database;
  const model = await prisma.model.findUnique({ where: { id } });
  if (!model) return null;
  const name = publicId('model', id);
  if (model.state !== 'queued' && model.state !== 'training') return `${name} is ${model.state} already`;
  // A worker that trains it sees this mark within a second, on whichever machine it is.
  await prisma.model.update({ where: { id }, data: { cancelRequestedAt: new Date() } });
  if (!(await session.queues.remove('train', { modelId: id }))) return `${name} is being stopped`;
  await prisma.model.updateMany({
    where: { id, state: { in: ['queued', 'training'] } },
    data: { state: 'cancelled', finishedAt: new Date() },
  });
  await finishTrainingRun(prisma, id);
  return `${name} is cancelled`;
}

async function cancelBatch(session: Session, id: number): Promise<string | null> {
  const { prisma } = session.database;
  const batch = await prisma.scoreBatch.findUnique({ where: { id } });
  if (!batch) return null;
  const name = publicId('batch', id);
  if (batch.state !== 'running') return `${name} is ${batch.state} already`;
  await prisma.scoreBatch.update({ where: { id }, data: { state: 'cancelled', finishedAt: new Date() } });
  await session.queues.remove('score', { batchId: id });
  await removeSongs(session, batch);
  return `${name} is cancelled`;
}

/** What waits for the songs of a batch is taken out: their audio's stages, and explanations. */
async function removeSongs({ database, queues }: Session, { id, modelId }: ScoreBatch): Promise<void> {
  const { dataSet } = await database.prisma.model.findUniqueOrThrow({
    where: { id: modelId },
    select: { dataSet: { select: { parametersHash: true } } },
  });
  const songs = await database.prisma.song.findMany({
    where: { batchId: id },
    select: { id: true, state: true },
  });
  const underWay = songs.filter(({ state }) => state === 'queued' || state === 'fetched');
  const payloads = underWay.map((song) => ({ kind: 'song' as const, id: song.id, ...dataSet }));
  for (const stage of everyAudioStage) await queues.removeAll(stage, payloads);
  const scored = songs.filter(({ state }) => state === 'scored');
  await queues.removeAll(
    'score',
    scored.map((song) => ({ batchId: id, songId: song.id })),
  );
}

/** What a night has under way is cancelled with it; what it only joined goes on. */
async function cancelNight(session: Session, id: number, patience: Patience): Promise<string | null> {
  const { prisma } = session.database;
  const row = await prisma.scheduleRun.findUnique({ where: { id } });
  if (!row) return null;
  const name = publicId('night', id);
  // Its worker sees this within a second, on whichever machine it is.
  const night = await changeNight(prisma, id, {
    end: { state: 'cancelled', reason: 'cancelled by a person' },
  });
  if (!night) return `${name} is ${row.state} already`;
  const stopped = night.steps.find((step) => step.state === 'cancelled' && step.name !== 'freeze');
  const more =
    stopped?.worksOn && isOwnWork(stopped) ? await cancel(session, stopped.worksOn, patience) : null;
  return [`${name} is cancelled`, ...(more ? [more] : [])].join('; ');
}
