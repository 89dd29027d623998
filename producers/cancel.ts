/** Cancel work by its public id: what waits is taken out, what runs is stopped, what is done stays. */

import type { Crawl, ScoreBatch } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { type Noun, parsePublicId, publicId } from '../shared/identifiers.ts';
import { finishTrainingRun } from '../shared/registry/index.ts';
import { changeNight, isOwnWork } from '../shared/schedules/nights.ts';
import type { Session } from './session.ts';

/** Cancel a crawl, a training run, a model, a batch or a night. Returns what was done, in one line. */
export async function cancel(session: Session, text: string): Promise<string> {
  const { noun, id } = parsePublicId(text, ['crawl', 'run', 'model', 'batch', 'night']);
  const done = await cancellers[noun as keyof typeof cancellers](session, id);
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

async function cancelCrawl(session: Session, id: number): Promise<string | null> {
  const { prisma } = session.database;
  const crawl = await prisma.crawl.findUnique({ where: { id } });
  if (!crawl) return null;
  const name = publicId('crawl', id);
  if (crawl.state !== 'running') return `${name} is ${crawl.state} already`;
  await prisma.crawl.update({
    where: { id },
    data: { state: 'cancelled', finishedAt: new Date(), runningKey: null },
  });
  // The rows say at once that nothing of it is wanted: jobs that are met from here on end by themselves.
  const pages = await prisma.searchPage.findMany({
    where: { crawlId: id, state: 'queued' },
    select: { id: true },
  });
  const trackIds = await leaveTracks(session, crawl);
  await session.queues.removeAll(
    'search',
    pages.map((page) => ({ pageId: page.id })),
  );
  const hashes = (await prisma.spectrogramParameters.findMany({ select: { hash: true } })).map(
    ({ hash }) => hash,
  );
  for (const parametersHash of hashes) {
    const payloads = trackIds.map((track) => ({ kind: 'track' as const, id: track, parametersHash }));
    await session.queues.removeAll('preview', payloads);
    await session.queues.removeAll('embedding', payloads);
    await session.queues.removeAll('spectrogram', payloads);
    await session.queues.removeAll(
      'lookup',
      trackIds.map((trackId) => ({ trackId, crawlId: id, parametersHash })),
    );
  }
  const tracks = `${trackIds.length} tracks were taken out of the queues`;
  if (crawl.source !== 'spotify') return `${name} is cancelled: ${tracks}; ingest again to go on`;
  return `${name} is cancelled: ${pages.length} pages and ${tracks}; hiphop resume ${name} goes on`;
}

/**
 * The tracks that only this crawl waits for: what another that runs waits for goes on. Those of a source
 * that can be asked again wait for somebody to ask.
 */
async function leaveTracks({ database }: Session, { id, source }: Crawl): Promise<number[]> {
  const { rows } = await database.pool.query<{ id: number }>(
    `SELECT t.id FROM crawl_tracks ct JOIN tracks t ON t.id = ct.track_id
     WHERE ct.crawl_id = $1 AND t.state IN ('queued', 'fetched') AND NOT EXISTS (
       SELECT 1 FROM crawl_tracks other JOIN crawls c ON c.id = other.crawl_id
       WHERE other.track_id = t.id AND c.state = 'running')`,
    [id],
  );
  const ids = rows.map((row) => row.id);
  if (source === 'spotify') {
    await database.pool.query(
      `UPDATE tracks SET state = 'listed', updated_at = now() WHERE id = ANY($1) AND state = 'queued'`,
      [ids],
    );
  }
  return ids;
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
  await queues.removeAll('preview', payloads);
  await queues.removeAll('embedding', payloads);
  await queues.removeAll('spectrogram', payloads);
  const scored = songs.filter(({ state }) => state === 'scored');
  await queues.removeAll(
    'score',
    scored.map((song) => ({ batchId: id, songId: song.id })),
  );
}

/** What a night has under way is cancelled with it; what it only joined goes on. */
async function cancelNight(session: Session, id: number): Promise<string | null> {
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
  const more = stopped?.worksOn && isOwnWork(stopped) ? await cancel(session, stopped.worksOn) : null;
  return [`${name} is cancelled`, ...(more ? [more] : [])].join('; ');
}
