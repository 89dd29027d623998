/** Go on with a batch of songs that was cancelled. */
import { UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { enqueueBatch } from './score.ts';
import type { Session } from './session.ts';

/**
 * Put what is left of a cancelled batch back into the queues: songs that were decoded are not decoded again,
 * scores stand. Done twice it changes nothing. Returns what was done, in one line.
 * @throws UserError when there is no such batch, or nothing of it is left to do
 */
export async function resumeBatch(session: Session, id: number): Promise<string> {
  const { prisma } = session.database;
  const name = publicId('batch', id);
  const { count } = await prisma.scoreBatch.updateMany({
    where: { id, state: 'cancelled' },
    data: { state: 'running', finishedAt: null },
  });
  if (count === 0) {
    const batch = await prisma.scoreBatch.findUnique({ where: { id } });
    if (!batch) throw new UserError(`there is no ${name}`);
    if (batch.state === 'done') throw new UserError(`${name} is done already`);
  }
  await enqueueBatch(session, id);
  return count === 0 ? `${name} is under way already` : `${name} goes on`;
}
