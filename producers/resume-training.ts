/** Go on with a training that was cancelled. */
import type { Model } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import type { Session } from './session.ts';
import { enqueueRun } from './train.ts';

/**
 * Put a cancelled model back into the queue: it goes on from its last epoch where it kept one, else it
 * begins anew. Where its run is decided on by then, it challenges the champion by itself. Done twice it
 * changes nothing. Returns what was done, in one line.
 * @throws UserError when it is not cancelled, or not yet
 */
export async function resumeTraining(session: Session, id: number): Promise<string> {
  const { prisma } = session.database;
  const name = publicId('model', id);
  const model = await prisma.model.findUnique({ where: { id }, include: { trainingRun: true } });
  if (!model) throw new UserError(`there is no ${name}`);
  checkResumable(name, model);
  const { count } = await prisma.model.updateMany({
    where: { id, state: 'cancelled' },
    data: { state: 'queued', cancelRequestedAt: null, finishedAt: null, failureReason: null },
  });
  await enqueueRun(session, [{ ...model, state: 'queued' }]);
  if (count === 0) return `${name} is under way already`;
  const kept = (await prisma.checkpoint.count({ where: { modelId: id } })) > 0;
  const from = kept ? 'goes on from its last epoch' : 'begins anew: it had kept no epoch';
  const alone = model.trainingRun.finishedAt
    ? `; ${publicId('run', model.trainingRunId)} is decided on already, so it will challenge the champion by itself`
    : '';
  return `${name} ${from}${alone}`;
}

function checkResumable(name: string, { state, cancelRequestedAt }: Model): void {
  if (state === 'ready') throw new UserError(`${name} is trained already`);
  if (state === 'failed') {
    throw new UserError(`${name} failed: retry its failure (hiphop failures lists it) to go on`);
  }
  if (state !== 'cancelled' && cancelRequestedAt) {
    throw new UserError(`${name} is still being stopped: resume it once it is cancelled`);
  }
}
