/** Export: a model of the registry as one file. */

import { createHash } from 'node:crypto';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { PermanentError, reasonOf, UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { isModelFile, type ModelHeader, packModel } from '../shared/registry/archive.ts';
import { findReadyModel } from './models.ts';
import type { Session } from './session.ts';

export interface Exported {
  model: string;
  file: string;
  bytes: number;
}

/**
 * Write a model with its weights, evaluation and what it was trained on to a file.
 * @throws UserError when the model is not trained, or the file is there and no model
 */
export async function exportModel(session: Session, text: string, file: string): Promise<Exported> {
  const { prisma } = session.database;
  const { id } = await findReadyModel(prisma, text, 'be exported');
  const { weights, dataSet, ...model } = await prisma.model.findUniqueOrThrow({
    where: { id },
    include: { weights: true, dataSet: { include: { parameters: true } } },
  });
  const name = publicId('model', id);
  if (!weights || createHash('sha256').update(weights.bytes).digest('hex') !== weights.sha256) {
    throw new PermanentError(`the weights of ${name} are missing or damaged: train it again`);
  }
  const header = {
    exportedAt: new Date().toISOString(),
    model: {
      ...{ id: name, name: model.name, options: model.options, parameters: model.parameters },
      ...{ topology: model.topology, metrics: model.metrics, holdoutScores: model.holdoutScores },
      ...{ backend: model.backend, codeVersion: model.codeVersion },
      startedAt: model.startedAt?.toISOString() ?? null,
      finishedAt: model.finishedAt?.toISOString() ?? null,
    },
    dataSet: {
      ...{ name: dataSet.name, contentHash: dataSet.contentHash, threshold: dataSet.threshold },
      ...{ thresholdRule: dataSet.thresholdRule, seed: dataSet.seed, counts: dataSet.counts },
      ...{ testFraction: dataSet.testFraction, holdoutFraction: dataSet.holdoutFraction },
      ...{ normalisation: dataSet.normalisation, parametersHash: dataSet.parametersHash },
      parameters: dataSet.parameters.parameters,
    },
  } as Omit<ModelHeader, 'format' | 'weights'>;
  const bytes = packModel(header, weights.bytes);
  await write(file, bytes);
  return { model: name, file, bytes: bytes.length };
}

/** Replace an older export whole or not at all, and nothing else. */
async function write(file: string, bytes: Buffer): Promise<void> {
  await refuseOther(file);
  const draft = `${file}.${process.pid}.part`;
  try {
    await writeFile(draft, bytes, { flag: 'wx' });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw new UserError(`${file} cannot be written: ${reasonOf(error)}`);
  }
}

async function refuseOther(file: string): Promise<void> {
  const handle = await open(file).catch(() => null);
  if (!handle) return;
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    if (bytesRead > 0 && isModelFile(buffer)) return;
  } catch {
    // A folder, say: no model either.
  } finally {
    await handle.close();
  }
  throw new UserError(`${file} is there already and is no exported model: choose another name`);
}
