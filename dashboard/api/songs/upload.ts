/**
 * A song that is dropped in: its bytes go through a file of this machine into the database, never through
 * this server's memory as a whole. What is no music is a row with its reason too.
 */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { fileTypeFromFile } from 'file-type';
import { forgetAudio, inTransaction, storeUpload, uploadLocation } from '../../../shared/database/uploads.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { versionTitle } from '../../../shared/scoring/titles.ts';
import { Turns } from '../../../shared/turns.ts';
import { Problem } from '../problem.ts';
import type { Context } from '../route.ts';
import { announcedBytes, type Received, withBody } from './upload-files.ts';
import { addSong, checkRoom, holdBatch, type UploadBatch, uploadsOf } from './upload-rows.ts';

/** Bytes sent to the database at once. */
const pieceBytes = 4_000_000;
const longestName = 200;
/** Containers of sound that are also containers of films. */
const containers = /^(video\/(mp4|quicktime|webm|matroska|x-matroska|ogg)|application\/ogg)$/;
/** Each holds a connection to the database for some seconds; those that wait lie on the disk. */
const storing = new Turns(2);

/** A name as it is shown and stored: no folder, nothing that cannot be seen. */
export function songName(given: string): string {
  const name = basename(given.replaceAll('\\', '/'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what cannot be seen is no part of a name
    .replace(/[\u0000-\u001f\u007f]/g, '')
    .trim();
  return (name || 'unnamed').slice(-longestName);
}

/**
 * Take a song into a batch and start its way through the stages. The same Idempotency-Key is the same song,
 * however often it is sent.
 * @returns its public id
 * @throws Problem when the request itself is at fault: too large, too many songs, or it broke off
 */
export async function receiveSong(batch: UploadBatch, name: string, context: Context): Promise<string> {
  const { session, request, response } = context;
  const { pool, prisma } = session.database;
  const { dashboard, dataDir } = session.config;
  const key = uploadKey(request);
  const known = key && (await prisma.song.findFirst({ where: { batchId: batch.id, uploadKey: key } }));
  if (known) {
    response.set('Idempotent-Replayed', 'true');
    // The server may have died between the row and the job; a job that is there is not made again.
    if (known.state === 'queued') await start(known.id, batch, context);
    return publicId('song', known.id);
  }
  if (batch.state === 'cancelled')
    throw new Problem(409, 'this batch is cancelled: resume it, or begin another one');
  const announced = announcedBytes(request, dashboard.uploadMaxBytes);
  await checkRoom(pool, batch, announced, dashboard);
  return uploadsOf(batch.ownerId, () =>
    withBody(dataDir, request, dashboard.uploadMaxBytes, async (received) => {
      const song = { file: name, title: versionTitle(name), key };
      const { mediaType, refusal } = await inspect(received);
      const refused = { location: uploadLocation(''), contentHash: null, state: 'failed' } as const;
      const { id, added } = await (refusal === null
        ? storing.run(() => keep(received, mediaType, song, batch, context))
        : inTransaction(pool, async (db) => {
            await holdBatch(db, batch.id);
            return addSong(db, batch, { ...song, ...refused, failureReason: refusal }, dashboard);
          }));
      if (added && refusal === null) await start(id, batch, context);
      context.events.changed('songs');
      return publicId('song', id);
    }),
  );
}

/** @throws Problem 400 */
function uploadKey(request: Context['request']): string | null {
  const key = request.get('idempotency-key');
  if (key === undefined) return null;
  if (/^[\x21-\x7e]{1,128}$/.test(key)) return key;
  throw new Problem(400, 'Idempotency-Key: up to 128 visible ASCII characters');
}

/** What a file is by its content, and why it cannot be judged; null: nobody knows yet, decoding will show. */
async function inspect({ path, size }: Received): Promise<{ mediaType: string; refusal: string | null }> {
  const kind = size === 0 ? undefined : await fileTypeFromFile(path);
  const mediaType = kind?.mime ?? 'application/octet-stream';
  if (size === 0) return { mediaType, refusal: 'the file is empty (0 bytes)' };
  if (!kind || kind.mime.startsWith('audio/') || containers.test(kind.mime)) {
    return { mediaType, refusal: null };
  }
  return { mediaType, refusal: `by its content this is ${kind.mime} (.${kind.ext}), not music` };
}

/** Store bytes and song, or neither, and let the batch run again. */
async function keep(
  { path, contentHash, size }: Received,
  mediaType: string,
  song: { file: string; title: string; key: string | null },
  batch: UploadBatch,
  { session }: Context,
): Promise<{ id: number; added: boolean }> {
  const pieces = () => createReadStream(path, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>;
  return storeUpload(session.database.pool, { contentHash, size, mediaType }, pieces, {
    before: (db) => holdBatch(db, batch.id),
    refer: async (db) => {
      const kept = { location: uploadLocation(contentHash), contentHash, state: 'queued' } as const;
      const row = { ...song, ...kept, failureReason: null };
      const taken = await addSong(db, batch, row, session.config.dashboard);
      // Other bytes under a key that was used already: nothing refers to them.
      if (!taken.added) await forgetAudio(db, [contentHash]);
      await db.query(
        `UPDATE score_batches SET state = 'running', finished_at = NULL WHERE id = $1 AND state <> 'cancelled'`,
        [batch.id],
      );
      return taken;
    },
  });
}

async function start(id: number, { parametersHash }: UploadBatch, { session }: Context): Promise<void> {
  await session.queues.enqueue('preview', [{ kind: 'song', id, parametersHash }]);
}
