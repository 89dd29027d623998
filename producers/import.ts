/** Import: a model from a file of another registry. */
import { open } from 'node:fs/promises';
import type { DataSet, Prisma } from '../shared/database/generated/client.ts';
import { reasonOf, UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { isModelFile, type ModelFile, type ModelHeader, unpackModel } from '../shared/registry/archive.ts';
import type { Session } from './session.ts';

export interface Imported {
  model: string;
  name: string;
  /** False when the same model was there already. */
  isNew: boolean;
  dataset: string;
}

/** Larger than any model that fits into a row. */
const bytesAtMost = 1024 ** 3;

/**
 * Put the model of a file into the registry. Its tracks stay where they are: a data set that is not known
 * here becomes a row without tracks, which names what the model was trained on.
 * @throws UserError when the file is missing, damaged or no model
 */
export async function importModel(session: Session, file: string): Promise<Imported> {
  const content = unpackModel(await read(file), file);
  return session.database.prisma.$transaction(
    async (transaction) => {
      // One import at a time: the same file twice at once must not make two models.
      await transaction.$executeRaw`SELECT pg_advisory_xact_lock(801230079)`;
      return (await same(transaction, content)) ?? store(transaction, content);
    },
    { timeout: 120_000 },
  );
}

async function read(file: string): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const start = await handle.read(Buffer.alloc(8), 0, 8, 0);
      // What is no model is refused before it is read to its end.
      if (!isModelFile(start.buffer)) return start.buffer;
      if (size > bytesAtMost) throw new Error('it is larger than any model');
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${reasonOf(error)}`);
  }
}

/** The same weights of the same kind of model on the same data: there already, whoever trained it. */
async function same(transaction: Prisma.TransactionClient, { header }: ModelFile): Promise<Imported | null> {
  const { model, dataSet, weights } = header;
  const found = await transaction.model.findFirst({
    where: {
      ...{ name: model.name, state: 'ready', weights: { sha256: weights.sha256 } },
      dataSet: { contentHash: dataSet.contentHash, parametersHash: dataSet.parametersHash },
    },
    include: { dataSet: true },
    orderBy: { id: 'asc' },
  });
  return found && answer(found, found.dataSet, false);
}

async function store(
  transaction: Prisma.TransactionClient,
  { header, weights }: ModelFile,
): Promise<Imported> {
  const { model, exportedAt } = header;
  const dataSet = await dataSetOf(transaction, header);
  const run = await transaction.trainingRun.create({
    data: { dataSetId: dataSet.id, options: model.options, finishedAt: new Date() },
  });
  const { id, options, topology, metrics, ...rest } = model;
  const created = await transaction.model.create({
    data: {
      ...rest,
      ...{ options, topology, trainingRunId: run.id, dataSetId: dataSet.id, state: 'ready' },
      metrics: metrics as Prisma.InputJsonValue,
      imported: {
        ...{ model: id, dataset: header.dataSet.name, exportedAt, codeVersion: model.codeVersion },
        importedAt: new Date().toISOString(),
      },
      weights: { create: { bytes: new Uint8Array(weights), sha256: header.weights.sha256 } },
    },
  });
  return answer(created, dataSet, true);
}

/** The data set of this content, or a row without tracks that stands for it. */
async function dataSetOf(transaction: Prisma.TransactionClient, { dataSet }: ModelHeader): Promise<DataSet> {
  const { parameters, name, ...data } = dataSet;
  const { contentHash, parametersHash } = dataSet;
  const known = await transaction.dataSet.findFirst({
    where: { contentHash, parametersHash },
    orderBy: { id: 'asc' },
  });
  if (known) return known;
  await transaction.spectrogramParameters.createMany({
    data: [{ hash: parametersHash, parameters }],
    skipDuplicates: true,
  });
  return transaction.dataSet.create({ data: { ...data, name: await freeName(transaction, name) } });
}

async function freeName(transaction: Prisma.TransactionClient, wanted: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? `${wanted}-imported` : `${wanted}-imported-${number}`;
    if (!(await transaction.dataSet.findUnique({ where: { name } }))) return name;
  }
}

function answer({ id, name }: { id: number; name: string }, dataSet: DataSet, isNew: boolean): Imported {
  return { model: publicId('model', id), name, isNew, dataset: dataSet.name };
}
