import { createHash } from 'node:crypto';
import { z } from 'zod';
import { retrySong } from '../../../producers/failures.ts';
import { bandEdges } from '../../../shared/audio/mel.ts';
import type { SpectrogramParameters } from '../../../shared/audio/parameters.ts';
import { spectrogramPicture } from '../../../shared/audio/spectrogram-picture.ts';
import { codeVersion } from '../../../shared/code-version.ts';
import { forgetSong } from '../../../shared/database/forget.ts';
import { keepsAudio, loadAudio } from '../../../shared/database/uploads.ts';
import { withoutFolders } from '../../../shared/failure-causes.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { type ExplanationContent, isChecked } from '../../../shared/learning/explain/content.ts';
import { explanationSentences } from '../../../shared/learning/explain/words.ts';
import { songOwners } from '../../access/caller.ts';
import { excerptsOf } from '../../audio/excerpts.ts';
import { readSpectrogram } from '../../audio/spectrograms.ts';
import { saidSchema } from '../pipeline/schemas.ts';
import { notFound, Problem } from '../problem.ts';
import { type Context, fileRoute, idOf, type Route, route } from '../route.ts';
import { describeSongs, songItem } from './describe.ts';
import { findSong } from './owned.ts';
import { yardstickOf } from './reliability.ts';
import { type SongView, songSchema } from './schemas.ts';
import { failedExplanation } from './topic.ts';
import { versionsOf } from './versions.ts';

const params = z.object({ song: idOf('song') });
/** Another version of this program may draw another picture of the same. */
const version = codeVersion();

async function describe(context: Context, id: number): Promise<SongView> {
  const song = await findSong(context, id);
  const { database } = context.session;
  const yardstick = await yardstickOf(database, song.batch.modelId);
  // Its rank is among the songs of its batch.
  const among = await database.prisma.song.findMany({
    where: { batchId: song.batchId, score: { isNot: null } },
    include: { score: true, explanation: { select: { songId: true } } },
  });
  const ranked = describeSongs(among, song.batch, yardstick).find((item) => item.id === publicId('song', id));
  const heard = await parametersOf(context, song.batch.modelId);
  const [explanation, failure, spectrogram, versions] = await Promise.all([
    database.prisma.explanation.findUnique({ where: { songId: id }, select: { content: true } }),
    database.prisma.failure.findFirst({
      where: { ...failedExplanation, songId: id },
      orderBy: { id: 'desc' },
    }),
    song.contentHash ? readSpectrogram(database, song.contentHash, heard) : null,
    versionsOf(database, { title: song.title, ownerId: song.batch.ownerId }, (model) =>
      yardstickOf(database, model),
    ),
  ]);
  return {
    ...(ranked ?? songItem(song, song.batch, null)),
    ...{ batch: publicId('batch', song.batchId), reliability: yardstick.reliability },
    spectrogram: spectrogram && { ...spectrogram.facts, topHz: bandEdges(heard.parameters).at(-1)! },
    explanation: explanation && toldExplanation(explanation.content as unknown as ExplanationContent),
    unexplained: failure && withoutFolders(failure.reason),
    versions,
  };
}

/** In today's words: those of an explanation that did not pass today's checks must name nothing. */
function toldExplanation(content: ExplanationContent): ExplanationContent {
  return { ...content, sentences: explanationSentences(content) };
}

async function parametersOf({ session }: Context, modelId: number) {
  const { dataSet } = await session.database.prisma.model.findUniqueOrThrow({
    where: { id: modelId },
    select: { dataSet: { select: { parameters: true } } },
  });
  return {
    hash: dataSet.parameters.hash,
    parameters: dataSet.parameters.parameters as unknown as SpectrogramParameters,
  };
}

export const songRoutesOfOne: readonly Route[] = [
  route({
    method: 'get',
    path: '/songs/{song}',
    allows: songOwners,
    tag: 'songs',
    summary: 'Show a song: its score, why, what it is like, and its versions',
    params,
    answer: songSchema,
    run: ({ params: { song: id } }, context) => describe(context, id),
  }),
  route({
    method: 'patch',
    path: '/songs/{song}',
    allows: songOwners,
    tag: 'songs',
    summary: 'Change the title that versions of a song have in common',
    params,
    body: z.strictObject({ title: z.string().trim().min(1).max(200) }),
    answer: songSchema,
    run: async ({ params: { song: id }, body: { title } }, context) => {
      await findSong(context, id);
      await context.session.database.prisma.song.update({ where: { id }, data: { title } });
      return describe(context, id);
    },
  }),
  route({
    method: 'post',
    path: '/songs/{song}/retry',
    allows: songOwners,
    tag: 'songs',
    summary: 'Try a song again that failed',
    params,
    answer: saidSchema,
    status: 202,
    startsWork: true,
    run: async ({ params: { song: id } }, context) => {
      const song = await findSong(context, id);
      if (song.state !== 'failed')
        throw new Problem(409, `${publicId('song', id)} has not failed: it is ${song.state}`);
      const why = await retrySong(context.session, song);
      if (why !== null) throw new Problem(422, why);
      context.events.changed('songs');
      return { said: `${publicId('song', id)} is tried again` };
    },
  }),
  route({
    method: 'post',
    path: '/songs/{song}/explain',
    allows: songOwners,
    tag: 'songs',
    summary: 'Explain a scored song: which seconds and bands its score hangs on',
    params,
    answer: saidSchema,
    status: 202,
    startsWork: true,
    run: async ({ params: { song: id } }, context) => {
      const song = await findSong(context, id);
      if (!song.score) throw new Problem(409, `${publicId('song', id)} is not scored yet`);
      const { database, queues } = context.session;
      const made = await database.prisma.explanation.findUnique({
        where: { songId: id },
        select: { content: true },
      });
      if (made && isChecked(made.content as unknown as ExplanationContent)) {
        return { said: `${publicId('song', id)} is explained already` };
      }
      await database.prisma.failure.updateMany({
        where: { ...failedExplanation, songId: id },
        data: { state: 'retried' },
      });
      await queues.enqueue('score', [{ batchId: song.batchId, songId: id }]);
      context.events.changed('songs');
      return { said: `${publicId('song', id)} is being explained: some seconds to a minute` };
    },
  }),
  route({
    method: 'delete',
    path: '/songs/{song}',
    allows: songOwners,
    tag: 'songs',
    summary: 'Delete a song, its audio and all that was made of it',
    params,
    answer: saidSchema,
    run: async ({ params: { song: id } }, context) => {
      await findSong(context, id);
      await forgetSong(context.session.database.pool, id);
      context.events.changed('songs');
      return { said: `${publicId('song', id)} is gone` };
    },
  }),
  fileRoute({
    method: 'get',
    path: '/songs/{song}/spectrogram.png',
    allows: songOwners,
    tag: 'songs',
    summary: 'The mel spectrogram that the model judged, a pixel a cell',
    params,
    produces: ['image/png'],
    run: async ({ params: { song: id } }, context) => {
      const { contentHash, batch } = await findSong(context, id);
      const { database } = context.session;
      const parameters = await parametersOf(context, batch.modelId);
      const found = contentHash && (await readSpectrogram(database, contentHash, parameters));
      if (!found) return notFound(`spectrogram of ${publicId('song', id)} yet`);
      const { levels, facts } = found;
      return {
        ...{ mediaType: 'image/png', etag: etagOf('spectrogram', contentHash, parameters.hash) },
        bytes: async () => spectrogramPicture(levels, facts.bands, facts.frames),
      };
    },
  }),
  fileRoute({
    method: 'get',
    path: '/songs/{song}/explanation.png',
    allows: songOwners,
    tag: 'songs',
    summary: 'The explanation as one picture',
    params,
    produces: ['image/png'],
    run: async ({ params: { song: id } }, context) => {
      await findSong(context, id);
      const found = await context.session.database.prisma.explanation.findUnique({ where: { songId: id } });
      if (!found) return notFound(`explanation of ${publicId('song', id)}`);
      if (!isChecked(found.content as unknown as ExplanationContent)) {
        throw new Problem(
          409,
          'this picture was made before explanations were fully checked: explain it again',
        );
      }
      return { mediaType: 'image/png', bytes: found.picture };
    },
  }),
  fileRoute({
    method: 'get',
    path: '/songs/{song}/excerpt.wav',
    allows: songOwners,
    tag: 'songs',
    summary: 'What the model heard: mono, 16 bit',
    params,
    produces: ['audio/wav'],
    run: async ({ params: { song: id } }, context) => {
      const { contentHash, batch } = await findSong(context, id);
      const missing = () =>
        notFound(`audio of ${publicId('song', id)} here: it is kept of songs that were dropped in`);
      if (!contentHash || !(await keepsAudio(context.session.database.pool, contentHash))) return missing();
      const { hash, parameters } = await parametersOf(context, batch.modelId);
      const { database, config } = context.session;
      return {
        ...{ mediaType: 'audio/wav', etag: etagOf('excerpt', contentHash, hash) },
        bytes: async () =>
          (await excerptsOf(config).get({
            ...{ contentHash, parametersHash: hash, parameters, signal: context.signal },
            load: () => loadAudio(database.pool, contentHash),
          })) ?? missing(),
      };
    },
  }),
];

/** Names a file by what it is made of, and by what made it. */
function etagOf(what: string, contentHash: string, parametersHash: string): string {
  return createHash('sha256')
    .update([what, contentHash, parametersHash, version].join(' '))
    .digest('base64url');
}
