/** Stage preview: fetch the audio of a track or song and keep its bytes until the spectrogram is made. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { storePreview } from '../shared/database/previews.ts';
import { PermanentError } from '../shared/errors.ts';
import type { AudioPayload } from '../shared/stages.ts';
import { findSubject, markFailed, markFetched, reuseSpectrogram } from './audio-subject.ts';
import type { Handler, Outcome, Services } from './handler.ts';

export function buildPreview(services: Services): Handler<'preview'> {
  return {
    stage: 'preview',
    run: (payload) => fetchPreview(payload, services),
    fail: (payload, reason) => markFailed(services.database.prisma, payload, reason),
  };
}

async function fetchPreview(payload: AudioPayload, { database, config }: Services): Promise<Outcome> {
  const { prisma } = database;
  const subject = await findSubject(prisma, payload);
  if (!subject) return { outcome: 'skipped', why: 'its row is gone' };
  if (!subject.wanted) return { outcome: 'skipped', why: 'its batch was cancelled' };

  const bytes = await readAudioFile(subject.location, config.audio.maxBytes);
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  const reused = await reuseSpectrogram(prisma, payload, contentHash);
  if (reused) return reused;
  await storePreview(database.pool, contentHash, bytes);
  await markFetched(prisma, payload, contentHash);
  return { outcome: 'done', next: [{ stage: 'spectrogram', payload }] };
}

/**
 * Read an audio file whole.
 * @throws PermanentError when it is missing, unreadable, no file or larger than `maxBytes`
 */
async function readAudioFile(path: string, maxBytes: number): Promise<Buffer> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new PermanentError('this is not a file');
    if (found.size === 0) throw new PermanentError('the file is empty (0 bytes)');
    if (found.size > maxBytes) {
      const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
      throw new PermanentError(
        `the file has ${megabytes(found.size)} MB, over the limit of ${megabytes(maxBytes)} MB (AUDIO_MAX_MEGABYTES)`,
      );
    }
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new PermanentError('the file is not there (on this worker’s machine)');
    if (code === 'EACCES' || code === 'EPERM')
      throw new PermanentError('the file may not be read: permission denied');
    throw error;
  }
}
