/** Freeze: make an immutable, versioned data set of what has a popularity and a spectrogram now. */

import { databaseSource } from '../shared/data-sets/cache.ts';
import type { DataSet, Prisma, PrismaClient } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { freezeDataSet } from '../shared/learning/freeze.ts';
import { fitNormalisation } from '../shared/learning/normalisation.ts';
import type { Split } from '../shared/learning/split.ts';
import type { ThresholdRule } from '../shared/learning/threshold.ts';
import { currentParameters } from './parameters.ts';
import type { Session } from './session.ts';

const chunk = 5_000;

export interface FreezeRequest {
  /** Name of the data set; `data-set-N` where none is given. */
  name?: string;
  thresholdRule: ThresholdRule;
  testFraction: number;
  holdoutFraction: number;
  seed: number;
  /** Keep the sides of this earlier data set, `latest` for the newest; null deals all tracks anew. */
  keepHoldout: string | null;
}

export interface Frozen {
  dataSet: DataSet;
  /** False when the same data set was there already. */
  isNew: boolean;
}

/**
 * Freeze the catalogue as it stands. Where nothing has changed since a data set of the same settings,
 * that one is returned.
 * @throws UserError when there is too little to learn from, or another data set has the name
 */
export async function freeze(session: Session, request: FreezeRequest): Promise<Frozen> {
  const { prisma } = session.database;
  const parametersHash = await currentParameters(session);
  if (request.name && (await prisma.dataSet.findUnique({ where: { name: request.name } }))) {
    throw new UserError(
      `a data set named "${request.name}" is there already, and never changes: choose another name`,
    );
  }
  const candidates = await labelledTracks(prisma, parametersHash);
  const { name, keepHoldout, ...options } = request;
  const frozen = freezeDataSet(candidates, options, await earlierSplits(prisma, keepHoldout));

  const { contentHash, threshold } = frozen;
  const same = await prisma.dataSet.findFirst({
    // One that came with an imported model has no tracks to train on.
    where: { contentHash, parametersHash, tracks: { some: {} } },
    orderBy: { id: 'asc' },
  });
  if (same && !name) return { dataSet: same, isNew: false };

  const train = frozen.assignments.filter((row) => row.split === 'train');
  const parameters = await prisma.spectrogramParameters.findUniqueOrThrow({
    where: { hash: parametersHash },
  });
  const keys = train.map((row) => ({ contentHash: row.contentHash, parametersHash }));
  const normalisation = await fitNormalisation(databaseSource(prisma, keys, parameters), keys.keys());
  const dataSet = await prisma.$transaction(
    async (transaction) => {
      const id = (await transaction.dataSet.aggregate({ _max: { id: true } }))._max.id ?? 0;
      const created = await transaction.dataSet.create({
        data: {
          name: name ?? (await freeName(transaction, id + 1)),
          ...{ parametersHash, threshold, contentHash },
          thresholdRule: String(request.thresholdRule),
          seed: request.seed,
          testFraction: request.testFraction,
          holdoutFraction: request.holdoutFraction,
          counts: frozen.counts as unknown as Prisma.InputJsonValue,
          normalisation: normalisation as unknown as Prisma.InputJsonValue,
        },
      });
      for (let start = 0; start < frozen.assignments.length; start += chunk) {
        await transaction.dataSetTrack.createMany({
          data: frozen.assignments.slice(start, start + chunk).map(({ id: trackId, ...row }) => ({
            dataSetId: created.id,
            trackId,
            parametersHash,
            ...row,
          })),
        });
      }
      return created;
    },
    { timeout: 120_000 },
  );
  return { dataSet, isNew: true };
}

/** @throws UserError when there is no data set of the name */
async function earlierSplits(prisma: PrismaClient, name: string | null): Promise<Map<number, Split>> {
  const dataSet =
    name === 'latest'
      ? await prisma.dataSet.findFirst({ where: { tracks: { some: {} } }, orderBy: { id: 'desc' } })
      : name && (await findDataSet(prisma, name));
  if (!dataSet) return new Map();
  const rows = await prisma.dataSetTrack.findMany({
    where: { dataSetId: dataSet.id },
    select: { trackId: true, split: true },
  });
  return new Map(rows.map(({ trackId, split }) => [trackId, split]));
}

/** The newest popularity of each track that has a spectrogram of these parameters. */
async function labelledTracks(prisma: PrismaClient, parametersHash: string) {
  const tracks = await prisma.track.findMany({
    where: { state: 'ready', contentHash: { not: null } },
    select: {
      ...{ id: true, contentHash: true, isrc: true, trackGroup: true },
      artists: { select: { artist: { select: { name: true } } } },
      readings: { select: { value: true }, orderBy: { takenAt: 'desc' }, take: 1 },
    },
  });
  const spectrograms = await prisma.spectrogram.findMany({
    where: { parametersHash },
    select: { contentHash: true, audioHash: true },
  });
  const audioHashOf = new Map(spectrograms.map((row) => [row.contentHash, row.audioHash]));
  return tracks.flatMap(({ id, contentHash, isrc, trackGroup, artists, readings }) => {
    const audioHash = audioHashOf.get(contentHash!);
    if (audioHash === undefined) return [];
    return [
      {
        ...{ id, isrc, trackGroup, audioHash, contentHash: contentHash! },
        artists: artists.map(({ artist }) => artist.name),
        popularity: readings[0]?.value ?? null,
      },
    ];
  });
}

async function freeName(prisma: Prisma.TransactionClient, start: number): Promise<string> {
  for (let number = start; ; number++) {
    const name = publicId('data-set', number);
    if (!(await prisma.dataSet.findUnique({ where: { name } }))) return name;
  }
}

/**
 * Find a data set by its name or public id.
 * @throws UserError that lists what there is
 */
export async function findDataSet(prisma: PrismaClient, text: string): Promise<DataSet> {
  const byName = await prisma.dataSet.findUnique({ where: { name: text } });
  const id = Number(/^(?:data-set-)?(\d{1,9})$/.exec(text)?.[1]);
  const found = byName ?? (id ? await prisma.dataSet.findUnique({ where: { id } }) : null);
  if (found && (await prisma.dataSetTrack.count({ where: { dataSetId: found.id }, take: 1 })) === 0) {
    throw new UserError(
      `the tracks of "${found.name}" are not here: it came with an imported model, which can score but not be trained again`,
    );
  }
  if (found) return found;
  const names = (await prisma.dataSet.findMany({ orderBy: { id: 'desc' }, take: 10 })).map((row) => row.name);
  throw new UserError(
    `there is no data set "${text}"; ${names.length > 0 ? `there are ${names.join(', ')}` : 'make one with hiphop freeze'}`,
  );
}
