import { fileTypeFromBuffer } from 'file-type';
import { z } from 'zod';
import { retryFailures } from '../../../producers/failures.ts';
import { spectrogramPicture } from '../../../shared/audio/spectrogram-picture.ts';
import { loadPreview } from '../../../shared/database/previews.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { everyone, operators } from '../../access/caller.ts';
import { saidSchema } from '../pipeline/schemas.ts';
import { notFound, Problem } from '../problem.ts';
import { type Context, fileRoute, idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { overviewOf } from './overview.ts';
import { overviewSchema, trackItemSchema, trackSchema, trackSorts, trackStates } from './schemas.ts';
import { describeTrack, listTracks, mostCounted, trackSpectrogram } from './tracks.ts';

const params = z.object({ track: idOf('track') });
const year = z.coerce.number().int().min(1000).max(9998);
const popularity = z.coerce.number().min(0).max(100);
const hourOfSeconds = 3600;

async function contentHashOf({ session }: Context, id: number): Promise<string | null> {
  const row = await session.database.prisma.track.findUnique({
    where: { id },
    select: { contentHash: true },
  });
  return (row ?? notFound(publicId('track', id))).contentHash;
}

export const catalogueRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/tracks',
    allows: everyone,
    tag: 'catalogue',
    summary: 'Search the catalogue',
    description: `Of what is searched or filtered ${mostCounted} are counted at most.`,
    query: z.object({
      search: z.string().max(200).optional().describe('words of title and artists, a public id, or an ISRC'),
      state: z.enum(trackStates).optional(),
      source: z.string().max(60).optional(),
      genre: z.string().max(120).optional(),
      popularityFrom: popularity.optional(),
      popularityTo: popularity.optional(),
      yearFrom: year.optional(),
      yearTo: year.optional(),
      kept: z.enum(['true', 'false']).optional().describe('whether its preview is still kept'),
      dataSet: idOf('data-set').optional(),
      split: z.enum(['train', 'test', 'holdout']).optional().describe('side of that data set'),
      sort: z
        .enum([...trackSorts, ...trackSorts.map((name) => `-${name}` as const)])
        .default('id')
        .describe('a minus turns the order round'),
      ...pageQuery,
    }),
    answer: pageOf(trackItemSchema),
    run: async ({ query: { sort, offset, limit, ...asked } }, { session }) => {
      const { total, items } = await listTracks(session.database, asked, { sort, offset, limit });
      return { total, offset, limit, items };
    },
  }),
  route({
    method: 'get',
    path: '/catalogue/overview',
    allows: everyone,
    tag: 'catalogue',
    summary:
      'What the catalogue or a data set looks like: popularity, releases, previews, durations, artists',
    query: z.object({ dataSet: idOf('data-set').optional() }),
    answer: overviewSchema,
    run: ({ query: { dataSet } }, { session }) => overviewOf(session.database, dataSet ?? null),
  }),
  route({
    method: 'get',
    path: '/tracks/{track}',
    allows: everyone,
    tag: 'catalogue',
    summary: 'Show a track: readings, audio, data sets, what models said, attempts',
    params,
    answer: trackSchema,
    run: ({ params: { track: id } }, { session }) => describeTrack(session.database, id),
  }),
  fileRoute({
    method: 'get',
    path: '/tracks/{track}/spectrogram.png',
    allows: everyone,
    tag: 'catalogue',
    summary: "A track's mel spectrogram, a pixel a cell",
    params,
    produces: ['image/png'],
    run: async ({ params: { track: id } }, context) => {
      const found = await trackSpectrogram(context.session.database, await contentHashOf(context, id));
      if (!found) return notFound(`spectrogram of ${publicId('track', id)}`);
      const { levels, facts } = found;
      return {
        ...{ mediaType: 'image/png', cacheSeconds: hourOfSeconds },
        bytes: spectrogramPicture(levels, facts.bands, facts.frames),
      };
    },
  }),
  fileRoute({
    method: 'get',
    path: '/tracks/{track}/preview',
    allows: everyone,
    tag: 'catalogue',
    summary: "A track's audio, where it is still kept",
    params,
    produces: ['audio/mpeg', 'application/octet-stream'],
    run: async ({ params: { track: id } }, context) => {
      const contentHash = await contentHashOf(context, id);
      const bytes = contentHash && (await loadPreview(context.session.database.pool, contentHash));
      if (!bytes)
        return notFound(
          `audio of ${publicId('track', id)} any more: it is let go once its spectrogram is made`,
        );
      const kind = await fileTypeFromBuffer(bytes.subarray(0, 4_100));
      const mediaType = kind?.mime.startsWith('audio/') ? kind.mime : 'application/octet-stream';
      return { mediaType, bytes };
    },
  }),
  route({
    method: 'post',
    path: '/tracks/{track}/retry',
    allows: operators,
    tag: 'catalogue',
    summary: 'Try a track again that failed',
    params,
    answer: saidSchema,
    status: 202,
    startsWork: true,
    run: async ({ params: { track: id } }, context) => {
      await contentHashOf(context, id);
      const { retried, left } = await retryFailures(context.session, { trackId: id });
      if (retried === 0)
        throw new Problem(409, left[0]?.why ?? `${publicId('track', id)} has no open failure`);
      context.events.changed('pipeline');
      return { said: `${publicId('track', id)} is tried again` };
    },
  }),
];
