import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';
import { cancel } from '../../../producers/cancel.ts';
import { judgeAgain } from '../../../producers/judge-again.ts';
import { resumeBatch } from '../../../producers/resume-batch.ts';
import { scoringModel } from '../../../producers/score.ts';
import { forgetBatch } from '../../../shared/database/forget.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { findChampion } from '../../../shared/registry/index.ts';
import { songOwners } from '../../access/caller.ts';
import { saidSchema } from '../pipeline/schemas.ts';
import { Problem } from '../problem.ts';
import { type Context, fileRoute, idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { batchInclude, batchItem, batchItems, countSongs, describeSongs, noSongs } from './describe.ts';
import { findBatch, ownBatches } from './owned.ts';
import { yardstickOf } from './reliability.ts';
import { type BatchView, batchItemSchema, batchSchema, newBatchSchema } from './schemas.ts';
import { receiveSong, songName } from './upload.ts';
import { mostBatches } from './upload-rows.ts';

const params = z.object({ batch: idOf('batch') });

async function describe(context: Context, id: number): Promise<BatchView> {
  const row = await findBatch(context, id);
  const { database } = context.session;
  const songs = await database.prisma.song.findMany({
    where: { batchId: id },
    include: { score: true, explanation: { select: { songId: true } } },
    orderBy: { id: 'asc' },
  });
  const yardstick = await yardstickOf(database, row.modelId);
  const champion = await findChampion(database.prisma);
  const counts = countSongs(songs.map(({ state }) => ({ state, _count: 1 })));
  return {
    ...batchItem(row, counts),
    ...{ explain: row.explain, reliability: yardstick.reliability },
    judgeAgain: champion && champion.id !== row.modelId ? publicId('model', champion.id) : null,
    songs: describeSongs(songs, row, yardstick),
  };
}

export const batchRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/batches',
    allows: songOwners,
    tag: 'songs',
    summary: 'List your batches of songs, newest first; operators see those of all',
    query: z.object(pageQuery),
    answer: pageOf(batchItemSchema),
    run: async ({ query: { offset, limit } }, { session, caller }) => {
      const { prisma } = session.database;
      const where = ownBatches(caller);
      const [total, rows] = await Promise.all([
        prisma.scoreBatch.count({ where }),
        prisma.scoreBatch.findMany({
          where,
          include: batchInclude,
          orderBy: { id: 'desc' },
          skip: offset,
          take: limit,
        }),
      ]);
      return { total, offset, limit, items: await batchItems(prisma, rows) };
    },
  }),
  route({
    method: 'post',
    path: '/batches',
    allows: songOwners,
    tag: 'songs',
    summary: 'Begin a batch of songs, which are ranked among each other',
    body: newBatchSchema,
    answer: batchItemSchema,
    status: 201,
    startsWork: true,
    target: (_, { id }) => id,
    run: async ({ body: { name, model, explain } }, { session, caller }) => {
      await checkBatches(session, caller);
      const judge = await scoringModel(session, model ?? undefined);
      const row = await session.database.prisma.scoreBatch.create({
        // It runs from its first song on.
        data: { modelId: judge.id, name, explain, ownerId: caller.accountId, state: 'done' },
        include: batchInclude,
      });
      return batchItem(row, noSongs);
    },
  }),
  route({
    method: 'get',
    path: '/batches/{batch}',
    allows: songOwners,
    tag: 'songs',
    summary: 'Show a batch: how far each song is, the ranking, and how far the model may be trusted',
    params,
    answer: batchSchema,
    run: ({ params: { batch: id } }, context) => describe(context, id),
  }),
  route({
    method: 'post',
    path: '/batches/{batch}/songs',
    allows: songOwners,
    tag: 'songs',
    summary: 'Upload a song: the file itself is the body',
    description:
      'A file that is no music is a song that failed, with the reason. One that is too large is refused (413). Sent again with the same Idempotency-Key it is the same song.',
    params,
    query: z.object({ file: z.string().min(1).max(1000).describe('name of the file') }),
    consumes: 'application/octet-stream',
    answer: z.object({ song: z.string().describe('public id, e.g. `song-7`') }),
    status: 201,
    target: (_, { song }) => song,
    run: async ({ params: { batch: id }, query: { file } }, context) => {
      const { state, ownerId, model } = await findBatch(context, id);
      const { dataSet } = await context.session.database.prisma.model.findUniqueOrThrow({
        where: { id: model.id },
        select: { dataSet: { select: { parametersHash: true } } },
      });
      return { song: await receiveSong({ id, state, ownerId, ...dataSet }, songName(file), context) };
    },
  }),
  route({
    method: 'post',
    path: '/batches/{batch}/judge-again',
    allows: songOwners,
    tag: 'songs',
    summary: "Judge a batch's songs again, by today's champion: another batch, the audio is the same",
    params,
    answer: batchItemSchema,
    status: 201,
    startsWork: true,
    target: (_, { id }) => id,
    run: async ({ params: { batch: id } }, context) => {
      const { ownerId } = await findBatch(context, id);
      await checkBatches(context.session, { accountId: ownerId });
      const again = await judgeAgain(context.session, id);
      context.events.changed('songs');
      const row = await findBatch(context, again.id);
      return (await batchItems(context.session.database.prisma, [row]))[0]!;
    },
  }),
  route({
    method: 'post',
    path: '/batches/{batch}/cancel',
    allows: songOwners,
    tag: 'songs',
    summary: 'Cancel a batch: what waits is taken out, what is scored stays',
    params,
    answer: saidSchema,
    run: async ({ params: { batch: id } }, context) => {
      await findBatch(context, id);
      const said = await cancel(context.session, publicId('batch', id));
      context.events.changed('songs');
      return { said };
    },
  }),
  route({
    method: 'post',
    path: '/batches/{batch}/resume',
    allows: songOwners,
    tag: 'songs',
    summary: 'Go on with a batch that was cancelled: what is decoded is not decoded again, scores stand',
    params,
    answer: saidSchema,
    status: 202,
    startsWork: true,
    run: async ({ params: { batch: id } }, context) => {
      await findBatch(context, id);
      const said = await resumeBatch(context.session, id);
      context.events.changed('songs');
      return { said };
    },
  }),
  route({
    method: 'delete',
    path: '/batches/{batch}',
    allows: songOwners,
    tag: 'songs',
    summary: 'Delete a batch with its songs, their audio and all that was made of it',
    params,
    answer: saidSchema,
    run: async ({ params: { batch: id } }, context) => {
      const { state } = await findBatch(context, id);
      if (state === 'running') await cancel(context.session, publicId('batch', id));
      const songs = await forgetBatch(context.session.database.pool, id);
      context.events.changed('songs');
      return { said: `${publicId('batch', id)} is gone, and its ${songs} songs` };
    },
  }),
  fileRoute({
    method: 'get',
    path: '/batches/{batch}/ranking.csv',
    allows: songOwners,
    tag: 'songs',
    summary: 'Download the ranking as CSV',
    params,
    produces: ['text/csv'],
    run: async ({ params: { batch: id } }, context) => {
      const batch = await describe(context, id);
      return { mediaType: 'text/csv', bytes: toCsv(batch), fileName: `${batch.id}.csv` };
    },
  }),
];

/** @throws Problem 422 when an account has as many batches as it may */
async function checkBatches(
  { database }: Context['session'],
  { accountId }: Pick<Context['caller'], 'accountId'>,
): Promise<void> {
  if (accountId === null) return;
  const batches = await database.prisma.scoreBatch.count({ where: { ownerId: accountId } });
  if (batches < mostBatches) return;
  throw new Problem(422, `an account has at most ${mostBatches} batches: delete some that are done with`);
}

function toCsv({ songs, reliability }: BatchView): string {
  const columns = [
    ...['rank_from', 'rank_to', 'file', 'percentile', 'verdict', 'alike_popular', 'alike_artists'],
    ...['model_estimate', 'calibration_error', 'error', 'warnings', 'model', 'data_set'],
    ...['model_roc_auc', 'model_n'],
  ];
  const of = { model: reliability.model, data_set: reliability.dataSet };
  const rows = songs.map(({ file, score, reason, warnings, step }) => ({
    ...{ file, ...of, model_roc_auc: reliability.rocAuc?.toFixed(2) ?? '', model_n: reliability.n },
    warnings: warnings.join('; '),
    error: score ? '' : (reason ?? `not scored yet: ${step}`),
    ...(score && {
      ...{ rank_from: score.rank.from, rank_to: score.rank.to, percentile: score.percentile },
      ...{ alike_popular: score.alike?.popular ?? '', alike_artists: score.alike?.groups ?? '' },
      verdict: score.verdict.sentence,
      model_estimate: score.probability.toFixed(2),
      calibration_error: reliability.calibrationError?.toFixed(2) ?? '',
    }),
  }));
  // A cell that begins like a formula must not become one when a spreadsheet opens the file.
  return stringify(rows, { header: true, columns, escape_formulas: true });
}
