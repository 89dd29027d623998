/** Cancel work by its public id: what waits is taken out, what runs is stopped, what is done stays. */
import { finishTrainingRun } from '../shared/champion.ts';
import { UserError } from '../shared/errors.ts';
import { type Noun, parsePublicId, publicId } from '../shared/identifiers.ts';
import type { Session } from './session.ts';

/** Cancel a crawl, a training run, a model or a batch. Returns what was done, in one line. */
export async function cancel(session: Session, text: string): Promise<string> {
  const { noun, id } = parsePublicId(text, ['crawl', 'run', 'model', 'batch']);
  const done = await cancellers[noun as keyof typeof cancellers](session, id);
  if (done === null) throw new UserError(`there is no ${publicId(noun as Noun, id)}`);
  return done;
}

const cancellers = { crawl: cancelCrawl, run: cancelRun, model: cancelModel, batch: cancelBatch };

async function cancelCrawl(session: Session, id: number): Promise<string | null> {
  const { prisma } = session.database;
  const crawl = await prisma.crawl.findUnique({ where: { id } });
  if (!crawl) return null;
  const name = publicId('crawl', id);
  if (crawl.state !== 'running') return `${name} is ${crawl.state} already`;
  await prisma.crawl.update({ where: { id }, data: { state: 'cancelled', finishedAt: new Date() } });
  // Only its own: a track that another running crawl waits for goes on.
  const tracks = await prisma.track.findMany({
    where: {
      state: { in: ['queued', 'fetched'] },
      crawls: { some: { crawlId: id }, none: { crawl: { state: 'running' } } },
    },
    select: { id: true },
  });
  const hashes = (await prisma.spectrogramParameters.findMany({ select: { hash: true } })).map(
    (row) => row.hash,
  );
  let removed = 0;
  for (const track of tracks) {
    for (const parametersHash of hashes) {
      const payload = { kind: 'track' as const, id: track.id, parametersHash };
      await session.queues.remove('preview', payload);
      await session.queues.remove('spectrogram', payload);
    }
    removed++;
  }
  return `${name} is cancelled: ${removed} tracks were taken out of the queues; ingest again to go on`;
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
  return `${name} is cancelled`;
}
