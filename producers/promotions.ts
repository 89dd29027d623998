/** Change the champion by hand, and take that back. */
import type { Model } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import {
  type Bootstrap,
  compareModels,
  findChampion,
  isComparison,
  isNullTest,
  lockChampion,
  modelTitle,
  promote,
  rollbackTarget,
} from '../shared/registry/index.ts';
import { findReadyModel } from './models.ts';
import type { Session } from './session.ts';

/**
 * Make a model the champion, and keep how it compares with the one before.
 * @throws UserError when it cannot score songs
 */
export async function promoteByHand(
  session: Session,
  text: string,
  reason: string,
  promotedBy: string,
  bootstrap?: Bootstrap,
): Promise<Model> {
  const { prisma } = session.database;
  const model = await findReadyModel(prisma, text, 'be champion');
  if (isNullTest(model)) {
    throw new UserError(
      `${publicId('model', model.id)} was trained on permuted labels, as a null test: it must not score songs`,
    );
  }
  const before = await findChampion(prisma);
  const found = before && before.id !== model.id ? await compareModels(prisma, before, model, bootstrap) : [];
  await prisma.$transaction(async (transaction) => {
    await lockChampion(transaction);
    await promote(transaction, model.id, {
      ...{ reason, promotedBy },
      evidence: {
        before: before && publicId('model', before.id),
        comparisons: found.filter(isComparison),
      },
    });
  });
  return model;
}

export interface Rollback {
  champion: string;
  name: string;
  /** Public id of the model that was champion. */
  before: string;
  reason: string;
}

/**
 * Make the champion before champion again. Done twice it goes back further, not forth.
 * @throws UserError when there was none before
 */
export function rollBack(
  session: Session,
  reason: string | undefined,
  promotedBy: string,
): Promise<Rollback> {
  return session.database.prisma.$transaction(async (transaction) => {
    await lockChampion(transaction);
    const { undone, restored } = await rollbackTarget(transaction);
    const before = publicId('model', undone.modelId);
    const said = reason ?? `${modelTitle(undone.model)} was taken back`;
    await promote(transaction, restored.modelId, {
      ...{ reason: said, promotedBy },
      evidence: { before, comparisons: [], takesBack: undone.id },
    });
    const { id, name } = restored.model;
    return { champion: publicId('model', id), name, before, reason: said };
  });
}
