/**
 * A song that is dropped in: its bytes go through a file of this machine into the database, never through
 * this server's memory as a whole. What cannot be taken is a row with its reason too.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileTypeFromFile } from 'file-type';
import { storeUpload, uploadLocation } from '../../../shared/database/uploads.ts';
import { reasonOf } from '../../../shared/errors.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { versionTitle } from '../../../shared/scoring/titles.ts';
import { Problem } from '../problem.ts';
import type { Context } from '../route.ts';

/** Bytes sent to the database at once. */
const pieceBytes = 4_000_000;
const longestName = 200;
/** Containers of sound that are also containers of films. */
const containers = /^(video\/(mp4|quicktime|webm|matroska|x-matroska|ogg)|application\/ogg)$/;

interface Received {
  path: string;
  contentHash: string;
  size: number;
}

/** A name as it is shown and stored: no folder, nothing that cannot be seen. */
export function songName(given: string): string {
  const name = basename(given.replaceAll('\\', '/'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what cannot be seen is no part of a name
    .replace(/[\u0000-\u001f\u007f]/g, '')
    .trim();
  return (name || 'unnamed').slice(-longestName);
}

/**
 * Take a song into a batch and start its way through the stages.
 * @returns its public id
 * @throws Problem when the request itself is at fault: too many songs, or it broke off
 */
export async function receiveSong(
  batch: { id: number; state: string; parametersHash: string },
  name: string,
  context: Context,
): Promise<string> {
  const { session, request } = context;
  const { prisma, pool } = session.database;
  const { uploadMaxBytes, uploadMaxFiles } = session.config.dashboard;
  if ((await prisma.song.count({ where: { batchId: batch.id } })) >= uploadMaxFiles) {
    throw new Problem(422, `a batch has at most ${uploadMaxFiles} songs: begin another one`);
  }
  if (batch.state === 'cancelled') throw new Problem(409, 'this batch was cancelled: begin another one');
  const refuse = async (reason: string) => {
    const row = await prisma.song.create({
      data: {
        ...{ batchId: batch.id, file: name, title: versionTitle(name), location: uploadLocation('') },
        ...{ state: 'failed', failureReason: reason },
      },
    });
    return publicId('song', row.id);
  };
  const folder = join(session.config.dataDir, 'uploads');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, randomUUID());
  try {
    const received = await receive(request, path, uploadMaxBytes);
    if (received === 'too large') {
      return await refuse(
        `the file has more than ${Math.round(uploadMaxBytes / 1e6)} MB, which is the limit`,
      );
    }
    if (received.size === 0) return await refuse('the file is empty (0 bytes)');
    const kind = await fileTypeFromFile(path);
    if (kind && !kind.mime.startsWith('audio/') && !containers.test(kind.mime)) {
      return await refuse(`by its content this is ${kind.mime} (.${kind.ext}), not music`);
    }
    const song = { batchId: batch.id, file: name };
    const id = await keep(received, kind?.mime ?? 'application/octet-stream', song, pool);
    await session.queues.enqueue('preview', [{ kind: 'song', id, parametersHash: batch.parametersHash }]);
    context.events.changed('songs');
    return publicId('song', id);
  } finally {
    await rm(path, { force: true });
  }
}

/** Store bytes and song, or neither, and let the batch run again. */
async function keep(
  { path, contentHash, size }: Received,
  mediaType: string,
  song: { batchId: number; file: string },
  pool: Context['session']['database']['pool'],
): Promise<number> {
  const pieces = () => createReadStream(path, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>;
  return storeUpload(pool, { contentHash, size, mediaType }, pieces, async (db) => {
    const { rows } = await db.query<{ id: number }>(
      `INSERT INTO songs (batch_id, file, location, title, content_hash, warnings)
       VALUES ($1, $2, $3, $4, $5, '{}') RETURNING id`,
      [song.batchId, song.file, uploadLocation(contentHash), versionTitle(song.file), contentHash],
    );
    await db.query(
      `UPDATE score_batches SET state = 'running', finished_at = NULL WHERE id = $1 AND state <> 'cancelled'`,
      [song.batchId],
    );
    return rows[0]!.id;
  });
}

/** Write a request's body to a file. @throws Problem when it broke off */
async function receive(
  request: Context['request'],
  path: string,
  most: number,
): Promise<Received | 'too large'> {
  const hash = createHash('sha256');
  let size = 0;
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      size += chunk.length;
      // The rest is read and thrown away, so that the answer reaches who still sends.
      if (size > most) return done();
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(request, counted, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    throw new Problem(
      400,
      `the upload broke off: send it again (${(error as { code?: string }).code ?? reasonOf(error)})`,
    );
  }
  if (size > most) return 'too large';
  return { path, size, contentHash: hash.digest('hex') };
}
