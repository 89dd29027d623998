import { z } from 'zod';
import type { DataSet } from '../../../shared/database/generated/client.ts';
import { publicId } from '../../../shared/identifiers.ts';
import type { DataSetCounts } from '../../../shared/learning/freeze.ts';
import { everyone } from '../../access/caller.ts';
import { notFound } from '../problem.ts';
import { idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { type DataSetRow, dataSetRowSchema, dataSetSchema } from './schemas.ts';

function dataSetRow(row: DataSet & { _count: { models: number } }): DataSetRow {
  const counts = row.counts as unknown as Partial<DataSetCounts>;
  const side = (name: 'train' | 'test' | 'holdout') => ({
    tracks: counts[name]?.tracks ?? 0,
    popular: counts[name]?.popular ?? 0,
  });
  return {
    ...{
      id: publicId('data-set', row.id),
      name: row.name,
      tracks: counts.tracks ?? 0,
      groups: counts.groups ?? 0,
    },
    ...{ threshold: row.threshold, thresholdRule: row.thresholdRule, createdAt: row.createdAt.toISOString() },
    ...{
      models: row._count.models,
      sides: { train: side('train'), test: side('test'), holdout: side('holdout') },
    },
  };
}

const countModels = { _count: { select: { models: true } } } as const;

export const dataSetRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/data-sets',
    allows: everyone,
    tag: 'models',
    summary: 'List the frozen data sets, newest first',
    query: z.object(pageQuery),
    answer: pageOf(dataSetRowSchema),
    run: async ({ query: { offset, limit } }, { session }) => {
      const { prisma } = session.database;
      const [total, rows] = await Promise.all([
        prisma.dataSet.count(),
        prisma.dataSet.findMany({ orderBy: { id: 'desc' }, skip: offset, take: limit, include: countModels }),
      ]);
      return { total, offset, limit, items: rows.map(dataSetRow) };
    },
  }),
  route({
    method: 'get',
    path: '/data-sets/{dataSet}',
    allows: everyone,
    tag: 'models',
    summary: 'Show a data set: its sides, its threshold, its parameters',
    params: z.object({ dataSet: idOf('data-set') }),
    answer: dataSetSchema,
    run: async ({ params: { dataSet: id } }, { session }) => {
      const row = await session.database.prisma.dataSet.findUnique({
        where: { id },
        include: { ...countModels, parameters: true },
      });
      if (!row) return notFound(publicId('data-set', id));
      return {
        ...dataSetRow(row),
        ...{ seed: row.seed, contentHash: row.contentHash, parametersHash: row.parametersHash },
        parameters: row.parameters.parameters as Record<string, unknown>,
        counts: row.counts as Record<string, unknown>,
      };
    },
  }),
];
